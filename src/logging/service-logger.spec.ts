import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ServiceLogger } from './service-logger.js';

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
