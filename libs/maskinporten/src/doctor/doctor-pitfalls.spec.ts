import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { SimulatorConfig } from 'maskinporten-simulator';
import { makeKey, TestAuthority } from '../keys/keys.fixtures.js';
import {
  ALTINN,
  ALTINN_SCOPES,
  CUSTOMER,
  DAY_MS,
  DoctorBench,
  KB,
  SCOPE,
  STRANGER,
  SYSTEM,
  VENDOR,
  client,
  expectCause,
  publicJwk,
  sharedKey,
} from './doctor.fixtures.js';
import { examine, type Diagnosis } from './index.js';

const benches: DoctorBench[] = [];
const folders: string[] = [];

let usual: Promise<DoctorBench> | undefined;

/** Without a configuration of its own, a simulator that several tests share: the doctor changes nothing there. */
async function bench(config?: SimulatorConfig): Promise<DoctorBench> {
  if (config === undefined) return (usual ??= DoctorBench.start());
  const started = await DoctorBench.start(config);
  benches.push(started);
  return started;
}

function folder(files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'maskinporten-doctor-'));
  folders.push(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
}

function git(directory: string, ...args: string[]): void {
  const name = ['-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.no'];
  execFileSync('git', [...name, '-C', directory, ...args], { stdio: 'pipe' });
}

let acme: TestAuthority | undefined;
/** An authority that no environment knows. */
const acmeRoot = (): TestAuthority => (acme ??= new TestAuthority('/CN=Acme Root'));

const skippedBecause = (diagnosis: Diagnosis, because: string): string[] =>
  diagnosis.findings.filter((finding) => finding.because === because).map(({ id }) => id);

