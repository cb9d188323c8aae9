import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { MaskinportenOptions } from 'nestjs-maskinporten';
import type { Variables } from 'nestjs-maskinporten/environment';
import { actsForCustomers, brokerUrl, EnvironmentError, isDemo } from './environment.js';
import { maskinportenOptions, settingFailure } from './maskinporten.config.js';
import { readEnvironment } from './read-environment.js';

const apiKeys = JSON.stringify([{ name: 'acme', sha256: 'a'.repeat(64), organisations: ['310000027'] }]);
const complete = {
  API_KEYS: apiKeys,
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

const optionsOf = (variables: Variables): MaskinportenOptions => maskinportenOptions(readEnvironment(variables));

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
      'API_KEYS_FILE',
    ]);
    expect(refused({ MASKINPORTEN_ENVIRONMENT: 'test' })).toEqual([
      'MASKINPORTEN_CLIENT_ID',
      'MASKINPORTEN_PRIVATE_KEY_FILE',
      'MASKINPORTEN_KID',
      'API_KEYS_FILE',
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
      'API_KEYS_FILE',
    ]);
  });

  it('wants one key, not two', () => {
    expect(refused({ ...complete, MASKINPORTEN_CLIENT_JWK: '{}' })).toEqual(['MASKINPORTEN_CLIENT_JWK']);
  });

  it('takes a PKCS#12 file as the one key', () => {
    const pkcs12 = { ...complete, MASKINPORTEN_PRIVATE_KEY_FILE: '', MASKINPORTEN_KID: '' };
    const given = { ...pkcs12, MASKINPORTEN_PKCS12_FILE: '/key.p12', MASKINPORTEN_PKCS12_PASSPHRASE: ' canary ' };
    const environment = readEnvironment(given);
    expect(maskinportenOptions(environment).key).toEqual({ file: '/key.p12', passphrase: ' canary ' });
    expect(inspect(environment)).not.toContain('canary');
    expect(refused({ ...complete, MASKINPORTEN_PKCS12_FILE: '/key.p12' })).toEqual(['MASKINPORTEN_PKCS12_FILE']);
    expect(refused({ ...complete, MASKINPORTEN_PKCS12_PASSPHRASE: 'x' })).toEqual(['MASKINPORTEN_PKCS12_FILE']);
  });

  it('wants to know its callers, from one place', () => {
    expect(refused({ ...complete, API_KEYS: '' })).toEqual(['API_KEYS_FILE']);
    expect(refused({ ...complete, API_KEYS_FILE: '/keys.json' })).toEqual(['API_KEYS_FILE']);
    expect(readEnvironment({ ...complete, API_KEYS: '', API_KEYS_FILE: '/keys.json' }).API_KEYS_FILE).toBe(
      '/keys.json',
    );
    const { failures } = refusal({ ...complete, API_KEYS: '[{"name":"acme","organisations":["canary"]}]' });
    expect(failures).toEqual([
      { variable: 'API_KEYS', reason: expect.stringMatching(/^\(entry 1\) sha256 .*; \(entry 1\) organisations /) },
    ]);
    expect(JSON.stringify(failures)).not.toContain('canary');
    expect(refused({ API_KEYS: 'canary' })).toEqual(['API_KEYS']);
  });

  it('acts for customers with a complete set of settings only', () => {
    const altinn = {
      ...complete,
      ALTINN_SYSTEM_ID: '310000019_books',
      ALTINN_SUBSCRIPTION_KEY: 'canary',
      KRAV_OG_BETALINGER_URL: 'https://kb.example/v1',
      ALTINN_APP_URL: 'https://ttd.apps.tt02.altinn.no/ttd/returns',
      MASKINPORTEN_DESTINATIONS: 'https://kb.example',
    };
    expect(actsForCustomers(readEnvironment(altinn))).toBe(true);
    expect(inspect(readEnvironment(altinn))).not.toContain('canary');
    expect(actsForCustomers(readEnvironment(complete))).toBe(false);
    expect(refused({ ...complete, ALTINN_SYSTEM_ID: '310000019_books' })).toEqual([
      'ALTINN_SUBSCRIPTION_KEY',
      'KRAV_OG_BETALINGER_URL',
      'ALTINN_APP_URL',
    ]);
    expect(refused({ ...altinn, ALTINN_SYSTEM_ID: '' })).toEqual(['ALTINN_SYSTEM_ID']);
    // The right would be asked for one app, and another would be called.
    expect(refused({ ...altinn, ALTINN_APP_URL: 'https://ttd.apps.tt02.altinn.no/ttd/other' })).toEqual([
      'ALTINN_APP_URL',
    ]);
    expect(refused({ ...altinn, ALTINN_APP_URL: 'https://ttd.apps.altinn.no/ttd/returns' })).toEqual([
      'MASKINPORTEN_DESTINATIONS',
    ]);
    const { failures } = refusal({ ...altinn, MASKINPORTEN_DESTINATIONS: '', BROKER_URL: 'https://broker.example' });
    expect(failures).toEqual([
      {
        variable: 'MASKINPORTEN_DESTINATIONS',
        reason: expect.stringMatching(
          /https:\/\/broker\.example, https:\/\/kb\.example.*BROKER_URL, KRAV_OG_BETALINGER_URL/,
        ),
      },
    ]);
  });

  it('understands what NAIS injects', () => {
    const nais = {
      API_KEYS: apiKeys,
      MASKINPORTEN_CLIENT_ID: 'my-client',
      MASKINPORTEN_CLIENT_JWK: '{"kty":"RSA"}',
      MASKINPORTEN_SCOPES: 'altinn:broker.read',
      MASKINPORTEN_WELL_KNOWN_URL: 'https://test.maskinporten.no/.well-known/oauth-authorization-server',
      MASKINPORTEN_ISSUER: 'https://test.maskinporten.no/',
      MASKINPORTEN_TOKEN_ENDPOINT: 'https://test.maskinporten.no/token',
      MASKINPORTEN_JWKS_URI: 'https://test.maskinporten.no/jwk',
      NODE_ENV: 'production',
    };
    expect(optionsOf(nais).issuer).toBe(nais.MASKINPORTEN_ISSUER);
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
      optionsOf({ ...elsewhere, MASKINPORTEN_DESTINATIONS: 'https://a.example, https://broker.example' }).destinations,
    ).toEqual(['https://a.example', 'https://broker.example']);
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
      API_KEYS: canary,
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
    const shown = `${inspect(environment, { showHidden: true, depth: 9 })} ${JSON.stringify(environment)} ${String(environment.maskinporten)}`;
    expect(shown).not.toContain('canary');
    // White space may belong to a passphrase.
    expect(maskinportenOptions(environment).key).toMatchObject({ passphrase: ' canary-passphrase ' });
  });
});

