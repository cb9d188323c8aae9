import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { readTokenAnswer, type TokenAnswer } from './token-response.js';

const request = normaliseTokenRequest('a:b c:d');
const good = { access_token: 'abc', token_type: 'Bearer', expires_in: 120, scope: 'a:b c:d' };

function read(
  body: unknown,
  status = 200,
  contentType: string | undefined = 'application/json',
): TokenAnswer | MaskinportenError {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  try {
    return readTokenAnswer({ status, headers: { 'content-type': contentType }, body: bytes }, request, [
      'sent-assertion',
    ]);
  } catch (error) {
    if (!isMaskinportenError(error)) throw error;
    return error;
  }
}

const readWithType = (type: string | undefined): unknown => {
  try {
    return readTokenAnswer(
      { status: 200, headers: { 'content-type': type }, body: Buffer.from(JSON.stringify(good)) },
      request,
      [],
    );
  } catch (error) {
    return error;
  }
};

describe('a token answer', () => {
  it.each([
    [{}, { accessToken: 'abc', expiresInSeconds: 120, scopes: ['a:b', 'c:d'] }],
    [{ token_type: 'bearer' }, { accessToken: 'abc' }],
    [{ scope: undefined }, { scopes: ['a:b', 'c:d'] }],
    [{ scope: null }, { scopes: ['a:b', 'c:d'] }],
    [{ scope: 'c:d x:more a:b' }, { scopes: ['a:b', 'c:d'] }],
  ])('S-06, S-07: %j is understood', (change, expected) => {
    expect(read({ ...good, ...change })).toMatchObject(expected);
  });

  it.each([undefined, 'text/html', 'application/jsonp', 'text/json', 'application/x-www-form-urlencoded'])(
    'F-31: content type %s is not JSON',
    (type) => {
      expect(readWithType(type)).toMatchObject({ code: 'MP_PROTOCOL', status: 200 });
    },
  );
  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON', 'application/problem+json'])(
    'content type %s is JSON',
    (type) => {
      expect(readWithType(type)).toMatchObject({ accessToken: 'abc' });
    },
  );

  it.each(['', '{', 'null', '[]', '"abc"', '7', '{"access_token":"abc"} x', '\ufeff\ufeff{}'])(
    'F-32: body %j',
    (body) => {
      expect(read(body)).toMatchObject({ code: 'MP_PROTOCOL' });
    },
  );

  it.each([
    { access_token: undefined },
    { access_token: 7 },
    { access_token: '' },
    { access_token: ['abc'] },
    { token_type: undefined },
    { token_type: 'mac' },
    { token_type: 7 },
    { scope: 7 },
    { scope: ['a:b'] },
  ])('F-33: %j', (change) => {
    expect(read({ ...good, ...change })).toMatchObject({ code: 'MP_PROTOCOL' });
  });

  it('F-35: names the scopes that are missing', () => {
    expect(read({ ...good, scope: 'c:d' })).toMatchObject({
      code: 'MP_SCOPE_NOT_GRANTED',
      message: expect.stringContaining('a:b'),
    });
    expect(read({ ...good, scope: '' })).toMatchObject({ code: 'MP_SCOPE_NOT_GRANTED' });
  });

  it.each(['a b', 'a\r\nb', 'a\u0000', 'å', '\u202e', ' a', 'a\n', 'x'.repeat(16_385)])(
    'T-32: a token that no header may carry is refused and not quoted (%#)',
    (token) => {
      const canary = `CANARY${token}`;
      const error = read({ ...good, access_token: canary });
      expect(error).toMatchObject({ code: 'MP_PROTOCOL' });
      expect(inspect(error, { depth: null, showHidden: true })).not.toContain('CANARY');
    },
  );

  it('T-32: whatever is accepted can stand in a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (token) => {
        const answer = read({ ...good, access_token: token });
        expect('code' in answer || /^[\x21-\x7e]+$/.test(answer.accessToken)).toBe(true);
        expect(
          'code' in answer || new Headers({ authorization: `Bearer ${answer.accessToken}` }).get('authorization'),
        ).toBeTruthy();
      }),
    );
  });

  it('T-63: deep nesting and many members are an answer like any other', () => {
    expect(read(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)).toMatchObject({ code: 'MP_PROTOCOL' });
    expect(read(`{"a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`)).toMatchObject({ code: 'MP_PROTOCOL' });
    expect(read(`{"__proto__":{"access_token":"abc","token_type":"Bearer"}}`)).toMatchObject({ code: 'MP_PROTOCOL' });
  });

  it('T-66: a polluted prototype is no answer', () => {
    const polluted = Object.prototype as unknown as Record<string, unknown>;
    Object.assign(polluted, { ...good, error: 'invalid_grant', error_description: 'planted' });
    try {
      expect(read({})).toMatchObject({ code: 'MP_PROTOCOL' });
      expect(JSON.stringify(read({}, 400))).not.toContain('planted');
    } finally {
      for (const name of [...Object.keys(good), 'error', 'error_description'])
        Reflect.deleteProperty(Object.prototype, name);
    }
  });
});

