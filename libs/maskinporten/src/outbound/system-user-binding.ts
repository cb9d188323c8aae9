import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { normaliseTokenRequest, type TokenRequest } from '../grants/index.js';
import { invocationOf } from '../handlers/index.js';
import type { DeclaredContext, TokenContext } from './token-context.js';
import { ScopesMetadata } from './scopes.metadata.js';
import { otherClient } from './verified-call.js';

type SystemUserOfRequest = NonNullable<TokenRequest['systemUser']>;

interface Binding {
  readonly systemUser: SystemUserOfRequest;
  readonly client: string;
  /** A request can fall through to a second handler, which nobody has verified. */
  readonly handler: unknown;
  readonly scopes: WeakMap<TokenContext, TokenContext>;
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
export const declaredContextOf = (reflector: Reflector, context: ExecutionContext): DeclaredContext | undefined =>
  reflector.getAllAndOverride(ScopesMetadata, [context.getHandler(), context.getClass()]);

/** What `@Scopes` says about a call before it is made, for the verified system user; undefined when a function says it. */
export function tokenContextOf(reflector: Reflector, context: ExecutionContext): TokenContext | undefined {
  const declared = declaredContextOf(reflector, context);
  return declared === undefined || typeof declared === 'function' ? undefined : boundContext(declared, context);
}

/**
 * The token context as this call may use it: for the system user and the client that were verified.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) when it names another client
 */
export function boundContext(tokenContext: TokenContext, context: ExecutionContext): TokenContext {
  const binding = bindings.get(invocationOf(context));
  if (binding?.handler !== context.getHandler()) return tokenContext;
  const known = binding.scopes.get(tokenContext);
  if (known !== undefined) return known;
  const bound = forSystemUser(tokenContext, binding);
  binding.scopes.set(tokenContext, bound);
  return bound;
}

/** A system user that `@Scopes` itself names gives way: only the verified one was verified. */
function forSystemUser({ request, client }: TokenContext, binding: Binding): TokenContext {
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
