import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cleanFacts, cleanText } from './clean-facts.js';

/** Shaped like a JWT, made here so that no scanner finds one in the source. */
const token = ['eyJhbGciOiJSUzI1NiJ9', 'eyJzdWIiOiJ4In0', 'c2lnbmF0dXJl'].join('.');
/** Every text member gets the same text. */
const allTexts = (text: string): Parameters<typeof cleanFacts>[0] => ({
  kind: 'call-intent',
  requestId: text,
  callId: text,
  caller: text,
  client: text,
  organisation: text,
  scopes: [text, text],
  method: text,
  host: text,
  pathTemplate: text,
  errorCode: text,
  jti: text,
  kid: text,
  decision: text,
  externalRef: text,
  party: text,
  resource: text,
  action: text,
  source: text,
});

describe('what is recorded', () => {
  it.each(['01819000391', '018190 00391', '018190-00391', 'for 01819000391.'])('has no person number: %s', (text) => {
    const stored = JSON.stringify(cleanFacts(allTexts(text)));
    expect(stored).not.toMatch(/\d{11}|\d{6}[ -]\d{5}/);
    expect(stored).toContain('[redacted]');
  });

  it('has no person number, whatever stands around it', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^\d{11}$/), fc.string(), (before, digits, after) => {
        fc.pre(!/\d$/.test(before) && !/^\d/.test(after));
        const clean = cleanText(`${before}${digits}${after}`) ?? '';
        expect(clean).not.toContain(digits);
      }),
    );
  });

  it('has no token', () => {
    expect(JSON.stringify(cleanFacts(allTexts(`Bearer ${token}`)))).not.toContain('eyJ');
  });

  it('keeps organisation numbers and ids, whatever digits they have', () => {
    const jti = '12345678-1234-4234-8234-a12345678901';
    expect(cleanFacts({ kind: 'token', organisation: '310000027', jti, requestId: randomUUID() })).toMatchObject({
      organisation: '310000027',
      jti,
    });
  });

  it('T-57: has nothing that a terminal obeys, and nothing that a database refuses', () => {
    const nasty = ['a\r\nb', 'a\u001b[31mb', 'a\u2028b', 'a\u202eb', 'a\u0000b', 'a\ud800b'];
    expect(nasty.map((text) => cleanText(text))).toEqual(['ab', 'a[31mb', 'ab', 'ab', 'ab', 'ab']);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const clean = cleanText(text) ?? '';
        expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        expect(clean.length).toBeLessThanOrEqual(512);
      }),
    );
  });

  it('has no query, and no members that an entry does not have', () => {
    const entry = { kind: 'call-intent' as const, pathTemplate: '/x/{id}?fnr=1#y', authorization: 'secret', body: {} };
    expect(cleanFacts(entry)).toEqual({ pathTemplate: '/x/{id}' });
  });

  it('has whole numbers only', () => {
    const { status, durationMs } = cleanFacts({ kind: 'call-outcome', status: 200.4, durationMs: Number.NaN });
    expect([status, durationMs]).toEqual([200, undefined]);
  });

  it('T-62: a text of a megabyte takes no time', () => {
    expect(cleanText('1'.repeat(1_000_000))).toHaveLength(512);
    expect(cleanText('1 '.repeat(500_000))?.length).toBeLessThanOrEqual(512);
  });
});
