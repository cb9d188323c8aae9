import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { checkOptions } from './check-options.js';
import { ClientRuntime } from './client-runtime.js';
import type { MaskinportenError } from '../errors/index.js';
import type { MaskinportenOptions } from './maskinporten.options.js';
import { nearestName } from '../basics/index.js';
import { rejection } from '../outbound/outbound.fixtures.js';
import { printingSwitches, unsafeProcess } from '../environment/index.js';

Logger.overrideLogger(false);

const { privateKey } = rsaKeyPair();
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const good: MaskinportenOptions = { environment: 'test', clientId: 'client', key: { pem, kid: 'k1' } };

const fieldsOf = (options: unknown): string[] => checkOptions(options).map(({ field }) => field);
const startWith = async (options: object): Promise<MaskinportenError> =>
  (await rejection(
    new ClientRuntime('default', options as MaskinportenOptions).createTokens(),
  )) as unknown as MaskinportenError;

describe('options', () => {
  it('accepts what the contract shows', async () => {
    const options: MaskinportenOptions = {
      ...good,
      organisation: '310000019',
      destinations: ['https://api.example.no', { origin: 'https://felles.example.no', pathPrefix: '/krav' }],
      tokens: { refreshAt: [0.5, 0.75], maxEntries: 10 },
      retry: { attempts: 2, attemptTimeoutMs: 1_000, deadlineMs: 2_000 },
      http: { proxy: 'environment' },
      altinn: { platformUrl: 'https://platform.tt02.altinn.no', rights: 'pdp', allowAnyCaller: false },
    };
    expect(checkOptions(options)).toEqual([]);
    const settings = new ClientRuntime('default', options);
    const tokens = await settings.createTokens();
    expect(settings.destinations.origins).toEqual([
      'https://platform.tt02.altinn.no',
      'https://*.apps.tt02.altinn.no',
      'https://api.example.no',
      'https://felles.example.no',
    ]);
    await tokens.close();
  });

  it.each([
    ['environment', { environment: 'staging' }],
    ['issuer', { issuer: 'http://maskinporten.no/' }],
    ['issuer', { issuer: 7 }],
    ['tokenEndpoint', { tokenEndpoint: 'not a url' }],
    ['clientId', { clientId: ' ' }],
    ['clientId', { clientId: undefined }],
    ['key', { key: 'a string' }],
    ['organisation', { organisation: '310000018' }],
    ['destinations', { destinations: 'https://api.example.no' }],
    ['destinations[1]', { destinations: ['https://api.example.no', 'http://api.example.no'] }],
    ['destinations[0]', { destinations: ['https://*.example.no'] }],
    ['tokens.refreshAt', { tokens: { refreshAt: [0.9, 0.1] } }],
    ['tokens.refreshAt', { tokens: { refreshAt: 0.5 } }],
    ['tokens.maxEntries', { tokens: { maxEntries: 0 } }],
    ['tokens', { tokens: 'x' }],
    ['retry.attempts', { retry: { attempts: 1.5 } }],
    ['retry.deadlineMs', { retry: { deadlineMs: -1 } }],
    ['http.ca', { http: { ca: 7 } }],
    ['http.proxy', { http: { proxy: 'nowhere' } }],
    ['altinn.rights', { altinn: { rights: 'all' } }],
    ['altinn.allowAnyCaller', { altinn: { allowAnyCaller: 'yes' } }],
    ['altinn.appUrl', { altinn: { appUrl: 'https://example.no' } }],
  ])('names %s in %j', async (field, wrong) => {
    expect((await startWith({ ...good, ...wrong })).failures.map((failure) => failure.field)).toEqual([field]);
  });

  it.each([undefined, null, 7, 'x'])('refuses %j in place of options', (value) => {
    expect(fieldsOf(value)).toEqual(['options']);
  });

  it('suggests the name that was meant for an unknown option', () => {
    const reasons = checkOptions({ ...good, clientID: 'x', retry: { atempts: 2 }, whatever: 1 });
    expect(reasons).toEqual([
      { field: 'clientID', code: 'MP_CONFIG', reason: 'is not an option; did you mean clientId?' },
      { field: 'whatever', code: 'MP_CONFIG', reason: expect.stringContaining('known are environment') },
      { field: 'retry.atempts', code: 'MP_CONFIG', reason: 'is not an option; did you mean attempts?' },
    ]);
  });

  it('does not print an unknown name that is no name', () => {
    expect(fieldsOf({ ...good, 'x\u001b[2J': 1 })).toEqual(['(unprintable name)']);
  });

  it('lists everything that is wrong in one error, the key included', async () => {
    const error = await startWith({
      clientID: 'x',
      issuer: 'http://maskinporten.no/',
      key: { pem: 'not a key', kid: 'k1' },
      destinations: ['http://api.example.no'],
      retry: { attempts: 99 },
    });
    expect(error).toMatchObject({ code: 'MP_CONFIG' });
    expect(error.failures.map(({ field }) => field).toSorted()).toEqual([
      'clientID',
      'clientId',
      'destinations[0]',
      'issuer',
      'key.pem',
      'retry.attempts',
    ]);
    for (const { field } of error.failures) expect(error.message).toContain(field);
  });

  it('refuses good keys with one wrong setting, and a missing issuer', async () => {
    expect((await startWith({ ...good, destinations: ['x'] })).failures.map(({ field }) => field)).toEqual([
      'destinations[0]',
    ]);
    expect((await startWith({ clientId: 'c', key: good.key })).failures.map(({ field }) => field)).toEqual(['issuer']);
    expect(
      (await startWith({ ...good, key: [good.key, { pem: 'bad', kid: 'k2' }] })).failures.map(({ field }) => field),
    ).toEqual(['key[1].pem']);
  });

  it('T-10: no failure repeats what was given', async () => {
    const canary = 'canary-7d1e';
    const error = await startWith({
      environment: canary,
      issuer: `https://user:${canary}@x.example/`,
      tokenEndpoint: canary,
      clientId: 'c',
      key: { pem: canary, passphrase: canary, kid: 'k' },
      organisation: canary,
      destinations: [`https://${canary}@x.example`, { origin: canary, pathPrefix: canary }],
      http: { proxy: canary },
      altinn: { platformUrl: canary, subscriptionKey: 7 },
    });
    expect(error.failures.length).toBeGreaterThan(7);
    expect(JSON.stringify(error) + String(error.stack)).not.toContain(canary);
  });

  it('T-66: a polluted prototype adds no destination', () => {
    const polluted = Object.prototype as Record<string, unknown>;
    Object.assign(polluted, { origin: 'https://evil.example', pathPrefix: '/elsewhere' });
    try {
      const destinations = [{}, { origin: 'https://api.example.no' }] as MaskinportenOptions['destinations'] & object;
      const settings = new ClientRuntime('default', { ...good, destinations });
      expect(settings.destinations.origins).not.toContain('https://evil.example');
      expect(settings.destinations.allows(new URL('https://api.example.no/x'))).toBe(true);
    } finally {
      delete polluted['origin'];
      delete polluted['pathPrefix'];
    }
  });

  it.each([
    [{ environment: 'test', destinations: ['https://platform.altinn.no'] }, 'destinations[0]'],
    [
      { environment: 'prod', destinations: ['https://api.example.no', { origin: 'https://ttd.apps.tt02.altinn.no' }] },
      'destinations[1]',
    ],
    [
      { environment: undefined, issuer: 'https://maskinporten.no/', destinations: ['https://platform.tt02.altinn.no'] },
      'destinations[0]',
    ],
    [{ environment: 'test', altinn: { platformUrl: 'https://platform.altinn.no' } }, 'altinn.platformUrl'],
    [{ environment: 'test', issuer: 'https://maskinporten.no/' }, 'issuer'],
    [{ environment: 'prod', tokenEndpoint: 'https://test.maskinporten.no/token' }, 'tokenEndpoint'],
  ])('F-88, T-30: test and production are not mixed: %j', async (mixed, field) => {
    const error = await startWith({ ...good, ...mixed });
    expect(error).toMatchObject({ code: 'MP_CONFIG' });
    expect(error.failures.map((failure) => failure.field)).toContain(field);
  });

  it('F-88: hosts of neither environment go with both', () => {
    for (const environment of ['test', 'prod'] as const) {
      expect(
        () =>
          new ClientRuntime('default', {
            ...good,
            environment,
            destinations: ['https://api.example.no', 'http://localhost:1'],
          }),
      ).not.toThrow();
    }
  });
});

