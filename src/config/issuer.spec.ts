import { describe, expect, it } from '@jest/globals';
import { brokerUrl, environmentName, issuerOf } from './issuer.js';
import { readEnvironment } from './read-environment.js';

describe('what the settings mean', () => {
  const key = {
    API_KEYS_FILE: '/keys.json',
    MASKINPORTEN_CLIENT_ID: 'c',
    MASKINPORTEN_KID: 'k',
    MASKINPORTEN_PRIVATE_KEY_FILE: '/key.pem',
  };

  it('keeps a configured issuer as it is', () => {
    const MASKINPORTEN_ISSUER = 'https://issuer.example/no-slash';
    const environment = readEnvironment({
      ...key,
      MASKINPORTEN_ISSUER,
      MASKINPORTEN_DESTINATIONS: 'https://api.example',
      BROKER_URL: 'https://api.example/broker',
    });
    expect(issuerOf(environment)).toBe(MASKINPORTEN_ISSUER);
    expect(environmentName(environment)).toBeUndefined();
  });

  it('knows the environment of an issuer that NAIS gives', () => {
    const environment = readEnvironment({ ...key, MASKINPORTEN_ISSUER: 'https://maskinporten.no/' });
    expect(environmentName(environment)).toBe('prod');
    expect(brokerUrl(environment)).toBe('https://platform.altinn.no/broker/api/v1');
  });

  it('takes the Broker API from the platform of the environment', () => {
    const environment = readEnvironment({ ...key, MASKINPORTEN_ENVIRONMENT: 'test' });
    expect(issuerOf(environment)).toBeUndefined();
    expect(brokerUrl(environment)).toBe('https://platform.tt02.altinn.no/broker/api/v1');
  });
});
