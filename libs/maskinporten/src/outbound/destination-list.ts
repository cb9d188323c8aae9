import type { CheckedDestination } from '../issuer/index.js';

/** The origins that may receive tokens. Everything is decided on the parsed URL, never on its text (T-23). */
export class DestinationList {
  /** Origin → path prefixes; an empty list means every path. */
  readonly #exact = new Map<string, readonly string[]>();
  readonly #families: readonly RegExp[];
  /** For messages. */
  readonly origins: readonly string[];

  constructor(destinations: readonly CheckedDestination[]) {
    const families: RegExp[] = [];
    for (const { origin, pathPrefix } of destinations) {
      if (origin.includes('*')) families.push(familyPattern(origin));
      else this.#exact.set(origin, mergePrefixes(this.#exact.get(origin), pathPrefix));
    }
    this.#families = families;
    this.origins = Object.freeze([...new Set(destinations.map(({ origin }) => origin))]);
  }

  allows(url: URL): boolean {
    const prefixes = this.#exact.get(url.origin);
    if (prefixes !== undefined) return prefixes.length === 0 || isBelow(url.pathname, prefixes);
    return this.#families.some((family) => family.test(url.origin));
  }

  /** Why `allows` said no, without path or query. */
  reasonAgainst(url: URL): string {
    if (!this.#exact.has(url.origin)) return `${url.origin} is not among the destinations that may receive this token`;
    return isAmbiguous(url.pathname)
      ? `the path at ${url.origin} can be read in two ways, and this destination is limited by a pathPrefix`
      : `the path at ${url.origin} is not below the pathPrefix of this destination`;
  }
}

function mergePrefixes(known: readonly string[] | undefined, pathPrefix: string | undefined): readonly string[] {
  if (pathPrefix === undefined || known?.length === 0) return [];
  return [...(known ?? []), pathPrefix];
}

function isBelow(path: string, prefixes: readonly string[]): boolean {
  if (isAmbiguous(path)) return false;
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** `/`, `\`, `%` and control characters, encoded: a server may decode them and then read another path. */
const ENCODED = /%(?:2f|5c|25|[01][0-9a-f]|7f|u[0-9a-f]{4})/i;
/** Bytes that are never UTF-8: `%c0%af` is a slash for decoders that are too generous (RFC 3629 §3). */
const OVERLONG = /%(?:c[01]|e0%[89]|f0%8|f[5-9a-f])/i;
/** `..;v=1`, `.;` and `%2e%2e,` are `..` and `.` for servers that take parameters off a segment first (RFC 3986 §3.3). */
const DOTS_AND_MORE = /\/(?:\.|%2e){1,2}(?![\w.~-])/i;

/**
 * May a server read this path as another one than it says? `URL` has resolved plain `..` already, and writes `\` as `/`;
 * what is left are spellings that only some servers, or the proxies before them, resolve.
 */
function isAmbiguous(path: string): boolean {
  return DOTS_AND_MORE.test(path) || (path.includes('%') && (ENCODED.test(path) || OVERLONG.test(path)));
}

/** `https://*.apps.altinn.no` stands for exactly one more label. */
function familyPattern(origin: string): RegExp {
  const [scheme, rest] = origin.split('*') as [string, string];
  return new RegExp(`^${escape(scheme)}[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?${escape(rest)}$`);
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
