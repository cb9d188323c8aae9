import { describe, expect, it } from '@jest/globals';
import { format, inspect } from 'node:util';
import { MaskinportenToken } from './index.js';

const value = 'canary-token-value';
const expiresAt = new Date('2026-11-24T12:00:00Z');
const token = new MaskinportenToken({ value, scopes: ['a:b'], expiresAt, kid: 'a-kid', jti: 'a-jti' });

describe('T-04: a token', () => {
  it.each<readonly [string, (token: MaskinportenToken) => string]>([
    ['String', String],
    ['concatenation', (secret) => ['token:', secret].join(' ')],
    ['JSON', (secret) => JSON.stringify({ secret })],
    ['inspect', (secret) => inspect({ secret }, { depth: null, showHidden: true, getters: true })],
    [
      'inspect, keys and values',
      (secret) => inspect([Object.entries(secret), Object.getOwnPropertyDescriptors(secret)], { depth: null }),
    ],
    ['format', (secret) => format('%s %o %O %j', secret, secret, secret, secret)],
    ['structuredClone', (secret) => inspect(structuredClone({ secret }), { depth: null, showHidden: true })],
    ['spread', (secret) => inspect(Object.assign({}, secret))],
    ['error', (secret) => inspect(new Error('x', { cause: secret }))],
  ])('does not show its value through %s', (_, print) => {
    expect(print(token)).not.toContain(value);
    expect(print(token)).toContain('a:b');
  });

  it('gives its value to those who ask for it', () => {
    expect(token.value).toBe(value);
  });

  it('cannot be changed, not even by way of its date', () => {
    expect(Object.isFrozen(token) && Object.isFrozen(token.scopes)).toBe(true);
    token.expiresAt.setTime(0);
    expect(token.expiresAt).toEqual(expiresAt);
    expect(token.toJSON()).toEqual({
      scopes: ['a:b'],
      expiresAt: '2026-11-24T12:00:00.000Z',
      kid: 'a-kid',
      jti: 'a-jti',
    });
  });

  it('has no kid when a certificate signed the grant', () => {
    expect('kid' in new MaskinportenToken({ value, scopes: [], expiresAt, jti: 'j' })).toBe(false);
  });
});
