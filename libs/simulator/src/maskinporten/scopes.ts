import { Collection, flag, integer, list, record, scopeName, text, withDefault } from '../kernel/index.js';

/** A scope with properties of its own. Scopes that only a client names exist too, with every default. */
export interface ScopeInput {
  name: string;
  /** Caps the life of tokens that hold the scope, seconds; 0 leaves it to the client. Default 0. */
  atMaxAge?: number;
  /** Whether `consumer_org` may be used with it. Default true. */
  delegable?: boolean;
  /** Integration types that may use it. Default, and when empty: all. */
  integrationTypes?: string[];
  /** An inactive scope yields no token. Default true. */
  active?: boolean;
}

const readScope = record({
  name: scopeName,
  atMaxAge: withDefault(integer(0), 0),
  delegable: withDefault(flag, true),
  integrationTypes: withDefault(list(text()), []),
  active: withDefault(flag, true),
});

export type Scope = ReturnType<typeof readScope>;

export const scopeCollection = (): Collection<Scope, ScopeInput> =>
  new Collection({ name: 'scopes', read: readScope, key: ({ name }) => name });
