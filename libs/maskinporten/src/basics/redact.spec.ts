import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { redact } from './index.js';

const part = (text: string): string => Buffer.from(text).toString('base64url');
const jwt = [part('{"alg":"RS256","kid":"canary"}'), part('{"iss":"canary-client"}'), part('a'.repeat(60))].join('.');

/** One digit, as people and encoders write it. */
const spelledDigit = (digit: number): fc.Arbitrary<string> =>
  fc.constantFrom(
    String(digit),
    String(digit),
    `%3${digit}`,
    `%253${digit}`,
    String.fromCodePoint(0xff10 + digit),
    String.fromCodePoint(0x0660 + digit),
    `%EF%BC%9${digit}`,
  );
const SEPARATORS = ['', '', ' ', '-', '.', '/', '+', '_', ',', ', ', ' - ', '\u2013', '\u00a0', '\u200b', '\u00ad'];
const ENCODED = ['%20', '%2D', '%2d', '%2F', '%2520', '%C2%A0', '%0a', '\\n', '\\u00a0'];
const separator = fc.constantFrom(...SEPARATORS, ...ENCODED);

/** Eleven digits in groups of 2, 2, 2, 3 and 2, any of which may stand together. */
const spelledNumber = fc
  .tuple(fc.array(fc.nat(9), { minLength: 11, maxLength: 11 }), fc.array(separator, { minLength: 4, maxLength: 4 }))
  // An organisation number beside a number of two digits stays.
  .filter(([, gaps]) => {
    const where = gaps.map((gap) => (gap === '' ? '0' : '1')).join('');
    return where !== '0001' && where !== '1000';
  })
  .chain(([digits, gaps]) =>
    fc
      .tuple(...digits.map(spelledDigit))
      .map((spelled) => spelled.map((digit, index) => `${digit}${gaps[[1, 3, 5, 8].indexOf(index)] ?? ''}`).join('')),
  );

describe('redact', () => {
  it('T-83: takes out a person number in any spelling, whatever stands around it', () => {
    const around = fc.string({
      unit: fc.constantFrom('a', 'Z', 'æ', ' ', ':', '"', '<', '=', '?', '{'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(around, spelledNumber, around, (before, number, after) => {
        expect(redact(`${before}x:${number};${after}`)).toBe(`${before}x:[redacted];${after}`);
      }),
      { numRuns: runs(2_000) },
    );
  });

  it('T-83: keeps organisation numbers, ids and times, alone and beside each other', () => {
    const id = fc.oneof(
      fc.uuid(),
      fc
        .date({ min: new Date('2020-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
        .map((date) => date.toISOString()),
      fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }).map(String),
      fc.integer({ min: 100_000_000, max: 999_999_999 }).map(String),
      fc.integer({ min: 0, max: 99 }).map(String),
      fc.constantFrom('acme:x.read', '4bf92f12345678901736', 'at file.js:12345:67', '127.0.0.1:65535', 'MP-403'),
    );
    fc.assert(
      fc.property(id, id, fc.constantFrom(' | ', ': ', ' = ', '; '), (first, second, between) => {
        const text = `${first}${between}${second}`;
        expect(redact(text)).toBe(text);
      }),
      { numRuns: runs(2_000) },
    );
    for (const text of [
      '310000027, 12',
      '12 310000027',
      '310000027 310000019',
      '310000027/310000019',
      '2026-11-28 310000027',
    ]) {
      expect(redact(text)).toBe(text);
    }
  });

  it.each(['01819000391', '010190 12345', '010190-12345', '01.01.90 123 45', '%30%31%30%31%39%30%31%32%33%34%35'])(
    'T-83: %s is not seen',
    (number) => {
      expect(redact(`no access for ${number}.`)).toBe('no access for [redacted].');
    },
  );

  it('T-01: takes out tokens, pieces of tokens, credentials and private keys', () => {
    const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
    for (const secret of [
      jwt,
      jwt.slice(0, 60),
      jwt.split('.').slice(0, 2).join('.'),
      `${begin}\nCANARY`,
      `${begin}\\nCANARY`,
    ]) {
      expect(redact(`a ${secret}`)).toBe('a [redacted]');
    }
    expect(redact(`token=${jwt}&x`)).toMatch(/^token=\[redacted\]&x$/);
    expect(redact('Authorization: Bearer opaque-token-value')).toBe('Authorization: Bearer [redacted]');
    expect(redact('Basic dXNlcjpwYXNzd29yZA== x')).toBe('Basic [redacted] x');
  });

  it('finds nothing in what it has cleaned', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(spelledNumber, fc.string(), fc.constant(jwt)), { maxLength: 4 }), (texts) => {
        const clean = redact(texts.join(' '));
        expect(redact(clean)).toBe(clean);
      }),
      { numRuns: runs(500) },
    );
  });

  it('T-62: a hostile text of 400,000 characters is looked at once', () => {
    // Each of these would take minutes if a pattern looked at the same text again and again.
    const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
    for (const hostile of [
      'eyJ',
      'eyJ.',
      begin,
      'Bearer ',
      '-----BEGIN ',
      '1',
      '1 ',
      '12 ',
      '%25',
      '%2525',
      'a1',
      '\\u',
      '20',
    ]) {
      expect(redact(hostile.repeat(100_000)).length).toBeGreaterThan(0);
    }
  });
});
