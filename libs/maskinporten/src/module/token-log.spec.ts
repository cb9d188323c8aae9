import { describe, expect, it, jest } from '@jest/globals';
import { createError } from '../errors/index.js';
import { logTokenEvent } from './token-log.js';
import type { TokenEvent } from '../tokens/index.js';

class Recorder {
  readonly lines: [level: string, line: unknown][] = [];
  log = (line: unknown): void => void this.lines.push(['log', line]);
  warn = (line: unknown): void => void this.lines.push(['warn', line]);
  error = (line: unknown): void => void this.lines.push(['error', line]);
  debug = (line: unknown): void => void this.lines.push(['debug', line]);
}

const logged = (event: TokenEvent): [string, unknown] | undefined => {
  const recorder = new Recorder();
  logTokenEvent(recorder, event);
  expect(recorder.lines.length).toBeLessThanOrEqual(1);
  return recorder.lines[0];
};

const error = createError('MP_NOT_GRANTED', {
  message: 'refused',
  mpCode: 'MP-250',
  traceId: 'abc',
  status: 403,
  kid: 'k1',
  jti: 'j1',
  description: 'line one\r\nINFO forged\u001b[31m\u2028\u202Ereversed',
});

describe('logTokenEvent', () => {
  it('one structured line for a token that was obtained', () => {
    const event: TokenEvent = {
      type: 'token-obtained',
      scopes: ['a:b'],
      kind: 'plain',
      jti: 'j',
      kid: 'k',
      attempts: 1,
      elapsedMs: 12,
      background: false,
    };
    expect(logged(event)).toEqual([
      'log',
      {
        message: 'token obtained',
        scopes: ['a:b'],
        kind: 'plain',
        jti: 'j',
        kid: 'k',
        attempts: 1,
        elapsedMs: 12,
        background: false,
      },
    ]);
  });

  it('T-57: one line for a refusal, without anything that breaks or turns lines', () => {
    const [level, line] =
      logged({
        type: 'token-refused',
        scopes: ['a:b'],
        kind: 'plain',
        organisation: '310000027',
        error,
        background: false,
      }) ?? [];
    expect(level).toBe('warn');
    expect(line).toMatchObject({
      message: 'token refused',
      code: 'MP_NOT_GRANTED',
      mpCode: 'MP-250',
      traceId: 'abc',
      kid: 'k1',
      jti: 'j1',
      organisation: '310000027',
      actBy: 'api-owner',
    });
    expect(JSON.stringify(line)).not.toMatch(/\\n|\\r|\\u001b|\u2028|\u202E/);
    expect(line).not.toHaveProperty('stack');
  });

  const OTHERS: readonly (readonly [TokenEvent, string])[] = [
    [{ type: 'attempt-failed', scopes: ['a:b'], kind: 'plain', error, attempt: 1, willRetry: true }, 'debug'],
    [{ type: 'key-fallback', fromKid: 'a', toKid: 'b', error }, 'warn'],
    [{ type: 'circuit', kind: 'plain', state: 'open', retryAfterMs: 5 }, 'warn'],
    [{ type: 'clock-offset', offsetMs: 3 }, 'debug'],
    [{ type: 'security', what: 'tls', detail: 'x\ny' }, 'error'],
    [{ type: 'warning', field: 'key', reason: 'old' }, 'warn'],
  ];
  it.each(OTHERS)('%j', (event, level) => {
    const line = logged(event);
    expect(line?.[0]).toBe(level);
    expect(JSON.stringify(line?.[1])).not.toContain('\\n');
  });

  it('F-138: a logger that throws harms nobody', () => {
    const broken = {
      log: jest.fn(() => {
        throw new Error('disk full');
      }),
      warn: () => undefined,
      error: () => undefined,
    };
    const event: TokenEvent = {
      type: 'token-obtained',
      scopes: [],
      kind: 'plain',
      jti: 'j',
      attempts: 1,
      elapsedMs: 1,
      background: true,
    };
    expect(() => logTokenEvent(broken, event)).not.toThrow();
    expect(broken.log).toHaveBeenCalledTimes(1);
  });
});
