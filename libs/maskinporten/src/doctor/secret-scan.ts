/** What kind of secret a piece of text holds. */
export type SecretKind = 'private-key' | 'private-jwk' | 'token';

export interface FoundSecret {
  readonly kind: SecretKind;
  /** Counted from 1. */
  readonly line: number;
}

/** In one text; more say nothing more. */
const MAX_FOUND = 20;
const BEGIN = /-----BEGIN (?:[A-Z0-9]{1,16} )?PRIVATE KEY-----/g;
/** A header line alone is documentation; lines of base64 after it are a key. The smallest RSA key has some fifteen. */
const KEY_LINE = /[A-Za-z0-9+/]{60,}/g;
const KEY_CHARACTERS = 240;
/** base64 of `-----BEGIN`, at each of the three alignments is not worth it: people encode whole files. */
const ENCODED_BEGIN = /LS0tLS1CRUdJTi[A-Za-z0-9+/]{400}/g;
/** From the start of a word on, so that a hostile line is not tried from each of its characters. */
const JWT =
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,20000}\.[A-Za-z0-9_-]{40,2000}(?![A-Za-z0-9_-])/g;
/** The private exponent of an RSA JWK; `\"` as JSON in a variable has it. */
const PRIVATE_EXPONENT = /\\?"d\\?"\s{0,8}:\s{0,8}\\?"[A-Za-z0-9_-]{300,}\\?"/g;

/** Finds private keys and access tokens in a text; it tells where and never what. */
export function findSecrets(text: string): readonly FoundSecret[] {
  const found: { readonly kind: SecretKind; readonly index: number }[] = [];
  for (const { 0: header, index } of text.matchAll(BEGIN)) {
    if (keyFollows(text, index + header.length)) found.push({ kind: 'private-key', index });
  }
  for (const { index } of text.matchAll(ENCODED_BEGIN)) found.push({ kind: 'private-key', index });
  for (const { index } of text.matchAll(PRIVATE_EXPONENT)) found.push({ kind: 'private-jwk', index });
  for (const { 0: jwt, index } of text.matchAll(JWT)) {
    if (isAccessToken(jwt)) found.push({ kind: 'token', index });
  }
  return found
    .toSorted((a, b) => a.index - b.index)
    .slice(0, MAX_FOUND)
    .map(({ kind, index }) => ({ kind, line: lineAt(text, index) }));
}

/** Line breaks may be written out, quoted, or gone. */
function keyFollows(text: string, from: number): boolean {
  const body = text.slice(from, from + 4 * KEY_CHARACTERS);
  const end = body.indexOf('-----');
  const lines = (end === -1 ? body : body.slice(0, end)).match(KEY_LINE) ?? [];
  return lines.join('').length >= KEY_CHARACTERS;
}

/** Header and claims are JSON, and the header names an algorithm: samples with an ellipsis do not count. */
function isAccessToken(jwt: string): boolean {
  const [header, claims] = jwt.split('.').map((part) => {
    try {
      return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
    } catch {
      return undefined;
    }
  });
  return typeof header === 'object' && header !== null && 'alg' in header && typeof claims === 'object';
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
