import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import {
  examineMaskinportenEnvironment,
  MaskinportenEnvironmentError,
  readMaskinportenEnvironment,
  readProviderEnvironment,
  variableOf,
  type EnvironmentOptions,
  type Variables,
} from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'environment-'));
afterAll(() => rmSync(folder, { recursive: true }));
const mounted = (name: string, content: string): string => {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
};

const client = {
  MASKINPORTEN_ENVIRONMENT: 'test',
  MASKINPORTEN_CLIENT_ID: 'my-client',
  MASKINPORTEN_KID: 'my-kid',
};
const complete = { ...client, MASKINPORTEN_PRIVATE_KEY_FILE: '/run/secrets/key.pem' };
const optionsOf = (variables: Variables): EnvironmentOptions => readMaskinportenEnvironment(variables).options;

function refusal(variables: Variables): MaskinportenEnvironmentError {
  try {
    readMaskinportenEnvironment(variables);
  } catch (error) {
    if (error instanceof MaskinportenEnvironmentError) return error;
    throw error;
  }
  throw new Error('the environment was accepted');
}
const refused = (variables: Variables): string[] => refusal(variables).failures.map(({ field }) => field);

describe('readMaskinportenEnvironment', () => {
  it('gives a key that stands in a variable', () => {
    const given = {
      ...client,
      MASKINPORTEN_PRIVATE_KEY: 'pem',
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: ' x ',
      MASKINPORTEN_KEY_REGISTERED_AT: ' 2026-01-31 ',
    };
    expect(optionsOf(given)).toEqual({
      environment: 'test',
      clientId: 'my-client',
      key: { pem: 'pem', kid: 'my-kid', passphrase: ' x ', registeredAt: '2026-01-31' },
    });
  });

  it('gives the path of a key file, which the module reads', () => {
    const given = { ...complete, MASKINPORTEN_KID: '', MASKINPORTEN_CERTIFICATE_FILE: '/run/secrets/chain.pem' };
    expect(optionsOf(given).key).toEqual({ file: '/run/secrets/key.pem', certificateFile: '/run/secrets/chain.pem' });
    const relative = { ...complete, MASKINPORTEN_PRIVATE_KEY_FILE: 'key.pem' };
    const { options } = readMaskinportenEnvironment(relative, { path: (file) => `/here/${file}` });
    expect(options.key).toMatchObject({ file: '/here/key.pem' });
  });

  it('reads the certificates of a key that stands in a variable', () => {
    const chain = mounted('chain.pem', 'certificates');
    const given = { ...client, MASKINPORTEN_PRIVATE_KEY: 'pem', MASKINPORTEN_CERTIFICATE_FILE: chain };
    expect(optionsOf(given).key).toMatchObject({ certificateChain: 'certificates' });
    expect(refused({ ...given, MASKINPORTEN_CERTIFICATE_FILE: join(folder, 'missing.pem') })).toEqual([
      'MASKINPORTEN_CERTIFICATE_FILE',
    ]);
  });

  it('gives a PKCS#12 file with its own passphrase', () => {
    const given = {
      ...client,
      MASKINPORTEN_KID: '',
      MASKINPORTEN_PKCS12_FILE: '/run/secrets/key.p12',
      MASKINPORTEN_PKCS12_PASSPHRASE: 'x',
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: 'y',
    };
    expect(optionsOf(given).key).toEqual({ file: '/run/secrets/key.p12', passphrase: 'x' });
  });

  it('gives the system in Altinn and what opens the PDP, and where tokens may go', () => {
    const reading = readMaskinportenEnvironment({
      ...complete,
      MASKINPORTEN_DESTINATIONS: 'https://kb.example, ,https://other.example',
      ALTINN_SYSTEM_ID: '310000019_books',
      ALTINN_SUBSCRIPTION_KEY: 'secret',
    });
    expect(reading.options).toMatchObject({
      destinations: ['https://kb.example', 'https://other.example'],
      altinn: { systemId: '310000019_books', subscriptionKey: 'secret' },
    });
    expect(reading.platformUrl).toBe('https://platform.tt02.altinn.no');
    expect(reading.allDestinations).toEqual([
      'https://platform.tt02.altinn.no',
      'https://*.apps.tt02.altinn.no',
      'https://kb.example',
      'https://other.example',
    ]);
    expect(readMaskinportenEnvironment({ ...complete, ALTINN_PLATFORM_URL: 'https://p.example' }).platformUrl).toBe(
      'https://p.example',
    );
  });

  it('gives what NAIS injects: a JWK with its own kid, an issuer, and what those need who receive tokens', () => {
    const nais = {
      MASKINPORTEN_CLIENT_ID: 'my-client',
      MASKINPORTEN_CLIENT_JWK: '{"kty":"RSA"}',
      MASKINPORTEN_SCOPES: 'a:b',
      MASKINPORTEN_WELL_KNOWN_URL: 'https://maskinporten.no/.well-known/oauth-authorization-server',
      MASKINPORTEN_TOKEN_ENDPOINT: 'https://maskinporten.no/token',
      MASKINPORTEN_JWKS_URI: 'https://maskinporten.no/jwk',
    };
    const { options, provider } = readMaskinportenEnvironment(nais);
    expect(options).toEqual({
      environment: 'prod',
      issuer: 'https://maskinporten.no/',
      tokenEndpoint: 'https://maskinporten.no/token',
      clientId: 'my-client',
      key: { jwk: '{"kty":"RSA"}' },
    });
    const where = { environment: 'prod', issuer: 'https://maskinporten.no/', jwksUri: 'https://maskinporten.no/jwk' };
    expect(provider).toEqual(where);
    // A provider need not be a client.
    expect(readProviderEnvironment({ ...nais, MASKINPORTEN_CLIENT_ID: '', MASKINPORTEN_CLIENT_JWK: '' })).toEqual(
      where,
    );
    expect(() => readProviderEnvironment({})).toThrow(/^MASKINPORTEN_ENVIRONMENT is missing/);
    const other = { ...nais, MASKINPORTEN_ISSUER: 'https://test.maskinporten.no/' };
    expect(refused(other)).toEqual(['MASKINPORTEN_WELL_KNOWN_URL']);
    expect(optionsOf({ ...nais, MASKINPORTEN_ISSUER: 'https://maskinporten.no' }).issuer).toBe(
      'https://maskinporten.no',
    );
    expect(refused({ ...nais, MASKINPORTEN_WELL_KNOWN_URL: 'https://maskinporten.no/' })).toEqual([
      'MASKINPORTEN_WELL_KNOWN_URL',
    ]);
  });

  it('lists everything that is missing, in one error of the module, in two languages', () => {
    const error = refusal({});
    expect(error.failures.map(({ field }) => field)).toEqual([
      'MASKINPORTEN_ENVIRONMENT',
      'MASKINPORTEN_CLIENT_ID',
      'MASKINPORTEN_PRIVATE_KEY_FILE',
      'MASKINPORTEN_KID',
    ]);
    expect(error.problems.every(({ kind, reason }) => kind === 'missing' && reason.nb.startsWith('mangler'))).toBe(
      true,
    );
    expect(isMaskinportenError(error, 'MP_CONFIG')).toBe(true);
    expect(error.message).toMatch(/^MASKINPORTEN_ENVIRONMENT is missing.*; MASKINPORTEN_KID is missing/);
  });

  it('lists everything that is wrong, and repeats no value', () => {
    const canary = 'canary-4711';
    const error = refusal({
      ...complete,
      MASKINPORTEN_ENVIRONMENT: canary,
      MASKINPORTEN_WELL_KNOWN_URL: canary,
      MASKINPORTEN_ALLOW_INSECURE_HOSTS: canary,
      MASKINPORTEN_CLIENT_JWK: canary,
      MASKINPORTEN_PKCS12_PASSPHRASE: canary,
      MASKINPORTEN_KEY_REGISTERED_AT: canary,
      ALTINN_SUBSCRIPTION_KEY_FILE: `/nowhere/${canary}`,
      MASKINPORTEN_KIDD: canary,
      NODE_ENV: 'production',
    });
    expect(error.failures.map(({ field }) => field)).toEqual([
      'ALTINN_SUBSCRIPTION_KEY_FILE',
      'MASKINPORTEN_KIDD',
      'MASKINPORTEN_ENVIRONMENT',
      'MASKINPORTEN_WELL_KNOWN_URL',
      'MASKINPORTEN_ALLOW_INSECURE_HOSTS',
      'MASKINPORTEN_CLIENT_JWK',
      'MASKINPORTEN_KEY_REGISTERED_AT',
      'MASKINPORTEN_PKCS12_FILE',
    ]);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(canary);
    expect(error.message).toContain('did you mean MASKINPORTEN_KID?');
  });

  it('F-150: leaves alone what is no misspelling of a setting: other names, service links, variables of the command', () => {
    const others = {
      MASKINPORTEN_WORKERS_ENABLED: 'x',
      MASKINPORTEN_PORT: 'tcp://10.0.0.1:80',
      MASKINPORTEN_ADMIN_CLIENT_ID: 'x',
    };
    expect(optionsOf({ ...complete, ...others }).clientId).toBe('my-client');
    expect(
      readMaskinportenEnvironment({ ...complete, MASKINPORTEN_KIDS: 'x' }, { own: ['MASKINPORTEN_KIDS'] }),
    ).toMatchObject({ options: { key: { kid: 'my-kid' } } });
  });

  it('F-148: takes every secret from a mounted file too', () => {
    const given = {
      ...complete,
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE_FILE: mounted('passphrase', ' canary \n'),
      ALTINN_SUBSCRIPTION_KEY_FILE: mounted('subscription', 'canary-key\r\n'),
    };
    expect(optionsOf(given)).toMatchObject({
      key: { passphrase: ' canary ' },
      altinn: { subscriptionKey: 'canary-key' },
    });
    const jwk = { ...client, MASKINPORTEN_CLIENT_JWK_FILE: '/run/secrets/jwk' };
    expect(optionsOf(jwk).key).toEqual({ file: '/run/secrets/jwk', kid: 'my-kid' });
    expect(refused({ ...given, ALTINN_SUBSCRIPTION_KEY: 'x' })).toEqual(['ALTINN_SUBSCRIPTION_KEY_FILE']);
  });

  it.each(['2026-01-31', '2026-01-31T12:00Z', '2026-01-31T12:00:00.5+01:00'])('takes the date %s', (date) => {
    expect(optionsOf({ ...complete, MASKINPORTEN_KEY_REGISTERED_AT: date }).key).toMatchObject({ registeredAt: date });
  });

  it.each(['2026-02-31', '2026-13-01', '31.01.2026', '2026', '1767225600'])('refuses the date %s', (date) => {
    expect(refused({ ...complete, MASKINPORTEN_KEY_REGISTERED_AT: date })).toEqual(['MASKINPORTEN_KEY_REGISTERED_AT']);
  });

  it('reads own members only', () => {
    const inherited = Object.assign(Object.create({ MASKINPORTEN_KID: 'inherited' }) as object, complete);
    Reflect.deleteProperty(inherited, 'MASKINPORTEN_KID');
    expect(optionsOf(inherited as Variables).key).toEqual({ file: '/run/secrets/key.pem' });
  });
});

