import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../test/support/size.js';
import { printable } from './printable.js';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (): string => `${part({ alg: 'RS256', kid: 'a' })}.${part({ sub: 'canary' })}.${'s'.repeat(86)}`;

describe('printable', () => {
  it('T-01: takes out tokens wherever they stand', () => {
    for (const line of [
      jwt(),
      `token=${jwt()}`,
      `{"a":"Bearer ${jwt()}"}`,
      `(${jwt()})`,
      `Authorization: Bearer ${jwt()}`,
    ]) {
      expect(printable(line)).not.toContain(jwt().split('.')[1]);
    }
  });

  it('T-01: takes out credentials that are not JWTs', () => {
    expect(printable('"authorization":"Bearer opaque-token-value"')).toBe('"authorization":"Bearer [redacted]"');
    expect(printable('Basic dXNlcjpwYXNzd29yZA==')).toBe('Basic [redacted]');
  });

  it('T-01: takes out private keys, whole or cut off, with real and with escaped line breaks', () => {
    const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
    const end = ['-----END', 'PRIVATE KEY-----'].join(' ');
    expect(printable(`a ${begin}\nCANARY\n${end} b`)).toBe('a [redacted] b');
    expect(printable(`a ${begin}\\nCANARY\\n${end} b`)).toBe('a [redacted] b');
    expect(printable(`a ${begin}\nCANARY`)).toBe('a [redacted]');
  });

  it('T-01, T-83: takes out person numbers, however they are written, and leaves ids as they are', () => {
    for (const number of [
      '01017012345',
      '010170 12345',
      '010170-12345',
      '010170+12345',
      '010170%2012345',
      '010170%252012345',
      '010170.12345',
      '01.01.70 123 45',
      '01 01 70 - 12345',
      '010170\u2013 12345',
      '010170\u00a012345',
      '010170\u00ad12345',
      '010170\u200b12345',
      '010170%C2%A012345',
      '010170%0a12345',
      '010170/12345',
      '010170\\n12345',
      '%30%31%30%31%37%30%31%32%33%34%35',
      '%2530101701234%35',
      '\uff10\uff11\uff10\uff11\uff17\uff1012345',
      '%EF%BC%901017012345',
    ]) {
      expect(printable(`{"path":"/people/${number}/claims"}`)).toBe('{"path":"/people/[redacted]/claims"}');
    }
    expect(printable('{"pid":10170123456,"all":[10170123456],"text":"\\"10170123456"}')).toBe(
      '{"pid":"[redacted]","all":["[redacted]"],"text":"\\"[redacted]"}',
    );
    for (const id of [
      '3f0e7a1c-4b5d-4c6e-8f90-a12345678901',
      '4bf92f12345678901736',
      '310000027',
      '"timestamp":1764000000000',
      '2026-11-28T18:40:15.123Z',
      '11/28/2026, 6:40:15 PM',
      'at file.js:12345:67',
    ]) {
      expect(printable(id)).toBe(id);
    }
  });

  it('T-57: writes characters that deceive as escapes', () => {
    expect(printable('a\u2028b\u202ec\u009bd')).toBe('a\\u2028b\\u202ec\\u009bd');
  });

  it('leaves ordinary lines as they are, and stays valid JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => JSON.parse(printable(JSON.stringify({ value }))) as unknown).not.toThrow();
      }),
      { numRuns: runs(2_000) },
    );
    expect(printable('{"seconds":34023.42087251364}')).toBe('{"seconds":34023.42087251364}');
    const line = JSON.stringify({ level: 'log', message: 'Mapped {/broker/transfers, GET} route', scopes: ['a:b.c'] });
    expect(printable(line)).toBe(line);
  });

  it('T-62: does not slow down on hostile lines', () => {
    // Each of these would take minutes if a pattern looked at the same text again and again.
    const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
    for (const hostile of [
      'eyJ',
      'eyJ.',
      'eyJa.eyJa',
      begin,
      'Bearer ',
      '-----BEGIN ',
      'a.',
      '1',
      '123456 ',
      'a1',
      '\\"',
    ]) {
      expect(printable(hostile.repeat(100_000)).length).toBeGreaterThan(0);
      expect(printable(`{"${hostile.repeat(100_000)}`).length).toBeGreaterThan(0);
    }
  });
});
