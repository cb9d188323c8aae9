import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { rsaKeyPair } from '../../test/support/pool.js';
import { EnvironmentError } from './environment-error.js';
import { maskinportenOptions } from './maskinporten.config.js';
import { readEnvironment } from './read-environment.js';

const folder = mkdtempSync(join(tmpdir(), 'template-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const pem = rsaKeyPair().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const client = {
  API_KEYS_FILE: '/keys.json',
  MASKINPORTEN_ENVIRONMENT: 'test',
  MASKINPORTEN_CLIENT_ID: 'my-client',
  MASKINPORTEN_KID: 'my-kid',
};

describe('maskinportenOptions', () => {
  it('gives a key that stands in a variable', async () => {
    const environment = readEnvironment({
      ...client,
      MASKINPORTEN_PRIVATE_KEY: pem,
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: 'x',
      MASKINPORTEN_KEY_REGISTERED_AT: '2026-01-31',
    });
    expect(await maskinportenOptions(environment)).toEqual({
      environment: 'test',
      clientId: 'my-client',
      key: { pem, kid: 'my-kid', passphrase: 'x', registeredAt: '2026-01-31' },
    });
  });

  it('gives the path of a key file, which the module reads', async () => {
    const environment = readEnvironment({
      ...client,
      MASKINPORTEN_KID: '',
      MASKINPORTEN_PRIVATE_KEY_FILE: '/run/secrets/key.pem',
      MASKINPORTEN_CERTIFICATE_FILE: '/run/secrets/chain.pem',
    });
    const { key } = await maskinportenOptions(environment);
    expect(key).toEqual({ file: '/run/secrets/key.pem', certificateFile: '/run/secrets/chain.pem' });
  });

  it('reads the certificates of a key that stands in a variable', async () => {
    const chain = join(folder, 'chain.pem');
    writeFileSync(chain, 'certificates');
    const variables = { ...client, MASKINPORTEN_PRIVATE_KEY: pem, MASKINPORTEN_CERTIFICATE_FILE: chain };
    expect((await maskinportenOptions(readEnvironment(variables))).key).toMatchObject({
      certificateChain: 'certificates',
    });
    const missing = readEnvironment({ ...variables, MASKINPORTEN_CERTIFICATE_FILE: join(folder, 'missing.pem') });
    await expect(maskinportenOptions(missing)).rejects.toBeInstanceOf(EnvironmentError);
  });

  it('gives a PKCS#12 file with its own passphrase', async () => {
    const environment = readEnvironment({
      ...client,
      MASKINPORTEN_KID: '',
      MASKINPORTEN_PKCS12_FILE: '/run/secrets/key.p12',
      MASKINPORTEN_PKCS12_PASSPHRASE: 'x',
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: 'y',
    });
    expect((await maskinportenOptions(environment)).key).toEqual({ file: '/run/secrets/key.p12', passphrase: 'x' });
  });

  it('gives the system in Altinn and what opens the PDP', async () => {
    const environment = readEnvironment({
      ...client,
      MASKINPORTEN_PRIVATE_KEY: pem,
      MASKINPORTEN_DESTINATIONS: 'https://kb.example',
      ALTINN_SYSTEM_ID: '310000019_books',
      ALTINN_SUBSCRIPTION_KEY: 'secret',
      KRAV_OG_BETALINGER_URL: 'https://kb.example/v1',
      ALTINN_APP_URL: 'https://ttd.apps.tt02.altinn.no/ttd/returns',
    });
    expect((await maskinportenOptions(environment)).altinn).toEqual({
      systemId: '310000019_books',
      subscriptionKey: 'secret',
    });
  });

  it('gives the JWK that NAIS injects, whose kid is its own', async () => {
    const environment = readEnvironment({
      API_KEYS_FILE: '/keys.json',
      MASKINPORTEN_CLIENT_ID: 'my-client',
      MASKINPORTEN_CLIENT_JWK: '{"kty":"RSA"}',
      MASKINPORTEN_WELL_KNOWN_URL: 'https://maskinporten.no/.well-known/oauth-authorization-server',
      MASKINPORTEN_TOKEN_ENDPOINT: 'https://maskinporten.no/token',
    });
    expect(await maskinportenOptions(environment)).toEqual({
      environment: 'prod',
      issuer: 'https://maskinporten.no/',
      tokenEndpoint: 'https://maskinporten.no/token',
      clientId: 'my-client',
      key: { jwk: '{"kty":"RSA"}' },
    });
  });
});
