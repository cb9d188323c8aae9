import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { MaskinportenScopesInterceptor } from './scopes.interceptor.js';
import { ScopesMetadata } from './scopes.metadata.js';
import { toScope, type ClientTokenRequest, type ScopesInput } from './scoped-request.js';

/** `@Scopes('a', 'b')`, `@Scopes(['a', 'b'])` or `@Scopes({ scopes: 'a b', … })`. */
export type ScopesArguments =
  readonly [string, ...string[]] | readonly [readonly string[]] | readonly [ClientTokenRequest];

/**
 * Says which token the outgoing calls of a handler (or of all handlers of a class) carry. What a method says replaces
 * what its class says; nothing is merged. Works on HTTP, RPC, GraphQL and WebSocket handlers. It brings its own
 * interceptor, so handlers without it pay nothing.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) when the class is loaded and the request is not valid.
 * @example
 * @Get()
 * @Scopes('altinn:broker.read')
 * list() { return this.http.axiosRef.get('https://platform.altinn.no/broker/api/v1/filetransfer'); }
 */
export function Scopes(...scopes: ScopesArguments): ClassDecorator & MethodDecorator {
  const [first] = scopes;
  // One text may hold several scopes, as everywhere else; several arguments are one scope each.
  const input: ScopesInput = scopes.length === 1 ? first : (scopes as readonly string[]);
  return applyDecorators(ScopesMetadata(toScope(input)), UseInterceptors(MaskinportenScopesInterceptor));
}

/** `@Scopes` under a name that no other library uses. */
export const MaskinportenScopes = Scopes;
