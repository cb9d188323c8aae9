import { isRecord } from '../basics/index.js';
import { NormalisedTokenRequest } from './normalised-token-request.js';
import { normaliseTokenRequest, type RequestContext } from './normalise-token-request.js';
import type { TokenRequestInput } from './token-request.js';

/** Few, because they are compared one after the other; a service asks for few different scopes. */
const MAX_FAMILIES = 16;

/** Requests that differ only in the organisation they are for. */
interface Family {
  readonly scopes: unknown;
  readonly exchange: unknown;
  /** By `consumerOrg`, which is undefined when a client asks for itself. */
  readonly consumers: Map<unknown, NormalisedTokenRequest>;
  /** By the organisation of the system user. */
  readonly systemUsers: Map<unknown, NormalisedTokenRequest>;
}

/** The common shape of a request, read once. */
interface Snapshot {
  scopes: unknown;
  exchange: unknown;
  consumerOrg: unknown;
  /** Of the system user. */
  organisation: unknown;
}

/** Every field is there, or it would be looked for on a polluted prototype (T-66). */
const NOTHING: Snapshot = { scopes: undefined, exchange: undefined, consumerOrg: undefined, organisation: undefined };

/**
 * Remembers the normal form of requests as callers write them, so that a cache hit costs comparisons and a map lookup
 * instead of a validation and a key string. Requests with rarer fields are normalised each time. Values are remembered by
 * content, never by object identity: a caller may change and reuse its object. Nothing is remembered that was refused, so
 * a value of a wrong type is never found.
 */
export class RequestMemo {
  readonly #context: RequestContext;
  readonly #limit: number;
  readonly #families: Family[] = [];
  #size = 0;

  /** @param limit number of remembered requests after which all are forgotten and learnt again */
  constructor(context: RequestContext, limit: number) {
    this.#context = context;
    this.#limit = limit;
  }

  /** @throws TokenRequestInvalidError as `normaliseTokenRequest` does. */
  resolve(input: TokenRequestInput): NormalisedTokenRequest {
    const snapshot = NormalisedTokenRequest.is(input) ? undefined : snapshotOf(input);
    return snapshot === undefined ? normaliseTokenRequest(input, this.#context) : this.#lookUp(snapshot);
  }

  /** Forgets everything; it is learnt again. */
  clear(): void {
    this.#families.length = 0;
    this.#size = 0;
  }

  #lookUp({ scopes, exchange, consumerOrg, organisation }: Snapshot): NormalisedTokenRequest {
    const family = this.#families.find((other) => other.exchange === exchange && isSame(other.scopes, scopes));
    const known =
      organisation === undefined ? family?.consumers.get(consumerOrg) : family?.systemUsers.get(organisation);
    if (known !== undefined) return known;
    const systemUser = organisation === undefined ? undefined : { organisation };
    const request = normaliseTokenRequest(
      { scopes, exchange, consumerOrg, systemUser } as TokenRequestInput,
      this.#context,
    );
    const { consumers, systemUsers } = this.#makeRoom(family) ?? this.#addFamily(scopes, exchange);
    if (organisation === undefined) consumers.set(consumerOrg, request);
    else systemUsers.set(organisation, request);
    this.#size += 1;
    return request;
  }

  /** @returns the family, unless it had to be forgotten with all others */
  #makeRoom(family: Family | undefined): Family | undefined {
    const full = family === undefined && this.#families.length === MAX_FAMILIES;
    if (!full && this.#size < this.#limit) return family;
    this.clear();
    return undefined;
  }

  #addFamily(scopes: unknown, exchange: unknown): Family {
    const family = { scopes, exchange, consumers: new Map(), systemUsers: new Map() };
    this.#families.push(family);
    return family;
  }
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** A text and a list are never the same: 'a b' is two scopes, ['a b'] is refused. */
function isSame(one: unknown, other: unknown): boolean {
  if (!isList(one) || !isList(other)) return one === other;
  return one.length === other.length && one.every((scope, index) => scope === other[index]);
}

/** The fields of a request of the common shape, each read once; undefined when it has others. */
function snapshotOf(input: unknown): Snapshot | undefined {
  if (typeof input === 'string') return { ...NOTHING, scopes: input };
  if (isList(input)) return { ...NOTHING, scopes: [...input] };
  if (!isRecord(input)) return undefined;
  const snapshot = { ...NOTHING };
  // for…in also visits what a polluted prototype adds; such requests take the slow path, which looks at own fields only.
  for (const name in input) {
    if (!Object.hasOwn(input, name)) return undefined;
    const value = input[name];
    if (name === 'scopes') snapshot.scopes = isList(value) ? [...value] : value;
    else if (name === 'exchange' || name === 'consumerOrg') snapshot[name] = value;
    else if (value !== undefined) {
      if (name !== 'systemUser') return undefined;
      snapshot.organisation = onlyOrganisation(value);
      if (snapshot.organisation === undefined) return undefined;
    }
  }
  return snapshot.consumerOrg !== undefined && snapshot.organisation !== undefined ? undefined : snapshot;
}

/** The organisation of a system user that has nothing else; undefined when there is more to it. */
function onlyOrganisation(systemUser: unknown): unknown {
  if (!isRecord(systemUser)) return undefined;
  let organisation: unknown;
  for (const name in systemUser) {
    if (name !== 'organisation' || !Object.hasOwn(systemUser, name)) return undefined;
    organisation = systemUser[name];
  }
  return organisation;
}