describe('the environment of the process', () => {
  const before = { ...process.env };
  afterEach(() => {
    for (const name of ['NODE_ENV', 'NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG', 'DEBUG']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });

  it('F-25: certificate checks switched off in production refuse the start', async () => {
    process.env['NODE_ENV'] = 'production';
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    const error = await startWith(good);
    expect(error).toMatchObject({ code: 'MP_CONFIG', failures: [{ field: 'NODE_TLS_REJECT_UNAUTHORIZED' }] });
  });

  it('F-25: only in production, and only when switched off', () => {
    expect(unsafeProcess({ NODE_ENV: 'development', NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toEqual([]);
    expect(unsafeProcess({ NODE_ENV: 'production', NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toEqual([]);
    expect(unsafeProcess({ NODE_ENV: 'production' })).toEqual([]);
  });

  it('T-08: switches that print HTTP traffic are warned about in production', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    process.env['NODE_ENV'] = 'production';
    process.env['NODE_DEBUG'] = 'http,net';
    process.env['DEBUG'] = 'express:*, follow-redirects';
    const tokens = await new ClientRuntime('default', good).createTokens();
    await tokens.close();
    expect(warnings.mock.calls.map(([line]) => String(line)).filter((line) => line.includes('print HTTP'))).toEqual([
      expect.stringContaining('NODE_DEBUG'),
      expect.stringContaining('DEBUG'),
    ]);
  });

  it.each([
    [{ NODE_DEBUG: 'tls' }, ['NODE_DEBUG']],
    [{ NODE_DEBUG: 'timer' }, []],
    [{ DEBUG: '*' }, ['DEBUG']],
    [{ DEBUG: 'express' }, []],
    [{}, []],
  ])('T-08: %j', (environment, expected) => {
    expect(printingSwitches({ NODE_ENV: 'production', ...environment })).toEqual(expected);
    expect(printingSwitches({ NODE_ENV: 'test', ...environment })).toEqual([]);
  });
});

describe('nearest', () => {
  it.each([
    ['clientID', 'clientId'],
    ['keys', 'key'],
    ['enviroment', 'environment'],
    ['zzz', undefined],
    ['x'.repeat(10_000), undefined],
  ])('%s → %s', (name, expected) => {
    expect(nearestName(name, ['clientId', 'key', 'environment'])).toBe(expected);
  });
});