describe('F-150: variables that are not mistakes', () => {
  // What Kubernetes gives every pod of the namespace for Services called `maskinporten` and `maskinporten-simulator`.
  const serviceLinks = {
    MASKINPORTEN_SERVICE_HOST: '10.0.0.1',
    MASKINPORTEN_SERVICE_PORT: '80',
    MASKINPORTEN_SERVICE_PORT_HTTP: '80',
    MASKINPORTEN_PORT: 'tcp://10.0.0.1:80',
    MASKINPORTEN_PORT_80_TCP: 'tcp://10.0.0.1:80',
    MASKINPORTEN_PORT_80_TCP_PROTO: 'tcp',
    MASKINPORTEN_PORT_80_TCP_PORT: '80',
    MASKINPORTEN_PORT_80_TCP_ADDR: '10.0.0.1',
    MASKINPORTEN_SIMULATOR_SERVICE_HOST: 'fd00::1',
    MASKINPORTEN_SIMULATOR_PORT: 'tcp://[fd00::1]:8480',
    MASKINPORTEN_SIMULATOR_PORT_53_UDP: 'udp://[fd00::1]:53',
  };

  it('links to Services called maskinporten… are no settings: not of a service, not of a demo', () => {
    expect(optionsOf({ ...complete, ...serviceLinks }).key).toMatchObject({ kid: 'my-kid' });
    expect(isDemo(readEnvironment(serviceLinks))).toBe(true);
  });

  it('a port that is only a number is a mistake all the same', () => {
    expect(refused({ ...complete, MASKINPORTEN_PORT: '8080' })).toEqual(['MASKINPORTEN_PORT']);
    expect(refused({ ...complete, MASKINPORTEN_PORTS: 'tcp://10.0.0.1:80' })).toEqual(['MASKINPORTEN_PORTS']);
  });

  it('variables of the command may stand in the same .env', () => {
    const command = {
      MASKINPORTEN_ADMIN_CLIENT_ID: 'admin',
      MASKINPORTEN_ADMIN_PKCS12_FILE: '/admin.p12',
      MASKINPORTEN_ADMIN_PKCS12_PASSPHRASE: 'secret',
      MASKINPORTEN_SELF_SERVICE_URL: 'http://127.0.0.1:1',
      MASKINPORTEN_NEW_KEY_PASSPHRASE: 'secret',
    };
    expect(optionsOf({ ...complete, ...command }).clientId).toBe('my-client');
    expect(refused({ ...complete, MASKINPORTEN_ADMIN_CLIENTID: 'x' })).toEqual(['MASKINPORTEN_ADMIN_CLIENTID']);
    // Somebody has configured Maskinporten, so what is missing is said instead of a demo.
    expect(refused(command)).toContain('MASKINPORTEN_CLIENT_ID');
    expect(isDemo(readEnvironment({ MASKINPORTEN_ADMIN_CLIENT_ID: ' ' }))).toBe(true);
  });
});

