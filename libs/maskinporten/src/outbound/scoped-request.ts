import type { ExecutionContext } from '@nestjs/common';
import { createError } from '../errors/index.js';
import { normaliseTokenRequest, type NormalisedTokenRequest, type TokenRequest } from '../grants/index.js';

/** A token request that may also say which of several clients asks for it. */
export interface ClientTokenRequest extends TokenRequest {
  /** Name given to `MaskinportenModule.forRoot({ name })`; default: the client of the instance that makes the call. */
  readonly client?: string;
}

/** Everything that says what token is wanted: one scope or several separated by spaces, a list, or a whole request. */
export type ScopesInput = string | readonly string[] | ClientTokenRequest;

/** What is in force while a handler runs: frozen, without any secret. */
export interface MaskinportenScope {
  readonly request: NormalisedTokenRequest;
  readonly client: string | undefined;
}

/**
 * Says for each call of a handler which token its outgoing calls carry. It runs once per call, after the guards.
 *
 * @example @Scopes((context) => ({ scopes: 'acme:read', consumerOrg: organisationOf(context) }))
 */
export type ScopesFunction = (context: ExecutionContext) => ScopesInput | Promise<ScopesInput>;

/** What `@Scopes` holds. */
export type DeclaredScope = MaskinportenScope | ScopesFunction;

/**
 * Brings a request into the form that a context holds.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) naming every wrong field.
 */
export function toScope(input: ScopesInput): MaskinportenScope {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || !Object.hasOwn(input, 'client')) {
    return Object.freeze({ request: normaliseTokenRequest(input), client: undefined });
  }
  const { client, ...request } = input as ClientTokenRequest;
  if (client !== undefined && typeof client !== 'string') {
    throw createError('MP_REQUEST', { message: 'client must be the name of a client: a text.', field: 'client' });
  }
  return Object.freeze({ request: normaliseTokenRequest(request), client });
}
