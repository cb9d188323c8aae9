import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isMaskinportenError } from '../errors/index.js';
import { checkIssuerUrl, HttpTransport } from '../http/index.js';
import {
  environmentOfHost,
  Issuer,
  ISSUER_PRESETS,
  metadataUrl,
  mixedEnvironments,
  resolveIssuer,
  type IssuerOptions,
} from './index.js';

function failuresOf(options: unknown): Record<string, string> {
  try {
    resolveIssuer(options as IssuerOptions);
  } catch (error) {
    if (!isMaskinportenError(error, 'MP_CONFIG')) throw error;
    return Object.fromEntries(error.failures.map(({ field, reason }) => [field, reason]));
  }
  throw new Error('expected a refusal');
}

describe('resolveIssuer', () => {
  it.each(['test', 'prod'] as const)('knows everything about %s', (environment) => {
    const preset = ISSUER_PRESETS[environment];
    expect(resolveIssuer({ environment })).toEqual({
      issuer: preset.issuer,
      environment,
      metadataUrl: `${preset.issuer}.well-known/oauth-authorization-server`,
      builtInTokenEndpoint: preset.tokenEndpoint,
    });
    expect(resolveIssuer({ issuer: preset.issuer }).environment).toBe(environment);
  });

  it.each([
    'https://test.sky.maskinporten.no',
    'https://idp.example/tenant/a/',
    'http://127.0.0.1:8080/',
    'http://localhost:8080',
    'http://[::1]:8080/x',
    'https://IDP.example:443/',
  ])('uses the issuer %s verbatim, and guesses no endpoint', (issuer) => {
    const resolved = resolveIssuer({ issuer });
    expect(resolved.issuer).toBe(issuer);
    expect(resolved).not.toHaveProperty('builtInTokenEndpoint');
    expect(resolved).not.toHaveProperty('environment');
  });

  it('an issuer overrides the preset; a configured endpoint may be at another origin', () => {
    const tokenEndpoint = 'https://token.example/token';
    const resolved = resolveIssuer({ environment: 'test', issuer: 'https://idp.example/', tokenEndpoint });
    expect(resolved).toMatchObject({ issuer: 'https://idp.example/', explicitTokenEndpoint: tokenEndpoint });
  });

  it.each([
    ['nothing', {}, 'issuer'],
    ['an unknown environment', { environment: 'staging' }, 'environment'],
    ['http', { issuer: 'http://idp.example/' }, 'issuer'],
    ['http at an address that only looks like loopback', { issuer: 'http://127.0.0.1.example/' }, 'issuer'],
    ['userinfo', { issuer: 'https://user:canary@idp.example/' }, 'issuer'],
    ['empty userinfo', { issuer: 'https://@idp.example/' }, 'issuer'],
    ['a query', { issuer: 'https://idp.example/?canary' }, 'issuer'],
    ['an empty query', { issuer: 'https://idp.example/?' }, 'issuer'],
    ['a fragment', { issuer: 'https://idp.example/#canary' }, 'issuer'],
    ['a tab', { issuer: 'https://idp.\texample/' }, 'issuer'],
    ['a backslash', { issuer: 'https:\\\\idp.example/' }, 'issuer'],
    ['one slash', { issuer: 'https:/idp.example/' }, 'issuer'],
    ['no scheme', { issuer: 'idp.example' }, 'issuer'],
    ['another scheme', { issuer: 'file:///canary' }, 'issuer'],
    ['not a string', { issuer: 7 }, 'issuer'],
    ['a host that is none', { issuer: 'https://canary:port/' }, 'issuer'],
    ['an endpoint without TLS', { environment: 'test', tokenEndpoint: 'http://idp.example/token' }, 'tokenEndpoint'],
    ['an endpoint with a fragment', { environment: 'test', tokenEndpoint: 'https://x.example/#a' }, 'tokenEndpoint'],
    ['an endpoint with userinfo', { environment: 'test', tokenEndpoint: 'https://a:canary@x/' }, 'tokenEndpoint'],
  ])('T-10: %s is refused without being quoted', (_, options, field) => {
    const failures = failuresOf(options);
    expect(Object.keys(failures)).toEqual([field]);
    expect(inspect(failures)).not.toContain('canary');
  });

  it.each(['https://test.maskinporten.no', 'https://maskinporten.no', 'https://maskinporten.no/x'])(
    'a preset’s host with another spelling (%s) is refused with the right one: it could never work',
    (issuer) => {
      expect(failuresOf({ issuer })['issuer']).toMatch(/must be written https:\/\/(test\.)?maskinporten\.no\/ /);
    },
  );

  it.each([
    [{ environment: 'test', issuer: 'https://maskinporten.no/' }, 'environment'],
    [{ environment: 'prod', issuer: 'https://test.maskinporten.no/' }, 'environment'],
    [{ environment: 'prod', tokenEndpoint: 'https://test.maskinporten.no/token' }, 'tokenEndpoint'],
    [{ environment: 'test', tokenEndpoint: 'https://maskinporten.no/token' }, 'tokenEndpoint'],
    [{ issuer: 'https://maskinporten.no/', tokenEndpoint: 'https://test.maskinporten.no/token' }, 'tokenEndpoint'],
    [{ environment: 'test', issuer: 'https://sky.maskinporten.no' }, 'issuer'],
  ])('F-88, T-30: %j mixes test and production', (options, field) => {
    expect(Object.keys(failuresOf(options))).toEqual([field]);
  });

  it('T-31, T-66: a polluted prototype configures nothing', () => {
    const members = ['environment', 'issuer', 'tokenEndpoint', 'explicitTokenEndpoint', 'builtInTokenEndpoint'];
    const transport = new HttpTransport();
    const endpointOf = (options: IssuerOptions): string | undefined =>
      new Issuer(resolveIssuer(options), { transport }).knownTokenEndpoint;
    for (const name of members) {
      Reflect.defineProperty(Object.prototype, name, { value: 'https://evil.example/', configurable: true });
    }
    try {
      expect(resolveIssuer({ environment: 'test' }).issuer).toBe(ISSUER_PRESETS.test.issuer);
      expect(endpointOf({ environment: 'test' })).toBe(ISSUER_PRESETS.test.tokenEndpoint);
      expect(endpointOf({ issuer: 'https://idp.example/' })).toBeUndefined();
    } finally {
      for (const name of members) Reflect.deleteProperty(Object.prototype, name);
    }
  });

  it('property: whatever is given, the outcome is a frozen result or MP_CONFIG', () => {
    const text = fc.oneof(fc.webUrl(), fc.string(), fc.constantFrom('https://maskinporten.no/', 'http://127.0.0.1/'));
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (issuer, tokenEndpoint) => {
        try {
          const resolved = resolveIssuer({ issuer, tokenEndpoint });
          return Object.isFrozen(resolved) && resolved.issuer === issuer;
        } catch (error) {
          return isMaskinportenError(error, 'MP_CONFIG');
        }
      }),
    );
  });
});

