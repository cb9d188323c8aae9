import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { normaliseTokenRequest, type TokenRequest } from '../grants/index.js';
import { invocationOf } from '../handlers/index.js';
import type { DeclaredScope, MaskinportenScope } from './scoped-request.js';
import { ScopesMetadata } from './scopes.metadata.js';
import { otherClient } from './verified-call.js';

type SystemUserOfRequest = NonNullable<TokenRequest['systemUser']>;

interface Binding {
  readonly systemUser: SystemUserOfRequest;
  readonly client: string;
  /** A request can fall through to a second handler, which nobody has verified. */
  readonly handler: unknown;
  readonly scopes: WeakMap<MaskinportenScope, MaskinportenScope>;
}

const bindings = new WeakMap<object, Binding>();

/**
 * From now on `@Scopes` of this call asks for tokens of this system user, as this client. Guards run before interceptors
 * and cannot open a context themselves, so they leave the verified fact here; nothing of the request is read again
 * (T-50…T-52).
 */
export function bindSystemUser(context: ExecutionContext, systemUser: SystemUserOfRequest, client: string): void {
  bindings.set(invocationOf(context), { systemUser, client, handler: context.getHandler(), scopes: new WeakMap() });
}

/** What `@Scopes` says about a handler: its method's or its class's. */
export const declaredScopeOf = (reflector: Reflector, context: ExecutionContext): DeclaredScope | undefined =>
  reflector.getAllAndOverride(ScopesMetadata, [context.getHandler(), context.getClass()]);

/** What `@Scopes` says about a call before it is made, for the verified system user; undefined when a function says it. */
export function scopeOf(reflector: Reflector, context: ExecutionContext): MaskinportenScope | undefined {
  const declared = declaredScopeOf(reflector, context);
  return declared === undefined || typeof declared === 'function' ? undefined : boundScope(declared, context);
}

/**
 * The scope as this call may use it: for the system user and the client that were verified.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) when the scope names another client
 */
export function boundScope(scope: MaskinportenScope, context: ExecutionContext): MaskinportenScope {
  const binding = bindings.get(invocationOf(context));
  if (binding?.handler !== context.getHandler()) return scope;
  const known = binding.scopes.get(scope);
  if (known !== undefined) return known;
  const bound = forSystemUser(scope, binding);
  binding.scopes.set(scope, bound);
  return bound;
}

/** A system user that `@Scopes` itself names gives way: only the verified one was verified. */
function forSystemUser({ request, client }: MaskinportenScope, binding: Binding): MaskinportenScope {
  if (client !== undefined && client !== binding.client) throw otherClient(client, binding.client);
  const { scopes, resource, consumerOrg, consent, pid, exchange } = request;
  return Object.freeze({
    request: normaliseTokenRequest({
      scopes,
      systemUser: binding.systemUser,
      resource,
      consumerOrg,
      consent,
      pid,
      exchange,
    }),
    client: binding.client,
  });
}
