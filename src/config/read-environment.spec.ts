import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { EnvironmentError } from './environment-error.js';
import { isDemo } from './environment.js';
import { readEnvironment, type Variables } from './read-environment.js';

const complete = {
  MASKINPORTEN_ENVIRONMENT: 'test',
  MASKINPORTEN_CLIENT_ID: 'my-client',
  MASKINPORTEN_KID: 'my-kid',
  MASKINPORTEN_PRIVATE_KEY_FILE: '/run/secrets/key.pem',
};

function refusal(variables: Variables): EnvironmentError {
  try {
    readEnvironment(variables);
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error('the environment was accepted');
}

const refused = (variables: Variables): string[] => refusal(variables).failures.map(({ variable }) => variable);

describe('readEnvironment', () => {
  it('has defaults for everything in demo mode', () => {
    const environment = readEnvironment({ PATH: '/usr/bin', HOME: '/root' });
    expect(environment).toMatchObject({ PORT: 3000, LOG_LEVEL: 'log' });
    expect(isDemo(environment)).toBe(true);
  });

  it('keeps nothing that is not a setting', () => {
    expect(inspect(readEnvironment({ ...complete, AWS_SECRET_ACCESS_KEY: 'canary' }))).not.toContain('canary');
  });

  it('takes empty variables for unset ones', () => {
    const empty = { MASKINPORTEN_CLIENT_ID: '', MASKINPORTEN_PRIVATE_KEY: '', PORT: '', LOG_LEVEL: ' ' };
    const environment = readEnvironment(empty);
    expect(isDemo(environment)).toBe(true);
    expect(environment).toMatchObject({ PORT: 3000, LOG_LEVEL: 'log' });
    expect(refused({ ...complete, MASKINPORTEN_CLIENT_ID: ' ' })).toEqual(['MASKINPORTEN_CLIENT_ID']);
  });

  it('refuses demo mode in production', () => {
    expect(refusal({ NODE_ENV: 'production' }).message).toMatch(/demo mode/);
    expect(readEnvironment({ ...complete, NODE_ENV: 'production' }).NODE_ENV).toBe('production');
  });

  it('lists everything that a partial configuration lacks', () => {
    expect(refused({ MASKINPORTEN_CLIENT_ID: 'my-client' })).toEqual([
      'MASKINPORTEN_ENVIRONMENT',
      'MASKINPORTEN_PRIVATE_KEY_FILE',
      'MASKINPORTEN_KID',
    ]);
    expect(refused({ MASKINPORTEN_ENVIRONMENT: 'test' })).toEqual([
      'MASKINPORTEN_CLIENT_ID',
      'MASKINPORTEN_PRIVATE_KEY_FILE',
      'MASKINPORTEN_KID',
    ]);
    expect(
      refused({ ...complete, MASKINPORTEN_ENVIRONMENT: undefined, MASKINPORTEN_ISSUER: 'https://issuer.example/' }),
    )
      // An issuer of one's own has no Altinn platform.
      .toEqual(['BROKER_URL']);
  });

  it('lists everything that is wrong in one error', () => {
    expect(
      refused({
        ...complete,
        PORT: '70000',
        LOG_LEVEL: 'loud',
        MASKINPORTEN_ENVIRONMENT: 'staging',
        MASKINPORTEN_KEY_REGISTERED_AT: 'last spring',
        BROKER_URL: 'platform.altinn.no',
      }),
    ).toEqual(['PORT', 'LOG_LEVEL', 'MASKINPORTEN_ENVIRONMENT', 'MASKINPORTEN_KEY_REGISTERED_AT', 'BROKER_URL']);
  });

  it.each(['3000.5', '-1', '0x10', '3000 ; rm', '65536'])('refuses the port %s', (PORT) => {
    expect(refused({ PORT })).toEqual(['PORT']);
  });

  it('asks whether a mistyped name was meant for a real one', () => {
    const { failures } = refusal({ ...complete, MASKINPORTEN_KID: undefined, MASKINPORTEN_KIDD: 'my-kid' });
    expect(failures).toContainEqual({
      variable: 'MASKINPORTEN_KIDD',
      reason: 'is not a setting; did you mean MASKINPORTEN_KID?',
    });
    expect(refused({ ...complete, MASKINPORTEN_SOMETHING_ELSE_ENTIRELY: 'x' })).toEqual([
      'MASKINPORTEN_SOMETHING_ELSE_ENTIRELY',
    ]);
  });

  it('does not fall into demo mode because of a mistyped name', () => {
    expect(refused({ MASKINPORTEN_CLIENTID: 'my-client' })).toEqual([
      'MASKINPORTEN_CLIENTID',
      'MASKINPORTEN_ENVIRONMENT',
      'MASKINPORTEN_CLIENT_ID',
      'MASKINPORTEN_PRIVATE_KEY_FILE',
      'MASKINPORTEN_KID',
    ]);
  });

  it('wants one key, not two', () => {
    expect(refused({ ...complete, MASKINPORTEN_CLIENT_JWK: '{}' })).toEqual(['MASKINPORTEN_CLIENT_JWK']);
  });

  it('refuses PKCS#12 with the way out', () => {
    const { failures } = refusal({
      ...complete,
      MASKINPORTEN_PRIVATE_KEY_FILE: '',
      MASKINPORTEN_PKCS12_FILE: '/key.p12',
    });
    expect(failures).toEqual([
      { variable: 'MASKINPORTEN_PKCS12_FILE', reason: expect.stringContaining('openssl pkcs12') },
    ]);
  });

  it('understands what NAIS injects', () => {
    const nais = {
      MASKINPORTEN_CLIENT_ID: 'my-client',
      MASKINPORTEN_CLIENT_JWK: '{"kty":"RSA"}',
      MASKINPORTEN_SCOPES: 'altinn:broker.read',
      MASKINPORTEN_WELL_KNOWN_URL: 'https://test.maskinporten.no/.well-known/oauth-authorization-server',
      MASKINPORTEN_ISSUER: 'https://test.maskinporten.no/',
      MASKINPORTEN_TOKEN_ENDPOINT: 'https://test.maskinporten.no/token',
      MASKINPORTEN_JWKS_URI: 'https://test.maskinporten.no/jwk',
      NODE_ENV: 'production',
    };
    expect(readEnvironment(nais).MASKINPORTEN_ISSUER).toBe(nais.MASKINPORTEN_ISSUER);
    expect(isDemo(readEnvironment({ ...nais, MASKINPORTEN_ISSUER: '' }))).toBe(false);
    expect(refused({ ...nais, MASKINPORTEN_ISSUER: 'https://maskinporten.no/' })).toEqual([
      'MASKINPORTEN_WELL_KNOWN_URL',
    ]);
    expect(
      refused({ ...nais, MASKINPORTEN_ISSUER: '', MASKINPORTEN_WELL_KNOWN_URL: 'https://test.maskinporten.no/' }),
    ).toContain('MASKINPORTEN_WELL_KNOWN_URL');
  });

  it('refuses a Broker address to which no token would be sent', () => {
    const elsewhere = { ...complete, BROKER_URL: 'https://broker.example/api' };
    expect(refused(elsewhere)).toEqual(['MASKINPORTEN_DESTINATIONS']);
    expect(
      readEnvironment({ ...elsewhere, MASKINPORTEN_DESTINATIONS: 'https://a.example, https://broker.example' }),
    ).toMatchObject({
      MASKINPORTEN_DESTINATIONS: ['https://a.example', 'https://broker.example'],
    });
    expect(refused({ ...complete, ALTINN_PLATFORM_URL: 'https://platform.example' })).toEqual([
      'MASKINPORTEN_DESTINATIONS',
    ]);
  });

  it('T-10: repeats no value in its refusals', () => {
    const canary = 'canary-4711';
    const error = refusal({
      PORT: canary,
      LOG_LEVEL: canary,
      MASKINPORTEN_ENVIRONMENT: canary,
      MASKINPORTEN_KEY_REGISTERED_AT: canary,
      MASKINPORTEN_WELL_KNOWN_URL: canary,
      MASKINPORTEN_PRIVATE_KEY: canary,
      MASKINPORTEN_CLIENT_JWK: canary,
      MASKINPORTEN_PKCS12_PASSPHRASE: canary,
      MASKINPORTEN_UNKNOWN: canary,
      BROKER_URL: canary,
    });
    expect(error.failures.length).toBeGreaterThan(7);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error.failures)}`).not.toContain(canary);
  });

  it('T-06: shows no secret when the settings are inspected or serialised', () => {
    const environment = readEnvironment({
      ...complete,
      MASKINPORTEN_PRIVATE_KEY_FILE: '',
      MASKINPORTEN_PRIVATE_KEY: 'canary-key',
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: ' canary-passphrase ',
    });
    const shown = `${inspect(environment, { showHidden: true, depth: 9 })} ${JSON.stringify(environment)} ${String(environment.MASKINPORTEN_PRIVATE_KEY)}`;
    expect(shown).not.toContain('canary');
    // White space may belong to a passphrase.
    expect(environment.MASKINPORTEN_PRIVATE_KEY_PASSPHRASE?.reveal()).toBe(' canary-passphrase ');
  });
});
