import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { MaskinportenScopesInterceptor } from './scopes.interceptor.js';
import { ScopesMetadata, scopesUses } from './scopes.metadata.js';
import {
  toTokenContext,
  type ClientTokenRequest,
  type DeclaredContext,
  type ScopesFunction,
  type ScopesInput,
} from './token-context.js';

/** `@Scopes('a', 'b')`, `@Scopes(['a', 'b'])`, `@Scopes({ scopes: 'a b', … })` or `@Scopes((context) => …)`. */
export type ScopesArguments =
  | readonly [string, ...string[]]
  | readonly [readonly string[]]
  | readonly [ClientTokenRequest]
  | readonly [ScopesFunction];

/**
 * Says which token the outgoing calls of a handler (or of all handlers of a class) carry. What a method says replaces
 * what its class says; nothing is merged. Works on HTTP, RPC, GraphQL and WebSocket handlers. It brings its own
 * interceptor, so handlers without it pay nothing. Where it would have no effect – a method that is not a handler, a
 * wrapper or an override that lost it – the application does not start (`MP_CONFIG`).
 *
 * A function of the `ExecutionContext` is called once per call of the handler, after the guards, and may return a
 * promise. When what it returns is not valid, the call fails with `MP_REQUEST` and the handler does not run. An
 * organisation and a client that `@RequireSystemUser` verified stay the verified ones.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) when the class is loaded and the request is not valid.
 * @example
 * @Get()
 * @Scopes('altinn:broker.read')
 * list() { return this.http.axiosRef.get('https://platform.altinn.no/broker/api/v1/filetransfer'); }
 */
export function Scopes(...scopes: ScopesArguments): ClassDecorator & MethodDecorator {
  const declared = declaredScope(scopes);
  return scopesUses.decorator(
    declared,
    applyDecorators(ScopesMetadata(declared), UseInterceptors(MaskinportenScopesInterceptor)),
  );
}

function declaredScope(scopes: ScopesArguments): DeclaredContext {
  const [first] = scopes;
  if (typeof first === 'function') return first;
  // One text may hold several scopes, as everywhere else; several arguments are one scope each.
  const input: ScopesInput = scopes.length === 1 ? first : (scopes as readonly string[]);
  return toTokenContext(input);
}

/** `@Scopes` under a name that no other library uses. */
export const MaskinportenScopes = Scopes;
