import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isMaskinportenError } from '../errors/index.js';
import { makeKey, TestAuthority } from '../keys/keys.fixtures.js';
import { refusal } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { createTokenService, type TokenServiceConfig } from './index.js';
import { keySource, pem, startService, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const good: TokenServiceConfig = { environment: 'test', clientId: 'a-client', key: keySource() };
/** Fields that were refused; takes anything, because callers write JavaScript too. */
async function refusedFields(config: unknown): Promise<readonly string[]> {
  try {
    const service = await createTokenService(config as TokenServiceConfig);
    await service.close();
    return [];
  } catch (error) {
    if (!isMaskinportenError(error)) throw error;
    return error.failures.map(({ field }) => field);
  }
}

describe('createTokenService', () => {
  it.each<readonly [object, readonly string[]]>([
    [{}, []],
    [{ clientId: '' }, ['clientId']],
    [{ clientId: 'a b' }, ['clientId']],
    [{ clientId: 7 }, ['clientId']],
    [{ organisation: '310000010' }, ['organisation']],
    [{ organisation: '0192:310000027' }, ['organisation']],
    [{ organisation: '310000027' }, []],
    [{ environment: undefined }, ['issuer']],
    [{ key: { pem: 'no key', kid: 'k' } }, ['key.pem']],
    [{ tokens: { maxEntries: 0 } }, ['tokens.maxEntries']],
    [{ tokens: { maxEntries: 1.5 } }, ['tokens.maxEntries']],
    [{ tokens: { maxEntries: '10' } }, ['tokens.maxEntries']],
    [{ tokens: { store: Promise.resolve({}) } }, ['tokens.store']],
    [{ tokens: { store: 'redis://redis:6379' } }, ['tokens.store']],
    [{ tokens: { refreshAt: [0.8, 0.2] } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: [0, 0.5] } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: [0.5, 1] } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: ['0.5', 0.6] } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: [0.5, '0.6'] } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: [0.5] } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: 0.5 } }, ['tokens.refreshAt']],
    [{ tokens: { refreshAt: [0.5, 0.5], maxEntries: 1 } }, []],
    [{ retry: { attempts: 0 } }, ['retry.attempts']],
    [{ retry: { attempts: Number.NaN, attemptTimeoutMs: -1 } }, ['retry.attempts', 'retry.attemptTimeoutMs']],
    [{ retry: { attempts: 1, attemptTimeoutMs: 1, deadlineMs: 1 } }, []],
    [
      { clientId: '', organisation: 'x', tokens: { maxEntries: -1 }, key: [] },
      ['clientId', 'organisation', 'key', 'tokens.maxEntries'],
    ],
  ])('F-110, F-113: %j', async (change, fields) => {
    expect(new Set(await refusedFields({ ...good, ...change }))).toEqual(new Set(fields));
  });

  it('T-65: no deadline that a timer cannot hold', async () => {
    expect(await refusedFields({ ...good, retry: { deadlineMs: 2 ** 31 } })).toEqual(['retry.deadlineMs']);
    expect(await refusedFields({ ...good, retry: { attemptTimeoutMs: Infinity } })).toEqual(['retry.attemptTimeoutMs']);
  });

  it('F-119: a certificate that cannot be used keeps its own code when nothing else is wrong', async () => {
    const { certificate, key } = new TestAuthority().issue({
      subject: '/C=NO/CN=Test/serialNumber=310000027',
      to: '20240201000000Z',
    });
    const expired = { ...good, key: { pem: key.pem, certificateChain: certificate } };
    await expect(createTokenService(expired)).rejects.toMatchObject({ code: 'MP_CERTIFICATE_EXPIRED' });
    await expect(createTokenService({ ...expired, clientId: '' })).rejects.toMatchObject({ code: 'MP_CONFIG' });
  });

  it('takes the organisation from the certificate, and refuses another one', async () => {
    const { certificate, key } = new TestAuthority().issue({ subject: '/C=NO/CN=Test/serialNumber=310000027' });
    const config = { ...good, key: { pem: key.pem, certificateChain: certificate } };
    const service = await createTokenService(config);
    await expect(service.getToken({ scopes: 'a', consumerOrg: '310000027' })).rejects.toMatchObject({
      code: 'MP_REQUEST',
    });
    await service.close();
    expect(await refusedFields({ ...config, organisation: '310000019' })).toEqual(['organisation']);
    expect(await refusedFields({ ...config, organisation: '310000027' })).toEqual([]);
  });

  it('F-116: tells of a weak key as an event', async () => {
    const events: unknown[] = [];
    const service = await createTokenService({ ...good, onEvent: (event) => events.push(event) });
    await service.close();
    expect(events.every((event) => (event as { type: string }).type === 'warning')).toBe(true);
    expect(events.length).toBeGreaterThan(0);
  });

  it('a fault of our own is not dressed up as a wrong setting', async () => {
    const exploding = Object.defineProperty({}, 'wallMs', {
      get: () => {
        throw new TypeError('bug');
      },
    });
    const config = { ...good, clock: exploding as TokenServiceConfig['clock'] };
    await expect(createTokenService(config as TokenServiceConfig)).rejects.toThrow('bug');
  });

  it('F-71, T-28: what the issuer does wrong is a security event', async () => {
    bench = await startService();
    const { service, server, events } = bench;
    server.metadata = { issuer: 'https://evil.example/', token_endpoint: 'https://evil.example/token' };
    await expect(service.checkIssuer()).rejects.toMatchObject({ code: 'MP_CONFIG_ENDPOINT' });
    expect(events.filter(({ type }) => type === 'security')).toHaveLength(1);
    expect(service.status.issuer.lastError).toMatchObject({ code: 'MP_CONFIG_ENDPOINT' });
  });

  it('T-66: a polluted prototype configures nothing', async () => {
    const planted = {
      organisation: '310000027',
      retry: { attempts: 1 },
      attempts: 1,
      maxEntries: 1,
      refreshAt: [0.1, 0.1],
      proxy: 'http://127.0.0.1:1',
      ca: 'x',
      exchanger: {},
    };
    Object.assign(Object.prototype, planted);
    try {
      bench = await startService({ retry: {}, tokens: {}, http: {} });
      const token = await bench.service.getToken('a');
      await bench.service.getToken('b');
      expect(await bench.service.getToken('a')).toBe(token);
      await expect(bench.service.getToken({ scopes: 'a', consumerOrg: '310000027' })).resolves.toHaveProperty('value');
    } finally {
      for (const name of Object.keys(planted)) Reflect.deleteProperty(Object.prototype, name);
    }
  });
});

