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
}

function mergePrefixes(known: readonly string[] | undefined, pathPrefix: string | undefined): readonly string[] {
  if (pathPrefix === undefined || known?.length === 0) return [];
  return [...(known ?? []), pathPrefix];
}

/** Encoded slashes, backslashes and percent signs are refused: a server may decode them into another path. */
function isBelow(path: string, prefixes: readonly string[]): boolean {
  if (/%(2f|5c|25)/i.test(path)) return false;
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** `https://*.apps.altinn.no` stands for exactly one more label. */
function familyPattern(origin: string): RegExp {
  const [scheme, rest] = origin.split('*') as [string, string];
  return new RegExp(`^${escape(scheme)}[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?${escape(rest)}$`);
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
