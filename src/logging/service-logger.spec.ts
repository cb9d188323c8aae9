import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../test/support/size.js';
import { printable, ServiceLogger } from './service-logger.js';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (): string => `${part({ alg: 'RS256', kid: 'a' })}.${part({ sub: 'canary' })}.${'s'.repeat(86)}`;

/** What the logger writes to the streams of the process while `work` runs. */
function written(work: () => void): string[] {
  const lines: string[] = [];
  const take = (text: string | Uint8Array): boolean => {
    lines.push(String(text));
    return true;
  };
  jest.spyOn(process.stdout, 'write').mockImplementation(take);
  jest.spyOn(process.stderr, 'write').mockImplementation(take);
  work();
  jest.restoreAllMocks();
  return lines;
}

describe('ServiceLogger', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('writes one JSON object per line, with the members of the message in it', () => {
    const lines = written(() =>
      new ServiceLogger('log').log({ message: 'request', status: 200, level: 'mine' }, 'Request'),
    );
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'log',
      message: 'request',
      status: 200,
      context: 'Request',
    });
  });

  it.each([
    ['fatal', ['fatal']],
    ['warn', ['fatal', 'error', 'warn']],
    ['info', ['fatal', 'error', 'warn', 'log']],
    ['verbose', ['fatal', 'error', 'warn', 'log', 'debug', 'verbose']],
  ] as const)('at LOG_LEVEL=%s writes %s', (level, expected) => {
    const logger = new ServiceLogger(level);
    const lines = written(() => {
      for (const name of ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'] as const) logger[name](name, 'Test');
    });
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
  });

  it('T-01: shows no secret member at any depth, and no token in a text', () => {
    const token = `eyJ${'a'.repeat(20)}.${'b'.repeat(20)}.${'c'.repeat(20)}`;
    const error = Object.assign(new Error(`refused ${token}`), { config: { headers: { Authorization: 'canary' } } });
    const lines = written(() => {
      const logger = new ServiceLogger('verbose');
      logger.log({ message: 'x', deep: [{ Authorization: 'canary', access_token: 'canary', pem: 'canary' }] });
      logger.error({ message: 'x', error });
      logger.error(`text with ${token}`, error.stack, 'Test');
      logger.error(error);
    });
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toMatch(/canary|b{20}/);
  });

  it('T-57: cannot be made to write two lines', () => {
    const lines = written(() => new ServiceLogger('log').log('first\nsecond\r\u2028third\u001b[31m', 'Test'));
    expect(lines).toHaveLength(1);
    for (const character of ['\n', '\r', '\u2028', '\u001b']) expect(lines[0]?.trimEnd()).not.toContain(character);
  });
});

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