describe('secrets', () => {
  it('T-06: none in the service object, however deep one looks', async () => {
    bench = await startService();
    const { value } = await bench.service.getToken({ scopes: 'a', pid: '01819000391' });
    const [grant] = bench.server.grants;
    const deep = { depth: null, showHidden: true, getters: true, maxArrayLength: null };
    const printed = inspect([bench.service, bench.events], deep) + JSON.stringify([bench.service, bench.events]);
    const secrets = [value, grant?.assertion ?? '', pem.split('\n')[2] ?? '', '01819000391'];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(8);
      expect(printed).not.toContain(secret);
    }
  });

  it('T-05, T-16: none in any event, also when the server echoes what was sent', async () => {
    bench = await startService({ random: () => 0 });
    const { server, service, events } = bench;
    server.always = (response, request) => {
      const echoed = server.grants.at(-1)?.assertion ?? '';
      refusal(undefined, echoed, 400, `You sent ${echoed}`)(response, request);
    };
    await service.getToken({ scopes: 'a', pid: '01819000391' }).catch(() => undefined);
    const printed = inspect(events, { depth: null, showHidden: true, getters: true, customInspect: false });
    for (const { assertion } of server.grants) {
      for (const part of [assertion, ...assertion.split('.')]) expect(printed).not.toContain(part);
    }
    expect(printed).not.toContain('01819000391');
    expect(events.some(({ type }) => type === 'token-refused')).toBe(true);
  });

  it('T-15: nothing is written to disk', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-disk-'));
    const before = process.cwd();
    const { TMPDIR, HOME } = process.env;
    process.chdir(directory);
    Object.assign(process.env, { TMPDIR: directory, HOME: directory });
    try {
      bench = await startService();
      await bench.service.getToken('a');
      await bench.service.close();
      expect(readdirSync(directory, { recursive: true })).toEqual([]);
    } finally {
      process.chdir(before);
      Object.assign(process.env, { TMPDIR: TMPDIR ?? tmpdir(), HOME: HOME ?? '' });
      rmSync(directory, { recursive: true });
    }
  });

  it('T-54: keys of two clients never meet: each service signs with its own', async () => {
    bench = await startService();
    const stranger = makeKey();
    const other = await createTokenService({
      issuer: bench.server.issuer,
      tokenEndpoint: `${bench.server.origin}/token`,
      clientId: 'other',
      key: { pem: stranger.pem, kid: 'kid-0' },
    });
    await expect(other.getToken('a')).rejects.toMatchObject({ category: 'configuration' });
    expect(bench.server.violations.splice(0)).toHaveLength(1);
    await expect(bench.service.getToken('a')).resolves.toHaveProperty('value');
    await other.close();
  });
});

describe('status', () => {
  it('tells what is known, without asking anybody', async () => {
    bench = await startService({ key: [keySource(0), keySource(1)] });
    expect(bench.service.status).toMatchObject({
      clientId: 'a-client',
      key: { kid: 'kid-0', fallback: false },
      circuits: { plain: 'closed' },
      cachedTokens: 0,
    });
    bench.server.script = [refusal('MP-124')];
    await bench.service.getToken('a');
    expect(bench.service.status).toMatchObject({
      key: { kid: 'kid-1', fallback: true },
      cachedTokens: 1,
      clock: { state: 'ok' },
    });
    expect(bench.requests()).toBe(2);
  });

  it('a key that is named by its certificate has no kid, and neither has anything it obtained', async () => {
    const { certificate, key } = new TestAuthority().issue({ subject: '/C=NO/CN=Test/serialNumber=310000027' });
    bench = await startService({
      key: { pem: key.pem, certificateChain: certificate },
      exchanger: { exchange: async () => ({ value: 'altinn', expiresInSeconds: 60 }) },
    });
    bench.server.trust(key.publicKey);
    const tokens = [
      await bench.service.getToken('a'),
      await bench.service.getToken({ scopes: 'a', exchange: 'altinn' }),
    ];
    for (const holder of [...tokens, bench.service.status.key, ...bench.events])
      expect(holder).not.toHaveProperty('kid');
  });
});
