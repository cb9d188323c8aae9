import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../errors/index.js';
import { AUTH_CODES, authCodeFacts } from './auth-code.js';
import { refusedAnswer } from './refused-answer.js';

const answer = (status: number, body: unknown) =>
  refusedAnswer('test', { status, body: Buffer.from(JSON.stringify(body)) }, body, [], undefined);

describe('AUTH codes', () => {
  it('knows every code a vendor normally meets', () => {
    const usual = [0, 1, 4, 6, 7, 8, 9, 10, 11, 15, 21, 23, 26, 58, 59, 61, 63, 64, 65];
    for (const number of usual) expect(authCodeFacts(`AUTH-${String(number).padStart(5, '0')}`)).toBeDefined();
  });

  it.each(Object.entries(AUTH_CODES))('AUTH-%s has a hint in two languages and a code of ours', (_, facts) => {
    expect(Object.keys(ERROR_CODES)).toContain(facts.code);
    expect(facts.hint.en).toMatch(/\.$/);
    expect(facts.hint.nb).toMatch(/\.$/);
    expect(facts.hint.en).not.toBe(facts.hint.nb);
  });

  it('does not read inherited or malformed codes', () => {
    for (const code of ['AUTH-constructor', 'AUTH-00029', 'AUTH-1', 'constructor', undefined]) {
      expect(authCodeFacts(code)).toBeUndefined();
    }
  });

  it('takes the text from detail, then title, and the rules that were violated', () => {
    const error = answer(400, {
      code: 'STD-00000',
      title: 'One or more validation errors occurred.',
      traceId: '00-abcdef0123-01',
      validationErrors: [{ code: 'AUTH.VLD-00003', title: 'x', paths: ['/rights/0'] }, { code: '<script>' }],
    });
    expect(error).toMatchObject({
      code: 'MP_REQUEST',
      authCode: 'STD-00000',
      traceId: '00-abcdef0123-01',
      validationErrors: [{ code: 'AUTH.VLD-00003', paths: ['/rights/0'] }],
    });
    expect(error.message).toContain('One or more validation errors');
  });

  it('T-05, T-57: what Altinn says is cleaned before it is repeated', () => {
    const said = `bad \u202e\u0007 thing eyJhbGciOiJSUzI1NiJ9abcdef for 01017012345`;
    const error = answer(400, { detail: said });
    expect(error.message).not.toMatch(/eyJ|01017012345|\p{Cc}|\p{Cf}/u);
  });

  it.each([
    [400, 'MP_REQUEST'],
    [401, 'MP_UPSTREAM_REJECTED'],
    [403, 'MP_UPSTREAM_REJECTED'],
    [404, 'MP_CONFIG_ENDPOINT'],
    [405, 'MP_CONFIG_ENDPOINT'],
    [408, 'MP_TIMEOUT'],
    [409, 'MP_REQUEST'],
    [302, 'MP_REDIRECT'],
    [418, 'MP_REQUEST'],
    [429, 'MP_THROTTLED'],
    [500, 'MP_UPSTREAM'],
    [501, 'MP_PROTOCOL'],
    [503, 'MP_UPSTREAM'],
    [206, 'MP_PROTOCOL'],
  ])('F-87: HTTP %i without a code is %s', (status, code) => {
    expect(answer(status, null)).toMatchObject({ code, status });
  });
});
