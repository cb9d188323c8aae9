import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sanitiseText } from './index.js';

const ALLOWED = /^[\x20\x21\x23-\x5b\x5d-\x7eæøåÆØÅ]*$/;
const part = (text: string): string => Buffer.from(text).toString('base64url');
const jwt = [part('{"alg":"RS256","kid":"canary"}'), part('{"iss":"canary-client"}'), part('a'.repeat(60))].join('.');

describe('sanitiseText', () => {
  it('leaves a sentence of Maskinporten as it is, Norwegian letters included', () => {
    const text = 'Consumer 310000027 has not delegated access to the scope acme:x.read (trace_id: æøåÆØÅ)';
    expect(sanitiseText(text)).toBe(text);
  });

  it.each([undefined, null, 7, {}, ['a'], '', '   ', '\u202e\u0007'])('gives undefined for %p', (value) => {
    expect(sanitiseText(value)).toBeUndefined();
  });

  it.each(['\r', '\n', '\u001b', '\u2028', '\u2029', '\u202e', '\u200b', '\u0000', '"', '\\', '\ud800', '😀'])(
    'T-57: removes %j',
    (character) => expect(sanitiseText(`a${character}b`)).toBe('ab'),
  );

  it('T-05: replaces the assertion, its parts and anything shaped like a token', () => {
    const secrets = [jwt, ...jwt.split('.')];
    for (const echo of [jwt, ...secrets, jwt.slice(0, 100), `kid=${jwt}&`, jwt.split('').join('\u200b')]) {
      const clean = sanitiseText(`You sent ${echo} to us`, secrets) ?? '';
      expect(clean).toContain('[redacted]');
      for (const secret of secrets) expect(clean).not.toContain(secret.slice(0, 20));
    }
  });

  it('T-05: replaces token-shaped text without knowing what was sent', () => {
    expect(sanitiseText(`got ${jwt}`)).toBe('got [redacted]');
    expect(sanitiseText(`key ${'aB3'.repeat(20)}.`)).toBe('key [redacted]');
  });

  it('keeps long scopes and ignores secrets too short to be one', () => {
    const scope = 'altinn:serviceowner/notifications.create.and.something.more.than.forty';
    expect(sanitiseText(scope)).toBe(scope);
    expect(sanitiseText('no a here', ['a'])).toBe('no a here');
  });

  it('hides person numbers, not organisation numbers', () => {
    expect(sanitiseText('pid 01819000391, org 310000027')).toBe('pid [redacted], org 310000027');
  });

  it('is at most 300 characters of the documented set, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 2_000, unit: 'binary' }), fc.string({ maxLength: 80 }), (text, secret) => {
        const clean = sanitiseText(text, [secret]) ?? '';
        expect(clean.length).toBeLessThanOrEqual(300);
        expect(clean).toMatch(ALLOWED);
      }),
    );
    expect(sanitiseText('a b '.repeat(1_000))).toHaveLength(300);
  });

  it('T-62: looks at a bounded part of a hostile text', () => {
    // Not a timing: what lies behind the bound cannot show up, so it has not been looked at.
    for (const run of ['eyJ', 'A1', ' 1', '\u202e']) {
      const clean = sanitiseText(run.repeat(400_000) + ' tail-that-is-never-read');
      expect(clean ?? '').not.toContain('tail');
    }
  });
});
