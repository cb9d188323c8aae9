import { isRecord, ownMembers } from '../../basics/index.js';
import { malformed, TokenRefusal } from './token-refusal.js';

type Members = Readonly<Record<string, unknown>>;

/** Algorithms that Maskinporten signs with (Digdir, token). */
export type SigningAlgorithm = 'RS256' | 'RS384' | 'RS512';

/** A token that was taken apart. Nothing of it is proven yet. */
export interface CompactToken {
  readonly alg: SigningAlgorithm;
  readonly kid: string;
  /** Own members only, on an object without a prototype. */
  readonly claims: Members;
}

/** Longer than any token of Maskinporten by far, and what HTTP servers take as a header at most. */
const MAX_LENGTH = 16 * 1024;
/** RFC 7515 §7.1; the signature of an unsigned token is empty. */
const COMPACT = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/;
const ALGORITHMS: ReadonlySet<unknown> = new Set<SigningAlgorithm>(['RS256', 'RS384', 'RS512']);
/** Goes into no log, and still must not be able to break one (T-59). */
const KID = /^[\x21-\x7e]{1,128}$/;
/** Maskinporten writes none. What is explicitly something else is not an access token (RFC 8725 §3.11). */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);

/**
 * Takes a token apart. The header decides which key and algorithm are tried, and nothing else in it is listened to:
 * `jwk`, `jku`, `x5u` and `x5c` bring keys of the one who wrote them (RFC 8725 §3.1, T-58).
 *
 * @throws TokenRefusal `token_malformed`, or `token_signature` when no published key can have signed it
 */
export function takeApart(text: string): CompactToken {
  const [, header = '', payload = ''] = text.length > MAX_LENGTH ? [] : (COMPACT.exec(text) ?? []);
  if (header === '') throw malformed('It is not a signed JWT in compact form.');
  const { alg, kid, crit, typ } = objectOf(header, 'header');
  const claims = objectOf(payload, 'payload');
  if (crit !== undefined) throw malformed('Its header demands an extension (crit) that is not supported.');
  if (typ !== undefined && !(typeof typ === 'string' && TYPES.has(typ.toLowerCase()))) {
    throw malformed('Its header says that it is something else than an access token (typ).');
  }
  if (!isSigningAlgorithm(alg)) throw new TokenRefusal('token_signature', 'alg must be RS256, RS384 or RS512.');
  if (kid === undefined) throw new TokenRefusal('token_signature', 'Its header does not name a key (kid).');
  if (typeof kid !== 'string' || !KID.test(kid)) throw malformed('kid is not a text of 1 to 128 visible characters.');
  return { alg, kid, claims };
}

const isSigningAlgorithm = (alg: unknown): alg is SigningAlgorithm => ALGORITHMS.has(alg);

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function objectOf(part: string, name: string): Members {
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(part, 'base64url')));
    if (isRecord(value)) return ownMembers(value);
  } catch {
    // Texts of parser errors quote what they could not read.
  }
  throw malformed(`Its ${name} is not a JSON object.`);
}
