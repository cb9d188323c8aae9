import type { ExecutionContext } from '@nestjs/common';
import { ownMembers } from '../basics/index.js';
import { createError } from '../errors/index.js';
import { NormalisedTokenRequest, normaliseTokenRequest, type TokenRequest } from '../grants/index.js';
import { checkPriority, type Priority } from '../tokens/index.js';

/** A token request that may also say which of several clients asks for it. */
export interface ClientTokenRequest extends TokenRequest {
  /** Name given to `MaskinportenModule.forRoot({ name })`; default: the client of the instance that makes the call. */
  readonly client?: string;
}

/** What holds for everything that runs in one context. */
export interface ContextOptions {
  /** `batch` for work that may take its time; see `GetTokenOptions.priority`. Default `interactive`. */
  readonly priority?: Priority;
}

/** Everything that says what token is wanted: one scope or several separated by spaces, a list, or a whole request. */
export type ScopesInput = string | readonly string[] | ClientTokenRequest;

/** What is in force while a handler runs: frozen, without any secret. */
export interface TokenContext {
  readonly request: NormalisedTokenRequest;
  readonly client: string | undefined;
  readonly priority?: Priority | undefined;
}

/**
 * Says for each call of a handler which token its outgoing calls carry. It runs once per call, after the guards.
 *
 * @example @Scopes((context) => ({ scopes: 'acme:read', consumerOrg: organisationOf(context) }))
 */
export type ScopesFunction = (context: ExecutionContext) => ScopesInput | Promise<ScopesInput>;

/** What `@Scopes` holds. */
export type DeclaredContext = TokenContext | ScopesFunction;

/**
 * Brings a request into the form that a context holds. `client` and `priority` are no part of the token request.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) naming every wrong field.
 */
export function toTokenContext(input: ScopesInput & ContextOptions): TokenContext {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || NormalisedTokenRequest.is(input)) {
    return Object.freeze({ request: normaliseTokenRequest(input), client: undefined });
  }
  const { client, priority, ...request } = ownMembers(input as ClientTokenRequest & ContextOptions);
  if (client !== undefined && typeof client !== 'string') {
    throw createError('MP_REQUEST', { message: 'client must be the name of a client: a text.', field: 'client' });
  }
  if (priority !== undefined) checkPriority(priority);
  const scope = { request: normaliseTokenRequest(request), client };
  return Object.freeze(priority === undefined ? scope : { ...scope, priority });
}
