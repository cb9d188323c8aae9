import { parseOrganisationNumber } from 'nestjs-maskinporten';
import { withoutByteOrderMark } from 'nestjs-maskinporten/environment';

/** One key of a caller. The key itself is known to the caller alone. */
export interface ApiKeyEntry {
  /** Whose key it is; several keys may have one name, so that keys can be changed without a pause. */
  readonly name: string;
  /** SHA-256 of the key. */
  readonly sha256: Buffer;
  /** Numbers of the organisations that a holder of this key may act for. */
  readonly organisations: readonly string[];
}

const MEMBERS: ReadonlySet<string> = new Set(['name', 'sha256', 'organisations']);
const HASH = /^[\da-f]{64}$/i;

/** Reads the list of `API_KEYS`. The reasons name the element that is wrong and repeat no value. */
export function readApiKeyEntries(
  json: string,
): { readonly entries: readonly ApiKeyEntry[] } | { readonly reasons: readonly string[] } {
  let list: unknown;
  try {
    list = JSON.parse(withoutByteOrderMark(json));
  } catch {
    return { reasons: ['is not JSON'] };
  }
  if (!Array.isArray(list) || list.length === 0) {
    return { reasons: ['must be a list with at least one { "name", "sha256", "organisations" }'] };
  }
  const reasons: string[] = [];
  const entries: ApiKeyEntry[] = [];
  const seen = new Map<string, number>();
  for (const [index, element] of (list as unknown[]).entries()) {
    const entry = readEntry(element, (reason) => reasons.push(`(entry ${index + 1}) ${reason}`));
    if (entry === undefined) continue;
    const hash = entry.sha256.toString('hex');
    const first = seen.get(hash);
    if (first !== undefined) reasons.push(`(entry ${index + 1}) sha256 is the same as in entry ${first}`);
    else seen.set(hash, index + 1);
    entries.push(entry);
  }
  return reasons.length > 0 ? { reasons } : { entries };
}

function readEntry(element: unknown, refuse: (reason: string) => void): ApiKeyEntry | undefined {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) {
    refuse('must be an object');
    return undefined;
  }
  const { name, sha256, organisations } = element as Readonly<Record<string, unknown>>;
  if (Object.keys(element).some((member) => !MEMBERS.has(member))) {
    refuse('has a member besides name, sha256 and organisations; the key itself does not belong here');
  }
  const named = typeof name === 'string' && /^[\w.-]{1,64}$/.test(name);
  if (!named) refuse('name must be 1 to 64 letters, digits, dots, hyphens or underscores');
  const hashed = typeof sha256 === 'string' && HASH.test(sha256);
  if (!hashed) refuse('sha256 must be the SHA-256 of the key in 64 hexadecimal digits');
  const numbers = Array.isArray(organisations) ? organisations.map(parseOrganisationNumber) : undefined;
  const listed = numbers?.every((number) => number !== undefined) === true ? numbers : undefined;
  if (listed === undefined) refuse('organisations must be a list of organisation numbers');
  if (!named || !hashed || listed === undefined) return undefined;
  return { name, sha256: Buffer.from(sha256, 'hex'), organisations: [...new Set(listed)] };
}