describe('mixedEnvironments', () => {
  it.each([
    ['platform.altinn.no', 'prod'],
    ['skd.apps.altinn.no', 'prod'],
    ['www.altinn.no', 'prod'],
    ['platform.tt02.altinn.no', 'test'],
    ['skd.apps.tt02.altinn.no', 'test'],
    ['tt02.altinn.no', 'test'],
    ['platform.at22.altinn.cloud', 'test'],
    ['MASKINPORTEN.NO.', 'prod'],
    ['api.samarbeid.digdir.no', 'prod'],
    ['api.test.samarbeid.digdir.no', 'test'],
    ['altinn.no.example', undefined],
    ['notaltinn.no', undefined],
    ['localhost', undefined],
  ])('F-88: %s belongs to %s', (host, environment) => {
    expect(environmentOfHost(host)).toBe(environment);
  });

  it('F-88, T-30: destinations and platform of the other environment are listed, wildcards too', () => {
    const entries = [
      { field: 'destinations[0]', url: 'https://*.apps.altinn.no' },
      { field: 'destinations[1]', url: 'https://*.apps.tt02.altinn.no' },
      { field: 'destinations[2]', url: 'https://mine.example' },
      { field: 'altinn.platformUrl', url: 'https://platform.altinn.no' },
      { field: 'destinations[3]', url: 'not a url' },
    ];
    const fields = (environment: 'test' | 'prod' | undefined): string[] =>
      mixedEnvironments(environment, entries).map(({ field }) => field);
    expect(fields('test')).toEqual(['destinations[0]', 'altinn.platformUrl']);
    expect(fields('prod')).toEqual(['destinations[1]']);
    // With an issuer of one's own, the first known host decides.
    expect(fields(undefined)).toEqual(['destinations[1]']);
  });
});

describe('metadataUrl', () => {
  it.each([
    ['https://test.maskinporten.no/', 'https://test.maskinporten.no/.well-known/oauth-authorization-server'],
    ['https://test.sky.maskinporten.no', 'https://test.sky.maskinporten.no/.well-known/oauth-authorization-server'],
    ['https://example.com/issuer1', 'https://example.com/.well-known/oauth-authorization-server/issuer1'],
    ['https://example.com/a/b/', 'https://example.com/.well-known/oauth-authorization-server/a/b'],
  ])('S-13: RFC 8414 §3.1: %s → %s', (issuer, expected) => {
    expect(metadataUrl(issuer)).toBe(expected);
  });

  it('property: same origin, the well-known part first, no double slash added, one final slash dropped', () => {
    const segments = fc.array(fc.stringMatching(/^[a-z0-9-]{1,8}$/), { maxLength: 4 });
    fc.assert(
      fc.property(fc.domain(), segments, fc.boolean(), (host, path, slash) => {
        const issuer = ['https:/', host, ...path].join('/') + (slash ? '/' : '');
        const url = new URL(metadataUrl(issuer));
        expect(url.host).toBe(host);
        expect(url.pathname).toBe(['/.well-known/oauth-authorization-server', ...path].join('/'));
      }),
    );
  });
});

describe('hostile text', () => {
  it.each(['a', '.', 'a.', '/', '@', ':', '-', 'https://', '\t', '%2e', 'tt02.', '[', '127.'])(
    'T-62: a million characters of %j go through every check',
    (unit) => {
      const text = unit.repeat(Math.floor(1_000_000 / unit.length));
      for (const url of [text, `https://${text}/`, `https://a/${text}`, `https://${text}.altinn.no/`]) {
        expect(checkIssuerUrl(url)).toHaveProperty('reason');
        expect(mixedEnvironments('test', [{ field: 'f', url }]).length).toBeLessThanOrEqual(1);
      }
      environmentOfHost(text);
      expect(['prod', 'test']).toContain(environmentOfHost(`${text}.altinn.no`));
    },
  );
});
