import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, request as httpRequest } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { makeKey, TestAuthority } from '../keys/keys.fixtures.js';
import { clockFinding, expiryFindings, type Finding } from '../findings/index.js';
import { createTokenService } from '../tokens/index.js';
import { CUSTOMER, DAY_MS, DoctorBench, KB, SCOPE, client, publicJwk, sharedKey } from './doctor.fixtures.js';
import { ALL_CHECKS, examine } from './index.js';

let bench: DoctorBench;
beforeAll(async () => {
  bench = await DoctorBench.start();
});
afterAll(async () => {
  await bench.close();
});

const levels = (findings: readonly Finding[]): string[] => [...new Set(findings.map(({ level }) => level))];

describe('a good set-up', () => {
  it('is all good, down to the right of the customer', async () => {
    const project = mkdtempSync(join(tmpdir(), 'maskinporten-doctor-'));
    const { healthy, cause, findings } = await bench.examine({
      project,
      uploadedJwks: JSON.stringify({ keys: [publicJwk(sharedKey())] }),
      customer: { organisation: CUSTOMER, resource: KB },
    });
    rmSync(project, { recursive: true });
    expect(cause).toBeUndefined();
    expect(healthy).toBe(true);
    const good = findings.filter(({ level }) => level === 'good').map(({ id }) => id);
    expect(good).toEqual([
      'audience',
      'client-id',
      'key',
      'expiry',
      'uploaded-key',
      'destinations',
      'issuer',
      'clock',
      'token-endpoint',
      'client',
      'scope',
      'system',
      'system-user',
      'right',
    ]);
    // Without a certificate and outside git there is nothing to look at, and both say so.
    expect(findings.filter(({ level }) => level !== 'good').map(({ id, level }) => `${id} ${level}`)).toEqual([
      'certificate skipped',
      'secrets skipped',
    ]);
  });

  it('gets by with a client id, a key and an issuer, and says what was not looked at', async () => {
    const { issuer } = bench.simulator;
    const diagnosis = await examine({ issuer, clientId: 'client-1', key: { pem: sharedKey().pem, kid: 'kid-1' } });
    expect(diagnosis.healthy).toBe(true);
    const skipped = diagnosis.findings.filter(({ level }) => level === 'skipped');
    expect(skipped.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['expiry', 'uploaded-key', 'scope', 'system', 'system-user', 'right', 'secrets']),
    );
    for (const { cause } of skipped) expect(`${cause.en}${cause.nb}`).toMatch(/\S/);
  });

  it('finds a token endpoint that answers nothing but grants', async () => {
    const gateway = createHttpServer((request, response) => {
      if (request.method !== 'POST') {
        response.writeHead(404).end();
        return;
      }
      const onward = { method: 'POST', headers: request.headers };
      const upstream = httpRequest(bench.simulator.tokenEndpoint, onward, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(upstream);
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    const { port } = gateway.address() as AddressInfo;
    try {
      const diagnosis = await bench.examine({ tokenEndpoint: `http://127.0.0.1:${port}/token` });
      expect(diagnosis.findings.filter(({ level }) => level === 'failed')).toEqual([]);
      expect(diagnosis.findings.find(({ id }) => id === 'token-endpoint')?.level).toBe('good');
      const absent = await bench.examine({ tokenEndpoint: `${bench.simulator.apiUrl}/nothing-here` });
      expect(absent.cause?.id).toBe('token-endpoint.absent');
    } finally {
      gateway.closeAllConnections();
      gateway.close();
    }
  });

  it('sends one grant for each token that it needs', async () => {
    const before = bench.simulator.log.length;
    await bench.examine({ altinn: undefined });
    const grants = bench.simulator.log
      .slice(before)
      .filter(({ kind, method }) => kind === 'grant' && method === 'POST');
    expect(grants).toHaveLength(1);
  });
});

describe('findings', () => {
  it('come in the order failed, warning, skipped, good, with the first cause in front', async () => {
    const { findings, cause } = await bench.examine({
      key: { pem: sharedKey().pem, kid: 'kid-1', registeredAt: new Date(Date.now() - 350 * DAY_MS) },
      scopes: [SCOPE, 'altinn:broker.read'],
    });
    expect(levels(findings)).toEqual(['failed', 'warning', 'skipped', 'good']);
    expect(cause).toBe(findings[0]);
    expect(cause?.id).toBe('scope.not-registered');
  });

  it('two causes that do not follow from each other are both told, the deeper one first', async () => {
    const { findings } = await bench.examine({
      issuer: bench.simulator.issuer.slice(0, -1),
      key: { pem: sharedKey().pem },
    });
    expect(findings.filter(({ level }) => level === 'failed').map(({ id }) => id)).toEqual([
      'key.kid-missing',
      'audience.slash',
    ]);
  });

  it('progress is told once for each check, in both languages', async () => {
    const steps: string[] = [];
    await examine(bench.setup({ altinn: undefined }), {
      onProgress: ({ title, index, total }) => steps.push(`${index + 1}/${total} ${title.en} ${title.nb}`),
    });
    expect(steps).toHaveLength(ALL_CHECKS.length);
    expect(steps[0]).toBe(`1/${ALL_CHECKS.length} Issuer and audience Issuer og audience`);
  });

  it('every check needs only what comes before it', () => {
    const known = new Set<string>();
    for (const { id, needs = [] } of ALL_CHECKS) {
      known.add(id);
      expect(needs.filter((need) => !known.has(need) || need === id)).toEqual([]);
    }
  });
});

describe('a set-up that is hardly one', () => {
  it('nothing at all', async () => {
    const { healthy, findings } = await examine({});
    expect(healthy).toBe(false);
    expect(findings.filter(({ level }) => level === 'failed').map(({ id }) => id)).toEqual([
      'audience.missing',
      'client-id.missing',
      'key.missing',
    ]);
  });

  it.each([
    ['a key file that is not there', { file: '/does/not/exist.pem', kid: 'kid-1' }, 'key.file'],
    ['a passphrase that is missing', undefined, 'key.passphrase'],
    ['a key of 1024 bits', { pem: makeKey(1024).pem, kid: 'kid-1' }, 'key.algorithm'],
    ['what is not a key', { pem: 'hello', kid: 'kid-1' }, 'key.unusable'],
    ['two keys of which none is named', { jwk: { keys: [makeKey().jwk, makeKey().jwk] } }, 'key.choice'],
    ['a kid of two words in a JWK', { jwk: { ...makeKey().jwk, kid: 'a b' } }, 'key.kid-malformed'],
    ['a JWK for PS256', { jwk: { ...makeKey().jwk, kid: 'kid-1', alg: 'PS256' } }, 'key.algorithm'],
  ])('F-116: %s', async (_, key, id) => {
    const encrypted = sharedKey().privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'blåbærsyltetøy',
    });
    const { cause } = await bench.examine({ key: key ?? { pem: String(encrypted), kid: 'kid-1' } });
    expect(cause?.id).toBe(id);
  });

  it('a fallback key that signs in place of the current one is a warning', async () => {
    const key = [
      { pem: makeKey().pem, kid: 'kid-2' },
      { pem: sharedKey().pem, kid: 'kid-1' },
    ];
    const { cause, healthy } = await bench.examine({ key });
    expect({ id: cause?.id, healthy }).toEqual({ id: 'client.fallback', healthy: true });
  });

  it('a fallback key that is past its year stops nothing: it is a warning, and the client is looked at', async () => {
    const { pem } = sharedKey();
    const recently = new Date(Date.now() - 30 * DAY_MS);
    const longAgo = new Date(Date.now() - 400 * DAY_MS);
    const key = [
      { pem, kid: 'kid-1', registeredAt: recently },
      { pem: makeKey().pem, kid: 'kid-0', registeredAt: longAgo },
    ];
    const { cause, healthy, findings } = await bench.examine({ key });
    expect({ id: cause?.id, healthy }).toEqual({ id: 'expiry.key-expired', healthy: true });
    expect(findings.find(({ id }) => id === 'client')?.level).toBe('good');
  });

  it('destinations that are none, or in the other environment (F-88)', async () => {
    const malformed = await bench.examine({ destinations: ['example.no'] });
    expect(malformed.cause?.id).toBe('destinations.malformed');
    const mixed = await bench.examine({
      environment: 'prod',
      altinn: undefined,
      destinations: ['https://platform.tt02.altinn.no'],
    });
    expect(mixed.cause).toMatchObject({ id: 'destinations.environment', field: 'MASKINPORTEN_DESTINATIONS' });
  });

  it('a system that is somebody else’s', async () => {
    const altinn = { platformUrl: bench.simulator.platformUrl, systemId: '310000035_payroll' };
    expect((await bench.examine({ altinn })).cause?.id).toBe('system.unknown');
  });

  it.each([
    ['a quote', '"altinn:broker.read"'],
    ['a token', `eyJ${'a'.repeat(600)}`],
  ])('a scope that is none (%s) is what is told, and is not sent, though it comes first', async (_what, scope) => {
    const before = bench.simulator.log.length;
    const { cause, findings } = await bench.examine({ scopes: [scope, SCOPE] });
    expect(cause).toMatchObject({ id: 'scope.malformed', pitfall: 3 });
    expect(findings.find(({ id }) => id === 'client')?.level).toBe('good');
    expect(JSON.stringify([findings, bench.simulator.log.slice(before)])).not.toContain(scope.slice(1, 40));
  });

  it('a right that cannot be looked at, because no system is set', async () => {
    const { findings } = await bench.examine({
      altinn: { platformUrl: bench.simulator.platformUrl },
      customer: { organisation: CUSTOMER, resource: KB },
    });
    expect(findings.find(({ id }) => id === 'right')?.cause.en).toBe('No system id is set.');
  });

  it('an own organisation as consumer_org', async () => {
    const { cause } = await bench.examine({ consumerOrg: '310000019' });
    expect(cause?.id).toBe('scope.consumer-org');
  });
});

