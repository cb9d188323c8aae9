import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { format, inspect } from 'node:util';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { decodeOAuthError, sanitiseText, withDetails, type MaskinportenError } from './index.js';

const { privateKey } = rsaKeyPair();
const pemBody = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().split('\n')[3] ?? '';
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const signature = randomBytes(256).toString('base64url');
const assertion = `${part({ alg: 'RS256', kid: 'a-kid' })}.${part({ iss: 'a-client', jti: 'a-jti' })}.${signature}`;
const accessToken = `${part({ alg: 'RS256' })}.${part({ scope: 'a:b' })}.${randomBytes(256).toString('base64url')}`;

const CANARIES: Readonly<Record<string, string>> = {
  assertion,
  'signature of the assertion': signature,
  'access token': accessToken,
  'private key (PEM body)': pemBody,
  'private key (d)': privateKey.export({ format: 'jwk' }).d ?? '',
  'person number': '01819000391',
};

const all = Object.values(CANARIES).join(' ');
const FAILURES: Readonly<Record<string, (canary: string) => MaskinportenError>> = {
  'echo in error': (canary) => decodeOAuthError(400, { error: canary }, sent),
  'echo in error_description': (canary) =>
    decodeOAuthError(400, { error: 'invalid_grant', error_description: canary }, sent),
  'echo inside a sentence': (canary) =>
    decodeOAuthError(
      400,
      { error: 'invalid_request', error_description: `Bad "${canary}" (trace_id: ${canary})` },
      sent,
    ),
  'echo in error_uri': (canary) =>
    decodeOAuthError(403, { error: 'forbidden', error_uri: `https://x/${canary}/MP-250` }, sent),
  'echo in unknown members': (canary) =>
    decodeOAuthError(400, { error: 'invalid_scope', assertion: canary, [canary]: canary }, sent),
  'echo cut by line breaks': (canary) =>
    decodeOAuthError(400, { error: 'invalid_grant', error_description: canary.split('').join('\u200b') }, sent),
  'echo with spaces in the keys': (canary) => decodeOAuthError(400, { error: 'x', 'error description': canary }, sent),
  'a copy with more facts': (canary) =>
    withDetails(decodeOAuthError(400, { error: 'x', error_description: canary }, sent), { attempts: 1 }),
  'everything at once': () => decodeOAuthError(400, { error: all, error_description: all, error_uri: all }, sent),
  'system user': (canary) =>
    decodeOAuthError(400, { error: 'invalid_altinn_customer_configuration', error_description: canary }, sent),
  'without knowing what was sent': (canary) =>
    decodeOAuthError(400, { error: 'invalid_grant', error_description: canary }),
  'behind the length limit': (canary) =>
    decodeOAuthError(400, { error: 'invalid_grant', error_description: `${'x '.repeat(140)}${canary}` }, sent),
};
const sent = [assertion, ...assertion.split('.')];

const SINKS: Readonly<Record<string, (error: MaskinportenError) => string>> = {
  String: (error) => String(error),
  message: (error) => error.message,
  stack: (error) => error.stack ?? '',
  'deep inspect with hidden and getters': (error) =>
    inspect(error, { showHidden: true, getters: true, depth: null, customInspect: false }),
  JSON: (error) => JSON.stringify(error),
  'JSON of its own properties': (error) => JSON.stringify(Object.getOwnPropertyDescriptors(error)),
  structuredClone: (error) => inspect(structuredClone({ error: error.toJSON() }), { depth: null }),
  'util.format': (error) => format('%s %o %O %j', error, error, error, error),
  'diagnostic report': (error) => JSON.stringify(process.report.getReport(error)),
};

describe('T-01: no secret in an error, whatever the server writes and wherever the error goes', () => {
  it.each(Object.entries(FAILURES))('%s', (_, fail) => {
    for (const [what, canary] of Object.entries(CANARIES)) {
      const error = fail(canary);
      for (const [sink, print] of Object.entries(SINKS)) {
        const printed = print(error);
        expect([what, sink, printed.includes(canary.slice(0, 24))]).toEqual([what, sink, false]);
      }
    }
  });

  it('has canaries that are seen when nothing is cleaned', () => {
    const careless = new Error(all);
    for (const canary of Object.values(CANARIES)) expect(inspect(careless)).toContain(canary.slice(0, 24));
    expect(sanitiseText(all)).not.toBe(all);
  });
});