describe('secrets in mounted files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'template-secrets-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const mounted = (content: string): string => {
    const file = join(folder, 'secret');
    writeFileSync(file, content);
    return file;
  };
  const pkcs12 = { ...complete, MASKINPORTEN_PRIVATE_KEY_FILE: '', MASKINPORTEN_PKCS12_FILE: '/key.p12' };

  it.each(['\n', '\r\n', ''])('F-148: a passphrase ends before its line break (%j)', (lineBreak) => {
    const environment = readEnvironment({
      ...pkcs12,
      MASKINPORTEN_PKCS12_PASSPHRASE_FILE: mounted(` canary ${lineBreak}`),
    });
    expect(maskinportenOptions(environment).key).toMatchObject({ passphrase: ' canary ' });
    expect(inspect(environment)).not.toContain('canary');
  });

  it('there is one for each secret of the client', () => {
    const secrets = ['MASKINPORTEN_PRIVATE_KEY_PASSPHRASE', 'ALTINN_SUBSCRIPTION_KEY'] as const;
    for (const name of secrets) {
      const given = { ...complete, [`${name}_FILE`]: mounted('canary\n') };
      const { key, altinn } = optionsOf(
        name === 'ALTINN_SUBSCRIPTION_KEY'
          ? {
              ...given,
              ALTINN_SYSTEM_ID: '310000019_books',
              KRAV_OG_BETALINGER_URL: 'https://kb.example/v1',
              ALTINN_APP_URL: 'https://ttd.apps.tt02.altinn.no/ttd/returns',
              MASKINPORTEN_DESTINATIONS: 'https://kb.example',
            }
          : given,
      );
      expect(altinn?.subscriptionKey ?? ('passphrase' in key && key.passphrase)).toBe('canary');
    }
    const jwk = { ...complete, MASKINPORTEN_PRIVATE_KEY_FILE: '', MASKINPORTEN_CLIENT_JWK_FILE: '/run/secrets/jwk' };
    expect(optionsOf(jwk).key).toMatchObject({ file: '/run/secrets/jwk' });
    expect(refused({ ...complete, MASKINPORTEN_CLIENT_JWK_FILE: '/run/secrets/jwk' })).toEqual([
      'MASKINPORTEN_CLIENT_JWK_FILE',
    ]);
  });

  it('says which file is wrong, and repeats neither its name nor its content', () => {
    const nowhere = { ...pkcs12, MASKINPORTEN_PKCS12_PASSPHRASE_FILE: '/nowhere/canary' };
    expect(refusal(nowhere).failures).toEqual([
      { variable: 'MASKINPORTEN_PKCS12_PASSPHRASE_FILE', reason: 'names a file that cannot be read' },
    ]);
    expect(refused({ ...pkcs12, MASKINPORTEN_PKCS12_PASSPHRASE_FILE: folder })).toHaveLength(1);
    expect(refused({ ...pkcs12, MASKINPORTEN_PKCS12_PASSPHRASE_FILE: mounted('\n') })).toHaveLength(1);
    const twice = { ...pkcs12, MASKINPORTEN_PKCS12_PASSPHRASE: 'x', MASKINPORTEN_PKCS12_PASSPHRASE_FILE: mounted('y') };
    expect(refused(twice)).toEqual(['MASKINPORTEN_PKCS12_PASSPHRASE_FILE']);
    const altinn = {
      ...complete,
      ALTINN_SYSTEM_ID: '310000019_books',
      ALTINN_SUBSCRIPTION_KEY_FILE: '/nowhere',
      KRAV_OG_BETALINGER_URL: 'https://kb.example/v1',
      ALTINN_APP_URL: 'https://ttd.apps.tt02.altinn.no/ttd/returns',
      MASKINPORTEN_DESTINATIONS: 'https://kb.example',
    };
    expect(refused(altinn)).toEqual(['ALTINN_SUBSCRIPTION_KEY_FILE']);
  });
});