describe('examineMaskinportenEnvironment', () => {
  it('gives what could be read beside what is wrong', () => {
    const { options, problems } = examineMaskinportenEnvironment({ ALTINN_SYSTEM_ID: 's', MASKINPORTEN_KID: 'k' });
    expect(options).toEqual({ altinn: { systemId: 's' } });
    expect(problems.map(({ variable }) => variable)).toEqual([
      'MASKINPORTEN_ENVIRONMENT',
      'MASKINPORTEN_CLIENT_ID',
      'MASKINPORTEN_PRIVATE_KEY_FILE',
    ]);
  });
});

describe('variableOf', () => {
  it.each<[option: string, set: Variables, variable: string | undefined]>([
    ['issuer', {}, 'MASKINPORTEN_ISSUER'],
    ['destinations[1].origin', {}, 'MASKINPORTEN_DESTINATIONS'],
    ['http.allowInsecureHosts[0]', {}, 'MASKINPORTEN_ALLOW_INSECURE_HOSTS'],
    ['key', {}, 'MASKINPORTEN_PRIVATE_KEY_FILE'],
    ['key.file', { MASKINPORTEN_PKCS12_FILE: 'x' }, 'MASKINPORTEN_PKCS12_FILE'],
    ['key.passphrase', {}, 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE'],
    [
      'key.passphrase',
      { MASKINPORTEN_PKCS12_FILE: 'x', MASKINPORTEN_PKCS12_PASSPHRASE_FILE: 'y' },
      'MASKINPORTEN_PKCS12_PASSPHRASE_FILE',
    ],
    ['tokens.store', {}, undefined],
  ])('%s comes from the variable that is set', (option, set, variable) => {
    expect(variableOf(option, set)).toBe(variable);
    expect(readMaskinportenEnvironment({ ...complete }).variableOf('clientId')).toBe('MASKINPORTEN_CLIENT_ID');
  });
});