describe('T-64: expires_in', () => {
  it.each([
    [119, 119],
    ['119', 119],
    [30, 30],
    [5, 5],
    [3_600, 3_600],
    [7_200, 3_600],
    ['7200', 3_600],
    [0.5, 0.5],
    ['0.5', 0.5],
    [1e300, 3_600],
    [undefined, undefined],
  ])('%j is %s seconds', (value, seconds) => {
    const answer = read({ ...good, expires_in: value });
    expect(answer).toHaveProperty('accessToken');
    expect('expiresInSeconds' in answer && answer.expiresInSeconds).toBe(seconds);
  });

  it.each([
    0,
    -1,
    '0',
    '-1',
    '',
    ' ',
    'abc',
    '1e3',
    '0x10',
    '٣',
    ' 119',
    true,
    false,
    null,
    {},
    [],
    [119],
    '99999999999',
  ])('F-34: %j is refused', (value) => {
    expect(read({ ...good, expires_in: value })).toMatchObject({ code: 'MP_PROTOCOL' });
  });

  it('F-34: numbers that JSON can write but nobody can count', () => {
    expect(read('{"access_token":"a","token_type":"Bearer","expires_in":1e999}')).toMatchObject({
      code: 'MP_PROTOCOL',
    });
  });

  it('is more than 0 and at most an hour, whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.double(), fc.nat().map(String)), (value) => {
        const answer = read({ ...good, expires_in: value });
        const seconds = 'code' in answer ? 1 : (answer.expiresInSeconds ?? 1);
        expect(seconds > 0 && seconds <= 3_600).toBe(true);
      }),
    );
  });
});

describe('an answer that is no token', () => {
  it.each([
    [304, 'MP_REDIRECT'],
    [399, 'MP_REDIRECT'],
    [401, 'MP_UPSTREAM_REJECTED'],
    [403, 'MP_UPSTREAM_REJECTED'],
    [404, 'MP_CONFIG_ENDPOINT'],
    [407, 'MP_PROXY'],
    [413, 'MP_OAUTH'],
    [418, 'MP_OAUTH'],
    [429, 'MP_THROTTLED'],
    [500, 'MP_UPSTREAM'],
    [501, 'MP_PROTOCOL'],
    [507, 'MP_UPSTREAM'],
    [599, 'MP_UPSTREAM'],
    [600, 'MP_PROTOCOL'],
    [101, 'MP_PROTOCOL'],
  ])('F-63: %i with HTML is %s', (status, code) => {
    expect(read('<html>', status, 'text/html')).toMatchObject({ code, status });
  });

  it('F-40: an OAuth error with 401 or 403 is what it says, and so is an MP code behind an unknown error', () => {
    expect(read({ error: 'invalid_client' }, 401)).toMatchObject({ code: 'MP_CLIENT_UNKNOWN' });
    expect(read({ error: 'Forbidden', error_uri: 'x/MP-250' }, 403)).toMatchObject({ code: 'MP_NOT_GRANTED' });
    expect(read({ error: 'Forbidden' }, 403)).toMatchObject({ code: 'MP_UPSTREAM_REJECTED' });
    expect(read({ error: 'Bad Request' }, 400)).toMatchObject({ code: 'MP_OAUTH', oauthError: 'unknown_error' });
  });

  it('T-05: an echo of the assertion does not come through, whatever the status', () => {
    for (const status of [400, 401, 403, 418, 429, 503]) {
      for (const body of [
        { error: 'x', error_description: 'sent-assertion' },
        { error_description: 'sent-assertion' },
        'sent-assertion',
      ]) {
        expect(inspect(read(body, status), { depth: null, showHidden: true })).not.toContain('sent-assertion');
      }
    }
  });
});