describe('hosts that may be spoken to over http', () => {
  const development = {
    ...complete,
    MASKINPORTEN_ENVIRONMENT: '',
    MASKINPORTEN_ISSUER: 'http://simulator:8480/',
    MASKINPORTEN_ALLOW_INSECURE_HOSTS: 'simulator, host.docker.internal',
    ALTINN_PLATFORM_URL: 'http://simulator:8480',
    MASKINPORTEN_DESTINATIONS: 'http://simulator:8480',
  };

  it('become the option of the module', () => {
    expect(optionsOf(development)).toMatchObject({
      http: { allowInsecureHosts: ['simulator', 'host.docker.internal'] },
    });
  });

  it('are refused in production', () => {
    expect(refused({ ...development, NODE_ENV: 'production' })).toEqual(['MASKINPORTEN_ALLOW_INSECURE_HOSTS']);
  });
});

const real: Record<string, string> = {
  DATABASE_URL: 'postgresql://service:canary@db.example/audit',
  DATABASE_URL_FILE: '/run/secrets/url',
  DATABASE_MIGRATION_URL: 'postgresql://owner:canary@db.example/audit',
  DATABASE_MIGRATION_URL_FILE: '/run/secrets/owner',
  REDIS_URL: 'redis://:canary@cache.example',
  REDIS_URL_FILE: '/run/secrets/redis',
  API_KEYS: apiKeys,
  API_KEYS_FILE: '/run/secrets/keys.json',
  AUDIT_CHECKPOINT_KEY_FILE: '/run/secrets/key.pem',
};

describe('demo mode', () => {
  it.each(Object.keys(real))('F-158: is refused with %s, which is named, with what to do', (name) => {
    const { failures, message } = refusal({ [name]: real[name] ?? '' });
    expect(failures.map(({ variable }) => variable)).toEqual([name]);
    expect(failures[0]?.reason).toMatch(/no MASKINPORTEN_\* variable is.*Set the MASKINPORTEN_\* variables, or remove/);
    expect(message).not.toContain('canary');
  });

  it('F-158: lists all of them at once, and production besides', () => {
    const both = {
      API_KEYS_FILE: '/a',
      AUDIT_CHECKPOINT_KEY_FILE: '/b',
      REDIS_URL: 'redis://x',
      NODE_ENV: 'production',
    };
    expect(
      refusal(both)
        .failures.map(({ variable }) => variable)
        .toSorted(),
    ).toEqual(['API_KEYS_FILE', 'AUDIT_CHECKPOINT_KEY_FILE', 'NODE_ENV', 'REDIS_URL']);
  });

  it('F-158: an empty one counts as unset, and a service that is configured has them', () => {
    expect(() => readEnvironment({ DATABASE_URL: '', API_KEYS: ' ', REDIS_URL: '' })).not.toThrow();
    const { API_KEYS_FILE: _file, DATABASE_URL_FILE: _url, DATABASE_MIGRATION_URL_FILE: _owner, ...some } = real;
    expect(() => readEnvironment({ ...complete, ...some })).not.toThrow();
  });
});

describe('what the settings mean', () => {
  it('keeps a configured issuer as it is', () => {
    const MASKINPORTEN_ISSUER = 'https://issuer.example/no-slash';
    const options = optionsOf({
      ...complete,
      MASKINPORTEN_ENVIRONMENT: '',
      MASKINPORTEN_ISSUER,
      MASKINPORTEN_DESTINATIONS: 'https://api.example',
      BROKER_URL: 'https://api.example/broker',
    });
    expect(options.issuer).toBe(MASKINPORTEN_ISSUER);
    expect(options.environment).toBeUndefined();
  });

  it('knows the environment of an issuer that NAIS gives', () => {
    const nais = { ...complete, MASKINPORTEN_ENVIRONMENT: '', MASKINPORTEN_ISSUER: 'https://maskinporten.no/' };
    const environment = readEnvironment(nais);
    expect(maskinportenOptions(environment).environment).toBe('prod');
    expect(brokerUrl(environment)).toBe('https://platform.altinn.no/broker/api/v1');
  });

  it('takes the Broker API from the platform of the environment', () => {
    const environment = readEnvironment(complete);
    expect(maskinportenOptions(environment).issuer).toBeUndefined();
    expect(brokerUrl(environment)).toBe('https://platform.tt02.altinn.no/broker/api/v1');
  });

  it('says a failure of the module by the name of the variable that is set', () => {
    const failure = { field: 'destinations[1].origin', code: 'MP_CONFIG', reason: 'is wrong' } as const;
    const environment = readEnvironment(complete);
    expect(settingFailure(failure, environment)).toEqual({
      variable: 'MASKINPORTEN_DESTINATIONS',
      reason: '(entry 2) is wrong',
    });
    const key = { field: 'key', code: 'MP_CONFIG', reason: 'is wrong' } as const;
    expect(settingFailure(key, environment).variable).toBe('MASKINPORTEN_PRIVATE_KEY_FILE');
    expect(settingFailure({ ...key, field: 'else' }).variable).toBe('else');
  });
});