afterEach(async () => {
  await Promise.all(benches.splice(0).map((started) => started.close()));
});
afterAll(async () => {
  await (await usual)?.close();
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

describe('doctor pitfall 1: audience of the wrong environment', () => {
  it('a token endpoint that belongs to another issuer', async () => {
    const [here, there] = [await bench(), await bench({})];
    const diagnosis = await here.examine({ tokenEndpoint: there.simulator.tokenEndpoint });
    expectCause(diagnosis, 'audience.environment', 1);
    expect(diagnosis.cause?.mpCode).toBe('MP-110');
    expect(diagnosis.cause?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is found in the configuration alone, and nothing is sent', async () => {
    const diagnosis = await examine({
      environment: 'test',
      issuer: 'https://maskinporten.no/',
      clientId: 'client-1',
      key: { pem: sharedKey().pem, kid: 'kid-1' },
      scopes: [SCOPE],
    });
    expectCause(diagnosis, 'audience.environment', 1);
    expect(skippedBecause(diagnosis, 'audience.environment')).toEqual(
      expect.arrayContaining(['issuer', 'token-endpoint', 'client', 'scope']),
    );
  });

  it('another name of the same host', async () => {
    const started = await bench();
    const diagnosis = await started.examine({ issuer: started.simulator.issuer.replace('127.0.0.1', 'localhost') });
    expectCause(diagnosis, 'audience.not-issuer', 1);
    expect(diagnosis.cause?.cause.en).toContain(started.simulator.issuer);
  });

  it('the token endpoint in place of the issuer', async () => {
    const started = await bench();
    const diagnosis = await started.examine({ issuer: started.simulator.tokenEndpoint });
    expectCause(diagnosis, 'audience.not-issuer', 1);
    expect(diagnosis.cause?.fix?.en).toContain(started.simulator.issuer);
  });
});

describe('doctor pitfall 2: missing slash', () => {
  it('is found by asking the server what it calls itself', async () => {
    const started = await bench();
    const diagnosis = await started.examine({ issuer: started.simulator.issuer.slice(0, -1) });
    expectCause(diagnosis, 'audience.slash', 2);
    expect(diagnosis.cause?.fix?.nb).toContain(started.simulator.issuer);
    expect(skippedBecause(diagnosis, 'audience.slash')).toContain('client');
  });

  it.each(['https://test.maskinporten.no', 'https://maskinporten.no'])('%s is known to lack it', async (issuer) => {
    const key = { pem: sharedKey().pem, kid: 'kid-1' };
    expectCause(await examine({ issuer, clientId: 'client-1', key }), 'audience.slash', 2);
  });
});

describe('doctor pitfall 3: misspelt or wrongly cased scope', () => {
  it('wrong capitals, proven by a token for the right spelling', async () => {
    const started = await bench();
    const diagnosis = await started.examine({ scopes: ['Skatteetaten:KravOgBetalinger'] });
    expectCause(diagnosis, 'scope.wrong-case', 3);
    expect(diagnosis.cause?.cause.en).toContain(`the client has ${SCOPE}`);
  });

  it('a letter too few', async () => {
    const diagnosis = await (await bench()).examine({ scopes: ['skatteetaten:kravogbetaling'] });
    expectCause(diagnosis, 'scope.misspelt', 3);
    expect(diagnosis.cause?.fix?.en).toContain(SCOPE);
  });

  it('of an API that nobody knows, found in the open list of scopes', async () => {
    const started = await bench({ clients: [client(sharedKey(), { scopes: ['acme:invoices/v2.read'] })] });
    const { selfServiceUrl } = started.simulator;
    const diagnosis = await started.examine({ selfServiceUrl, scopes: ['acme:invoice/v2.read'], altinn: undefined });
    expectCause(diagnosis, 'scope.misspelt', 3);
    expect(diagnosis.cause?.cause.en).toContain('the client has acme:invoices/v2.read');
  });

  it('one wrong scope does not hide that the other is good', async () => {
    const diagnosis = await (await bench()).examine({ scopes: [SCOPE, 'altinn:instance.read'] });
    expectCause(diagnosis, 'scope.misspelt', 3);
    expect(
      diagnosis.findings.filter(({ level, title }) => level === 'good' && title.en === `Scope ${SCOPE}`),
    ).toHaveLength(1);
  });
});

describe('doctor pitfall 4: scope not registered on the client', () => {
  it.each(['altinn:broker.read', 'acme:things.read'])('%s', async (scope) => {
    const diagnosis = await (await bench()).examine({ scopes: [scope] });
    expectCause(diagnosis, 'scope.not-registered', 4);
    expect(diagnosis.cause?.mpCode).toBe('MP-200');
  });
});

it('doctor pitfall 4: a scope that is on the open list exists, and is near to another that the client has', async () => {
  const started = await bench({ scopes: [{ name: 'acme:x' }], clients: [client(sharedKey(), { scopes: ['acme:y'] })] });
  const { selfServiceUrl } = started.simulator;
  const diagnosis = await started.examine({ selfServiceUrl, scopes: ['acme:x'], altinn: undefined });
  expectCause(diagnosis, 'scope.not-registered', 4);
  expect(diagnosis.cause?.cause.nb).toContain('finnes, men');
});

it('doctor pitfall 5: scope not granted to the organisation', async () => {
  const diagnosis = await (await bench({ ungranted: [{ orgno: VENDOR, scope: SCOPE }] })).examine();
  expectCause(diagnosis, 'scope.not-granted', 5);
  expect(diagnosis.cause?.actBy).toBe('api-owner');
});

it('doctor pitfall 6: consumer_org not delegated', async () => {
  const diagnosis = await (await bench()).examine({ consumerOrg: CUSTOMER });
  expectCause(diagnosis, 'scope.not-delegated', 6);
  expect(diagnosis.cause).toMatchObject({ actBy: 'customer', mpCode: 'MP-251' });
});

describe('doctor pitfall 7: clock skew', () => {
  it.each([30, -45])('of %i seconds, which tokens survive', async (clockOffsetSeconds) => {
    const diagnosis = await (await bench({ clockOffsetSeconds })).examine();
    expectCause(diagnosis, 'clock.skew', 7);
    expect(diagnosis.cause?.cause.en).toContain(clockOffsetSeconds > 0 ? 'behind' : 'ahead of');
    expect(diagnosis.cause?.cause.en).toMatch(
      // A Date header has whole seconds, and half of the time on the way is unknown.
      new RegExp([-2, -1, 0, 1, 2].map((more) => `\\b${Math.abs(clockOffsetSeconds) + more} seconds`).join('|')),
    );
  });

  it('of ten minutes, which is too much to correct', async () => {
    const diagnosis = await (await bench({ clockOffsetSeconds: 600 })).examine();
    expectCause(diagnosis, 'clock.skew', 7);
    expect(skippedBecause(diagnosis, 'clock.skew')).toContain('scope');
  });

  it('of five seconds is a warning', async () => {
    expectCause(await (await bench({ clockOffsetSeconds: 5 })).examine(), 'clock.skew', 7, 'warning');
  });
});

describe('doctor pitfall 8: JWK use enc', () => {
  it('in the private key', async () => {
    const { jwk } = sharedKey();
    const diagnosis = await (
      await bench()
    ).examine({ key: { jwk: { ...jwk, use: 'enc', kid: 'kid-1', alg: 'RS256' } } });
    expectCause(diagnosis, 'key.use-enc', 8);
  });

  it('in what was uploaded', async () => {
    const uploadedJwks = JSON.stringify({ keys: [publicJwk(sharedKey(), { use: 'enc' })] });
    expectCause(await (await bench()).examine({ uploadedJwks }), 'uploaded-key.use-enc', 8);
  });
});

describe('doctor pitfall 9: JWK without alg', () => {
  it('in what was uploaded', async () => {
    const { alg, ...jwk } = publicJwk(sharedKey());
    expect(alg).toBe('RS256');
    expectCause(await (await bench()).examine({ uploadedJwks: JSON.stringify(jwk) }), 'uploaded-key.alg-missing', 9);
  });

  it('in the private key is a warning, because it signs all the same', async () => {
    const diagnosis = await (await bench()).examine({ key: { jwk: { ...sharedKey().jwk, kid: 'kid-1', use: 'sig' } } });
    expectCause(diagnosis, 'key.alg-missing', 9, 'warning');
  });
});

describe('doctor pitfall 10: key and uploaded JWK differ', () => {
  it('as the uploaded file shows', async () => {
    const uploadedJwks = JSON.stringify({ keys: [publicJwk(makeKey())] });
    const diagnosis = await (await bench()).examine({ uploadedJwks });
    expectCause(diagnosis, 'uploaded-key.other-key', 10);
    expect(skippedBecause(diagnosis, 'uploaded-key.other-key')).toContain('client');
  });

  it('as Maskinporten finds', async () => {
    const started = await bench({ clients: [client(makeKey())] });
    const diagnosis = await started.examine();
    expectCause(diagnosis, 'key.other-key', 10);
    expect(diagnosis.findings.map(({ id }) => id)).not.toContain('key');
    expect(diagnosis.cause?.mpCode).toBe('MP-124');
  });

  it('a certificate of another key', async () => {
    const { certificate } = acmeRoot().issue({ subject: '/C=NO/CN=Acme' });
    const key = { pem: sharedKey().pem, certificateChain: certificate };
    expectCause(await (await bench()).examine({ key }), 'key.certificate-of-another-key', 10);
  });
});

describe('doctor pitfall 11: unknown kid', () => {
  it('as Maskinporten finds', async () => {
    const diagnosis = await (await bench()).examine({ key: { pem: sharedKey().pem, kid: 'kid-of-yesteryear' } });
    expectCause(diagnosis, 'key.kid-unknown', 11);
  });

  it('as the uploaded file shows, with the right one', async () => {
    const uploadedJwks = JSON.stringify({ keys: [publicJwk(sharedKey(), { kid: 'the-right-one' })] });
    const diagnosis = await (await bench()).examine({ uploadedJwks });
    expectCause(diagnosis, 'uploaded-key.kid-unknown', 11);
    expect(diagnosis.cause?.fix?.nb).toContain('the-right-one');
  });
});

describe('doctor pitfall 12: kid missing', () => {
  it('and no certificate either', async () => {
    expectCause(await (await bench()).examine({ key: { pem: sharedKey().pem } }), 'key.kid-missing', 12);
  });

  it('with a certificate, for a client with registered keys', async () => {
    const { certificate } = acmeRoot().issue({ subject: '/C=NO/CN=Acme', key: sharedKey() });
    const key = { pem: sharedKey().pem, certificateChain: certificate };
    expectCause(await (await bench()).examine({ key }), 'key.kid-missing', 12);
  });

  it('in what was uploaded', async () => {
    const uploadedJwks = JSON.stringify(publicJwk(sharedKey(), { kid: undefined }));
    expectCause(await (await bench()).examine({ uploadedJwks }), 'uploaded-key.kid-missing', 12);
  });
});

const authorities = new Map<string, { root: TestAuthority; issuer: TestAuthority }>();

/** The authorities of a Norwegian issuer's name, made by OpenSSL when first asked for. */
function authoritiesOf(branch: 'test' | 'prod'): { root: TestAuthority; issuer: TestAuthority } {
  const test = branch === 'test' ? 'Test4 ' : '';
  const made = authorities.get(branch);
  if (made !== undefined) return made;
  const root = new TestAuthority(`/C=NO/O=Buypass AS/CN=Buypass Class 3 ${test}Root CA G2 ST`);
  const issuer = new TestAuthority(`/C=NO/O=Buypass AS/CN=Buypass Class 3 ${test}CA G2 ST Business`, root);
  authorities.set(branch, { root, issuer });
  return { root, issuer };
}

/** A chain of theirs. */
function enterprise(branch: 'test' | 'prod', organisation = VENDOR, dates: { from?: string; to?: string } = {}) {
  const { root, issuer } = authoritiesOf(branch);
  const leaf = issuer.issue({
    subject: `/C=NO/O=ACME AS/organizationIdentifier=NTRNO-${organisation}/CN=ACME AS`,
    extensions: ['keyUsage=critical,digitalSignature'],
    key: sharedKey(),
    ...dates,
  });
  return { root: root.certificate, issuer: issuer.certificate, leaf: leaf.certificate };
}

const certificateClient = (root: string): SimulatorConfig => ({
  clients: [{ clientId: 'client-1', orgno: VENDOR, scopes: [SCOPE], certificate: true, trustedRoots: [root] }],
});

describe('doctor pitfall 13: test client or key against production', () => {
  it('a certificate of the test branch', async () => {
    const { leaf, issuer, root } = enterprise('test');
    const started = await bench(certificateClient(root));
    const diagnosis = await started.examine({
      environment: 'prod',
      key: { pem: sharedKey().pem, certificateChain: leaf + issuer },
    });
    expectCause(diagnosis, 'certificate.test-in-production', 13);
    expect(skippedBecause(diagnosis, 'certificate.test-in-production')).toContain('client');
  });

  it('a certificate of the test branch that is not sent, because there is a kid, is a warning', async () => {
    const { leaf, issuer } = enterprise('test');
    const key = { pem: sharedKey().pem, kid: 'kid-1', certificateChain: leaf + issuer };
    const diagnosis = await (await bench()).examine({ environment: 'prod', key });
    expectCause(diagnosis, 'certificate.test-in-production', 13, 'warning');
  });

  it('a client that production does not know', async () => {
    const diagnosis = await (
      await bench()
    ).examine({ environment: 'prod', clientId: 'client-of-the-test-environment' });
    expectCause(diagnosis, 'client.test-in-production', 13);
    expect(diagnosis.cause?.mpCode).toBe('MP-100');
  });
});

describe('doctor pitfall 14: production client or key against test', () => {
  it('a certificate of the production branch', async () => {
    const { leaf, issuer, root } = enterprise('prod');
    const started = await bench(certificateClient(root));
    const key = { pem: sharedKey().pem, certificateChain: leaf + issuer };
    expectCause(await started.examine({ environment: 'test', key }), 'certificate.production-in-test', 14);
  });

  it('a client that the test environment does not know', async () => {
    const diagnosis = await (await bench()).examine({ environment: 'test', clientId: 'client-of-production' });
    expectCause(diagnosis, 'client.production-in-test', 14);
  });
});

const openSslDate = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');

describe('doctor pitfall 15: certificate expiring or expired', () => {
  it('expired', async () => {
    const { leaf, issuer, root } = enterprise('test', VENDOR, {
      from: '20230101000000Z',
      to: openSslDate(Date.now() - DAY_MS),
    });
    const started = await bench(certificateClient(root));
    const key = { pem: sharedKey().pem, certificateChain: leaf + issuer };
    expectCause(await started.examine({ key }), 'certificate.expired', 15);
  });

  it('expiring within twenty days', async () => {
    const { leaf, issuer, root } = enterprise('test', VENDOR, { to: openSslDate(Date.now() + 20 * DAY_MS) });
    const started = await bench(certificateClient(root));
    const key = { pem: sharedKey().pem, certificateChain: leaf + issuer };
    const diagnosis = await started.examine({ key, altinn: undefined });
    expectCause(diagnosis, 'expiry.certificate-expires', 15, 'warning');
    expect(diagnosis.cause?.cause.nb).toContain('20 dager');
  });
});

describe('doctor pitfall 16: registered key close to or past one year', () => {
  it.each([
    [350, 'expiry.key-expires', 'warning'],
    [370, 'expiry.key-expired', 'failed'],
  ] as const)('uploaded %i days ago', async (days, id, level) => {
    const key = { pem: sharedKey().pem, kid: 'kid-1', registeredAt: new Date(Date.now() - days * DAY_MS) };
    expectCause(await (await bench()).examine({ key }), id, 16, level);
  });

  it('as Maskinporten finds', async () => {
    const jwks = { keys: [{ ...publicJwk(sharedKey()), exp: Math.floor(Date.now() / 1000) - 60 }] };
    const diagnosis = await (await bench({ clients: [client(sharedKey(), { jwks })] })).examine();
    expectCause(diagnosis, 'key.registration-expired', 16);
    expect(diagnosis.cause?.mpCode).toBe('MP-121');
  });
});

describe('doctor pitfall 17: certificate of another organisation', () => {
  it('than the configured one', async () => {
    const { leaf, issuer, root } = enterprise('test', STRANGER);
    const key = { pem: sharedKey().pem, certificateChain: leaf + issuer };
    const diagnosis = await (await bench(certificateClient(root))).examine({ key });
    expectCause(diagnosis, 'certificate.organisation', 17);
    expect(diagnosis.cause?.cause.en).toContain(STRANGER);
  });

  it('than the one that owns the client', async () => {
    const { leaf, issuer, root } = enterprise('test', STRANGER);
    const key = { pem: sharedKey().pem, certificateChain: leaf + issuer };
    const diagnosis = await (await bench(certificateClient(root))).examine({ key, organisation: undefined });
    expectCause(diagnosis, 'certificate.organisation', 17);
    expect(diagnosis.cause?.mpCode).toBe('MP-122');
  });
});

describe('doctor pitfall 18: chain incomplete', () => {
  it('so that Maskinporten refuses it', async () => {
    const { leaf, root } = enterprise('test');
    const key = { pem: sharedKey().pem, certificateChain: leaf };
    const diagnosis = await (await bench(certificateClient(root))).examine({ key });
    expectCause(diagnosis, 'certificate.chain', 18);
    expect(diagnosis.cause?.mpCode).toBe('MP-120');
    expect(diagnosis.findings.filter(({ id }) => id === 'certificate.chain')).toHaveLength(1);
  });

  it('is a warning where it is taken all the same', async () => {
    const { leaf, issuer } = enterprise('test');
    const key = { pem: sharedKey().pem, certificateChain: leaf };
    const diagnosis = await (await bench(certificateClient(issuer))).examine({ key, altinn: undefined });
    expectCause(diagnosis, 'certificate.chain', 18, 'warning');
  });
});

describe('doctor pitfall 19: token hard-coded or key committed', () => {
  it('a key in a tracked file', async () => {
    const project = folder({
      'server.ts': `export const key = \`${sharedKey().pem}\`;\n`,
      'README.md': 'Nothing here.\n',
    });
    git(project, 'init', '-q');
    git(project, 'add', '.');
    const diagnosis = await (await bench()).examine({ project });
    expectCause(diagnosis, 'secrets.committed', 19);
    expect(diagnosis.cause?.cause.en).toMatch(/^server\.ts:1 holds a private key/);
  });

  it('a token in .env, which is not tracked', async () => {
    const started = await bench();
    const token = await started.accessToken();
    const project = folder({ '.gitignore': '.env\n', '.env': `PORT=3000\nTOKEN=${token}\n` });
    git(project, 'init', '-q');
    git(project, 'add', '.');
    const diagnosis = await started.examine({ project });
    expectCause(diagnosis, 'secrets.hard-coded', 19);
    expect(diagnosis.cause?.cause.nb).toContain('.env:2');
    expect(JSON.stringify(diagnosis)).not.toContain(token.slice(0, 30));
  });

  it('a PKCS#12 file and a private JWK that are tracked, in a subfolder', async () => {
    const project = folder({ 'client.json': JSON.stringify({ key: sharedKey().jwk }) });
    writeFileSync(join(project, 'seal.p12'), Buffer.from([0x30, 0x82, 0x01, 0x00, 0x02]));
    git(project, 'init', '-q');
    git(project, 'add', '.');
    git(project, 'commit', '-q', '-m', 'everything');
    const { findings } = await (await bench()).examine({ project });
    const causes = findings.filter(({ pitfall }) => pitfall === 19).map(({ cause }) => cause.en);
    expect(causes).toEqual([
      expect.stringMatching(/^client\.json:1 holds a private JWK/),
      expect.stringMatching(/^seal\.p12 holds a PKCS#12 key store/),
    ]);
  });

  it('a key in an untracked .env is a warning', async () => {
    const oneLine = sharedKey().pem.replaceAll('\n', String.raw`\n`);
    const project = folder({ '.env': `MASKINPORTEN_PRIVATE_KEY="${oneLine}"\n` });
    expectCause(await (await bench()).examine({ project }), 'secrets.environment-file', 19, 'warning');
  });
});

describe('doctor pitfall 20: system register entry without this client id', () => {
  it('as the register shows', async () => {
    const started = await bench({ systems: [{ id: SYSTEM, vendor: VENDOR, clientIds: ['another'], rights: [KB] }] });
    const diagnosis = await started.examine({ customer: { organisation: CUSTOMER } });
    expectCause(diagnosis, 'system.client-missing', 20);
    expect(skippedBecause(diagnosis, 'system.client-missing')).toEqual(['system-user', 'right']);
  });

  it('where the register may not be read: the customer has a system user that Maskinporten does not find', async () => {
    const scopes = [SCOPE, ...ALTINN_SCOPES.filter((scope) => !scope.includes('systemregister'))];
    const started = await bench({
      clients: [client(sharedKey(), { scopes })],
      systems: [{ id: SYSTEM, vendor: VENDOR, clientIds: ['another'], rights: [KB] }],
    });
    expectCause(await started.examine({ customer: { organisation: CUSTOMER } }), 'system.client-missing', 20);
  });
});

describe('doctor: a system that is not there for this client', () => {
  it.each([
    ['of another organisation', { vendor: '310000035' }],
    ['deleted', { isDeleted: true }],
    ['unknown', { id: `${SYSTEM}_2` }],
  ])('%s: the id is what is wrong, not a scope', async (_name, members) => {
    const started = await bench({ systems: [{ id: SYSTEM, vendor: VENDOR, rights: [KB], ...members }] });
    const diagnosis = await started.examine({ customer: { organisation: CUSTOMER } });
    expect(diagnosis.cause?.id).toBe('system.unknown');
    expect(diagnosis.cause?.cause.en).toContain('belongs to another organisation');
  });
});

describe('doctor pitfall 21: system user missing', () => {
  it('never asked for', async () => {
    const diagnosis = await (await bench()).examine({ customer: { organisation: STRANGER, resource: KB } });
    expectCause(diagnosis, 'system-user.missing', 21);
    expect(diagnosis.cause?.actBy).toBe('customer');
    expect(skippedBecause(diagnosis, 'system-user.missing')).toEqual(['right']);
  });

  it('waiting for the customer', async () => {
    const started = await bench({ requests: [{ systemId: SYSTEM, orgno: STRANGER, rights: [KB] }] });
    expectCause(await started.examine({ customer: { organisation: STRANGER } }), 'system-user.pending', 21);
  });

  it('made with a reference that was forgotten', async () => {
    const systemUsers = [{ systemId: SYSTEM, orgno: CUSTOMER, externalRef: 'branch-7', rights: [KB] }];
    const started = await bench({ systemUsers });
    const without = await started.examine({ customer: { organisation: CUSTOMER } });
    expectCause(without, 'system-user.missing', 21);
    const right = await started.examine({ customer: { organisation: CUSTOMER, externalRef: 'branch-7' } });
    expect(right.healthy).toBe(true);
  });
});

describe('doctor pitfall 22: system user without the right', () => {
  const systemUsers = [{ systemId: SYSTEM, orgno: CUSTOMER, rights: [] }];

  it('as the system user itself is told', async () => {
    const started = await bench({ ...ALTINN, systemUsers });
    const diagnosis = await started.examine({ customer: { organisation: CUSTOMER, resource: KB } });
    expectCause(diagnosis, 'right.missing', 22);
    expect(diagnosis.cause?.actBy).toBe('customer');
  });

  it('as the PDP decides, to the action', async () => {
    const started = await bench({
      systemUsers: [
        {
          systemId: SYSTEM,
          orgno: CUSTOMER,
          rights: [{ action: 'read', resource: [{ id: 'urn:altinn:resource', value: KB }] }],
        },
      ],
    });
    const altinn = {
      platformUrl: started.simulator.platformUrl,
      systemId: SYSTEM,
      subscriptionKey: 'a-subscription-key',
    };
    const customer = { organisation: CUSTOMER, resource: KB };
    const read = await started.examine({ altinn, customer });
    expect(read.healthy).toBe(true);
    expectCause(await started.examine({ altinn, customer: { ...customer, action: 'write' } }), 'right.missing', 22);
  });

  it('is told apart from a resource that nobody can have a right to', async () => {
    const started = await bench({ systemUsers });
    const { cause } = await started.examine({
      customer: { organisation: CUSTOMER, resource: 'ske-krav-og-betalingar' },
    });
    expect(cause?.id).toBe('right.not-in-system');
    expect(cause?.actBy).toBe('you');
  });
});