describe('a server that cannot be reached', () => {
  const authority = new TestAuthority();
  let server: Server;
  let issuer: string;

  beforeAll(async () => {
    const { certificate, key } = authority.issue({
      subject: '/CN=localhost',
      subjectAltName: 'DNS:localhost,IP:127.0.0.1',
    });
    server = createServer({ cert: certificate, key: key.pem }, (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ issuer, token_endpoint: `${issuer}token` }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.close();
  });

  it('F-22: a certificate that is not trusted is named, with the remedy, and no grant is sent', async () => {
    const diagnosis = await bench.examine({ issuer, altinn: undefined });
    expect(diagnosis.cause).toMatchObject({ id: 'issuer.tls', level: 'failed', actBy: 'you' });
    expect(diagnosis.findings.find(({ id }) => id === 'client')?.because).toBe('issuer.tls');
  });

  it('over TLS with a root that is trusted', async () => {
    const { findings } = await bench.examine({ issuer, altinn: undefined, http: { ca: authority.certificate } });
    expect(findings.find(({ id }) => id === 'issuer')).toMatchObject({
      level: 'good',
      cause: { en: expect.stringContaining('verified TLS') },
    });
  });

  it('F-03: a port where nobody listens', async () => {
    const closed = createTcpServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const diagnosis = await bench.examine({ issuer: `http://127.0.0.1:${port}/`, altinn: undefined });
    expect(diagnosis.cause).toMatchObject({ id: 'issuer.unreachable', actBy: 'you' });
    expect(diagnosis.cause?.cause.nb).toContain(`127.0.0.1:${port}`);
  });
});

describe('T-01: secrets in no finding', () => {
  it('whatever is wrong, nothing of a key, passphrase, token or subscription key is told', async () => {
    const key = makeKey();
    const broken = await DoctorBench.start({ clients: [client(key)] }, key);
    const project = mkdtempSync(join(tmpdir(), 'maskinporten-doctor-'));
    const token = await broken.accessToken();
    writeFileSync(join(project, '.env'), `KEY="${key.pem}"\nTOKEN=${token}\nJWK='${JSON.stringify(key.jwk)}'\n`);
    const canaries = [
      ...key.pem.split('\n').filter((line) => line.length === 64),
      ...['d', 'p', 'q', 'dp', 'dq', 'qi'].map((name) => String(Reflect.get(key.jwk, name))),
      ...token
        .split('.')
        .map((part) => part.slice(0, 24))
        .slice(1),
      'canary-subscription-key',
      'canary-passphrase',
      'canary-user',
      'canary-password',
    ];
    const altinn = {
      platformUrl: broken.simulator.platformUrl,
      systemId: '310000019_payroll',
      subscriptionKey: 'canary-subscription-key',
    };
    const setups = [
      {},
      { key: { pem: key.pem } },
      { key: { jwk: { ...key.jwk, use: 'enc' } } },
      { key: { pem: key.pem.slice(0, 900), kid: 'kid-1', passphrase: 'canary-passphrase' } },
      { key: { jwk: JSON.stringify(key.jwk).slice(0, -5), kid: 'kid-1' } },
      { key: { pem: key.pem, kid: 'another' }, uploadedJwks: JSON.stringify({ keys: [key.jwk] }) },
      { uploadedJwks: key.pem },
      { scopes: [token] },
      { clientId: key.pem },
      { issuer: 'https://canary-user:canary-password@127.0.0.1/' },
      {
        destinations: ['https://canary-user:canary-password@127.0.0.1'],
      },
      { customer: { organisation: CUSTOMER, resource: KB, action: 'write' } },
    ];
    for (const setup of setups) {
      const diagnosis = await broken.examine({ altinn, project, ...setup });
      const told = `${JSON.stringify(diagnosis)}${inspect(diagnosis, { depth: 20, showHidden: true })}`;
      for (const canary of canaries) expect(told).not.toContain(canary);
    }
    rmSync(project, { recursive: true });
    await broken.close();
  });
});

describe('checks of a running service', () => {
  it.each([
    [1, 'in 1 day,', 'om 1 dag,'],
    [7, 'in 7 days,', 'om 7 dager,'],
  ])('count the days before an end as people do: %i', (days, en, nb) => {
    const nowMs = Date.UTC(2026, 0, 1);
    for (const what of ['certificate', 'registered-key'] as const) {
      const [found] = expiryFindings([{ what, endsAt: new Date(nowMs + days * DAY_MS), counts: true }], nowMs);
      expect(found?.cause).toEqual({ en: expect.stringContaining(en), nb: expect.stringContaining(nb) });
    }
  });

  it('take what its status has, so that health can tell cause and remedy too', async () => {
    const tokens = await createTokenService({
      issuer: bench.simulator.issuer,
      clientId: 'client-1',
      key: { pem: sharedKey().pem, kid: 'kid-1', registeredAt: new Date(Date.now() - 350 * DAY_MS) },
    });
    await tokens.getToken(SCOPE);
    const { key, clock } = tokens.status;
    await tokens.close();
    expect(clockFinding(clock)).toMatchObject({ id: 'clock', level: 'good' });
    expect(expiryFindings(key.ends, Date.now())).toMatchObject([{ id: 'expiry.key-expires', level: 'warning' }]);
  });
});
