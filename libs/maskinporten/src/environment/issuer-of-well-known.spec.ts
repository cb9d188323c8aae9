import { describe, expect, it } from '@jest/globals';
import { issuerOfWellKnown } from './issuer-of-well-known.js';

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
