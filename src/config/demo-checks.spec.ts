import { describe, expect, it } from '@jest/globals';
import { EnvironmentError } from './environment-error.js';
import { readEnvironment } from './read-environment.js';

const apiKeys = JSON.stringify([{ name: 'acme', sha256: 'a'.repeat(64), organisations: ['310000027'] }]);
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

function refusal(variables: Record<string, string>): EnvironmentError {
  try {
    readEnvironment(variables);
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  throw new Error('the environment was accepted');
}

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
    const complete = {
      MASKINPORTEN_ENVIRONMENT: 'test',
      MASKINPORTEN_CLIENT_ID: 'my-client',
      MASKINPORTEN_KID: 'my-kid',
      MASKINPORTEN_PRIVATE_KEY_FILE: '/run/secrets/key.pem',
    };
    const { API_KEYS_FILE: _file, DATABASE_URL_FILE: _url, DATABASE_MIGRATION_URL_FILE: _owner, ...some } = real;
    expect(() => readEnvironment({ ...complete, ...some })).not.toThrow();
  });
});
