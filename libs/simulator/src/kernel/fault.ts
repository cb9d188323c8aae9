import { Collection } from './collection.js';
import { type Role, ROLES } from './role.js';
import { type Reader, anyRecord, flag, integer, isRecord, oneOf, optional, record, refuse, text } from './readers.js';

/** What an endpoint does instead of its work, or to its answer. Members combine: a delay and a status, for example. */
export interface FaultInput {
  /** Generated when absent. */
  id?: string;
  /** Path of the endpoint, such as `/token`; with `*` at the end, every path that begins so. */
  path: string;
  /** Default: any but the operator's, which never fails on command. */
  server?: Exclude<Role, 'operator'>;
  method?: string;
  /** How many requests it hits. Default: all. */
  times?: number;
  /** How many requests pass before it begins. Default 0. */
  after?: number;
  /** Waits before anything else, milliseconds. */
  delayMs?: number;
  /** Answers with this status without doing the work. */
  status?: number;
  /** `Retry-After`: seconds, or a text used as it is. */
  retryAfter?: number | string;
  headers?: Record<string, string>;
  /** Body of the answer: a text as it is, an object as JSON. */
  body?: string | Record<string, unknown>;
  /** Answers with an HTML page, status 200 unless `status` is given. */
  html?: boolean;
  /** Answers with JSON that stops in the middle, status 200 unless `status` is given. */
  badJson?: boolean;
  /** Answers with a redirect to this URL, status 307 unless `status` is given. */
  redirect?: string;
  /** Answers with a JSON body of this many bytes (decoded). */
  oversizedBytes?: number;
  /** Compresses the fault's own body with gzip. */
  gzip?: boolean;
  /** Resets the connection before any header. */
  reset?: boolean;
  /** Does the work, but closes the connection after half of the body. */
  truncate?: boolean;
  /** Does the work, but sends one byte of the body per this many milliseconds. */
  dripMs?: number;
  /** Does the work and answers, then closes the connection although it was to be kept alive. */
  closeAfter?: boolean;
  /** Does the work, then changes members of the JSON answer; `null` removes one. */
  replace?: Record<string, unknown>;
}

const bodyOrText: Reader<string | Record<string, unknown>> = (value, field) =>
  typeof value === 'string' || isRecord(value) ? value : refuse(field, 'must be a text or an object');

const retryAfter: Reader<number | string> = (value, field) =>
  typeof value === 'string' ? value : integer(0)(value, field);

const headers: Reader<Record<string, string>> = (value, field) =>
  Object.fromEntries(
    Object.entries(anyRecord(value, field)).map(([name, content]) => [
      name,
      text(/^[\t\x20-\x7e]*$/, 'a header value')(content, `${field}.${name}`),
    ]),
  );

const readFault = record({
  id: optional(text()),
  path: text(/^\/[^?#]*$/, 'a path that begins with / and has no query'),
  server: optional(oneOf(...ROLES.filter((role): role is Exclude<Role, 'operator'> => role !== 'operator'))),
  method: optional(text(/^[A-Z]+$/, 'a method in capitals')),
  times: optional(integer(1)),
  after: optional(integer(0)),
  delayMs: optional(integer(0, 600_000)),
  status: optional(integer(200, 599)),
  retryAfter: optional(retryAfter),
  headers: optional(headers),
  body: optional(bodyOrText),
  html: optional(flag),
  badJson: optional(flag),
  redirect: optional(text(/^[\x21-\x7e]+$/, 'a URL')),
  oversizedBytes: optional(integer(1, 1024 ** 3)),
  gzip: optional(flag),
  reset: optional(flag),
  truncate: optional(flag),
  dripMs: optional(integer(1, 60_000)),
  closeAfter: optional(flag),
  replace: optional(anyRecord),
});

type ReadFault = ReturnType<typeof readFault>;
export type Fault = ReadFault & { readonly id: string; readonly hits: number };
type LiveFault = ReadFault & { readonly id: string; hits: number };

/** The fault scripts. For each request the first that fits is used, in the order they were added. */
export class Faults extends Collection<Fault, FaultInput> {
  constructor() {
    let last = 0;
    super({
      name: 'faults',
      read: (value, field): LiveFault => {
        const fault = readFault(value, field);
        last += 1;
        return { ...fault, id: fault.id ?? `fault-${last}`, hits: 0 };
      },
      key: (fault) => fault.id,
    });
  }

  /** The fault that this request meets, counted as met. */
  take(servers: readonly Role[], method: string, path: string): Fault | undefined {
    for (const fault of this.list() as readonly LiveFault[]) {
      const fits =
        !servers.includes('operator') &&
        (fault.server === undefined || servers.includes(fault.server)) &&
        (fault.method === undefined || fault.method === method) &&
        (fault.path.endsWith('*') ? path.startsWith(fault.path.slice(0, -1)) : path === fault.path);
      if (!fits) continue;
      const hit = fault.hits - (fault.after ?? 0);
      if (fault.times !== undefined && hit >= fault.times) continue;
      fault.hits += 1;
      if (hit >= 0) return fault;
    }
    return undefined;
  }
}
