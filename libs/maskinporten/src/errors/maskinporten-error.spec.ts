import { describe, expect, it, jest } from '@jest/globals';
import { createError, isMaskinportenError, withDetails, type ErrorDetails } from './index.js';

const EVERYTHING: Required<Omit<ErrorDetails, 'field'>> = {
  message: 'what',
  category: 'protocol',
  retryable: false,
  actBy: 'digdir',
  hint: { en: 'en', nb: 'nb' },
  docs: 'https://docs.digdir.no/',
  failures: [{ field: 'f', code: 'MP_OAUTH', reason: 'r' }],
  retryAfterMs: 1,
  status: 400,
  oauthError: 'invalid_grant',
  mpCode: 'MP-100',
  description: 'd',
  traceId: 't',
  attempts: 2,
  elapsedMs: 3,
  clientId: 'c',
  kid: '12345678',
  jti: 'j',
  scopes: ['a'],
};

describe('MaskinportenError', () => {
  it('has nothing but the documented members', () => {
    const error = createError('MP_OAUTH', EVERYTHING);
    expect(new Set(Object.keys(error))).toEqual(
      new Set([...Object.keys(EVERYTHING).filter((name) => name !== 'message'), 'code', 'name']),
    );
    expect('cause' in error).toBe(false);
    expect(new Set(Object.keys(createError('MP_OAUTH', { message: 'x' })))).toEqual(
      new Set(['actBy', 'category', 'code', 'failures', 'hint', 'name', 'retryable']),
    );
  });

  it('keeps the first eight characters of the kid', () => {
    expect(createError('MP_OAUTH', { message: 'x', kid: '0123456789' }).kid).toBe('01234567');
  });

  it('serialises everything but the stack', () => {
    const json = JSON.parse(JSON.stringify(createError('MP_OAUTH', EVERYTHING))) as Record<string, unknown>;
    expect(json).toEqual({ ...EVERYTHING, code: 'MP_OAUTH', name: 'TokenRequestRejectedError' });
  });

  it('freezes what errors of one code or copies of one error share', () => {
    const error = createError('MP_NOT_GRANTED', { message: 'x', scopes: ['a'] });
    for (const shared of [error.hint, error.failures, error.failures[0], error.scopes]) {
      expect(Object.isFrozen(shared)).toBe(true);
    }
  });

  it('T-66: takes nothing from a polluted prototype', () => {
    const planted = {
      description: 'planted',
      kid: 'planted',
      failures: [],
      field: 'planted',
      hint: { en: 'x', nb: 'x' },
    };
    Object.assign(Object.prototype, planted);
    try {
      const error = createError('MP_SCOPE', { message: 'x' });
      expect(JSON.stringify(error)).not.toContain('planted');
      expect(error.failures).toEqual([{ field: 'scope', code: 'MP_SCOPE', reason: 'x' }]);
    } finally {
      for (const name of Object.keys(planted)) Reflect.deleteProperty(Object.prototype, name);
    }
  });
});

describe('withDetails', () => {
  it('adds facts to a copy and leaves the original alone', () => {
    const error = createError('MP_UPSTREAM', { message: 'x', status: 503 });
    const copy = withDetails(error, { attempts: 3, elapsedMs: 12 });
    expect(copy).toMatchObject({ code: 'MP_UPSTREAM', status: 503, attempts: 3, elapsedMs: 12 });
    expect(copy.stack).toBe(error.stack);
    expect(copy.constructor).toBe(error.constructor);
    expect(error.attempts).toBeUndefined();
  });

  it('copies every member, so that a copy can be written on without touching the others', () => {
    const error = createError('MP_OAUTH', EVERYTHING);
    const copy = withDetails(error);
    expect(copy.toJSON()).toEqual(error.toJSON());
    copy.stack = 'written on';
    expect(error.stack).not.toBe(copy.stack);
  });

  it('copies an error whose stack was removed', () => {
    const error = createError('MP_OAUTH', { message: 'x' });
    Reflect.deleteProperty(error, 'stack');
    expect(withDetails(error).message).toBe('x');
  });
});

describe('isMaskinportenError', () => {
  it('knows its own, by code when one is asked for', () => {
    const error: unknown = createError('MP_SCOPE', { message: 'x' });
    expect(isMaskinportenError(error)).toBe(true);
    expect(isMaskinportenError(error, 'MP_SCOPE')).toBe(true);
    expect(isMaskinportenError(error, 'MP_CLOCK')).toBe(false);
  });

  it('knows the errors of another copy of the package', async () => {
    jest.resetModules();
    const copy = await import('./create-error.js');
    const error: unknown = copy.createError('MP_SCOPE', { message: 'x' });
    expect(copy.createError).not.toBe(createError);
    expect(error).not.toBeInstanceOf(createError('MP_SCOPE', { message: 'x' }).constructor);
    expect(isMaskinportenError(error, 'MP_SCOPE')).toBe(true);
  });

  const facts = { actBy: 'you', category: 'clock' };
  it.each([
    undefined,
    null,
    'MP_SCOPE',
    { code: 'MP_SCOPE', ...facts },
    new Error('x'),
    Object.assign(new Error('x'), { code: 'MP_SCOPE' }),
    Object.assign(new Error('x'), { code: 'MP_SCOPE', actBy: 'you' }),
    Object.assign(new Error('x'), { code: 'toString', ...facts }),
    Object.assign(new Error('x'), { code: 7, ...facts }),
    Object.assign(new Error('x'), { code: 'ECONNRESET', ...facts }),
  ])('refuses %p', (value) => {
    expect(isMaskinportenError(value)).toBe(false);
  });
});
