import { describe, expect, it } from '@jest/globals';
import { brokerUrl, environmentName, issuerOf, issuerOfWellKnown } from './issuer.js';
import { readEnvironment } from './read-environment.js';

describe('issuerOfWellKnown', () => {
  it.each([
    ['https://test.maskinporten.no/.well-known/oauth-authorization-server', 'https://test.maskinporten.no/'],
    ['https://issuer.example/.well-known/oauth-authorization-server/tenant', 'https://issuer.example/tenant'],
    ['https://issuer.example/tenant/.well-known/oauth-authorization-server', 'https://issuer.example/tenant'],
    ['http://127.0.0.1:8480/.well-known/oauth-authorization-server', 'http://127.0.0.1:8480/'],
  ])('%s is the metadata of %s', (url, issuer) => {
    expect(issuerOfWellKnown(url)).toBe(issuer);
  });

  it.each([
    'https://test.maskinporten.no/',
    'not a url',
    'https://x.example/.well-known/oauth-authorization-server?a=b',
  ])('%s is the metadata of nobody', (url) => {
    expect(issuerOfWellKnown(url)).toBeUndefined();
  });
});

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
