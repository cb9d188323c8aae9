import { generateKeyPairSync, verify } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { inspect } from 'node:util';
import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { jwkThumbprint } from '../key-files/index.js';
import { loadSigningKey, type SigningKey } from '../keys/index.js';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';
import { makeKey, TestAuthority } from '../keys/keys.fixtures.js';
import { awsKmsSigner, type AwsKmsSigner, type AwsKmsSignerOptions } from './index.js';
import { KmsServer, type Misbehaviour } from './kms-server.fixtures.js';

const data = Buffer.from('header.claims');
const small = makeKey(2048);
const large = makeKey(3072);
const failureOf = (key: SigningKey): Promise<unknown> => key.sign(data).catch((error: unknown) => error);

let kms: KmsServer;
let arn: string;
let largeArn: string;
const signers: AwsKmsSigner[] = [];

beforeAll(async () => {
  kms = await KmsServer.start();
  arn = kms.add(small);
  largeArn = kms.add(large);
  kms.aliases.set('alias/maskinporten', arn);
});
afterEach(async () => {
  for (const signer of signers.splice(0)) await signer.close();
  kms.script = [];
  kms.always = undefined;
  kms.seen.length = 0;
  for (const key of kms.keys.values()) key.enabled = true;
});
afterAll(async () => kms?.close());

async function open(options: Partial<AwsKmsSignerOptions> = {}): Promise<{ signer: AwsKmsSigner; key: SigningKey }> {
  const signer = await awsKmsSigner({ keyId: arn, config: kms.config, ...options });
  signers.push(signer);
  return { signer, key: await loadSigningKey({ signer }) };
}

async function openWith(client: KMSClient): Promise<{ signer: AwsKmsSigner; key: SigningKey }> {
  const signer = await awsKmsSigner({ keyId: arn, client });
  signers.push(signer);
  return { signer, key: await loadSigningKey({ signer }) };
}

async function refusalOf(options: unknown): Promise<MaskinportenError> {
  const error: unknown = await awsKmsSigner(options as AwsKmsSignerOptions).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error)) throw new Error(`expected our error, got ${String(error)}`);
  return error;
}

describe('a key in AWS KMS', () => {
  it.each([
    ['RS256', 2048],
    ['RS384', 2048],
    ['RS512', 2048],
    ['RS256', 3072],
  ] as const)('signs %s with %i bits; what is sent is a digest, signed with the credentials', async (alg, bits) => {
    const { key } = await open({ keyId: bits === 2048 ? arn : largeArn, alg });
    const { publicKey } = bits === 2048 ? small : large;
    const long = Buffer.alloc(10_000, 'x');
    expect(verify(`sha${alg.slice(2)}`, long, publicKey, await key.sign(long))).toBe(true);
    expect(kms.signed()).toEqual([
      {
        target: 'TrentService.Sign',
        body: expect.objectContaining({
          MessageType: 'DIGEST',
          SigningAlgorithm: `RSASSA_PKCS1_V1_5_SHA_${alg.slice(2)}`,
        }),
      },
    ]);
  });

  it('asks for the public key once, and is named by its thumbprint', async () => {
    const { key } = await open();
    await Promise.all(Array.from({ length: 20 }, () => key.sign(data)));
    expect(kms.seen.filter(({ target }) => target === 'TrentService.GetPublicKey')).toHaveLength(1);
    expect(key.kid).toBe(await jwkThumbprint(small.publicKey));
    expect((await open({ kid: 'my-kid' })).key.kid).toBe('my-kid');
  });

  it('with a certificate chain presents it; F-114: one of another key is refused', async () => {
    const authority = new TestAuthority();
    const { certificate } = authority.issue({ subject: '/CN=X', key: small });
    const { key } = await open({ certificateChain: certificate });
    expect([key.kid, key.x5c?.length]).toEqual([undefined, 1]);
    const other = authority.issue({ subject: '/CN=X' }).certificate;
    await expect(open({ certificateChain: other })).rejects.toMatchObject({
      failures: [{ field: 'key.signer.certificateChain' }],
    });
  });

  it('follows an alias once: pointed elsewhere later, the key that was found goes on signing', async () => {
    const { key } = await open({ keyId: 'alias/maskinporten' });
    kms.aliases.set('alias/maskinporten', largeArn);
    await expect(key.sign(data)).resolves.toHaveLength(256);
    kms.aliases.set('alias/maskinporten', arn);
  });

  it('compares the public key with the one that was registered', async () => {
    const pem = small.publicKey.export({ type: 'spki', format: 'pem' });
    await open({ publicKey: small.publicKey });
    await open({ publicKey: pem });
    const config = kms.config;
    expect(await refusalOf({ keyId: arn, config, publicKey: large.publicKey })).toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'awsKms.keyId', reason: expect.stringContaining('not the one') }],
    });
    expect(await refusalOf({ keyId: arn, config, publicKey: 'x' })).toMatchObject({
      failures: [{ field: 'awsKms.publicKey' }],
    });
  });

  it('a signature that the public key does not verify is never used', async () => {
    const { key } = await open();
    kms.script = [{ answer: { KeyId: arn, Signature: Buffer.alloc(256).toString('base64') } }, { answer: {} }];
    expect(await failureOf(key)).toMatchObject({ code: 'MP_SIGNATURE' });
    expect(await failureOf(key)).toMatchObject({ code: 'MP_UPSTREAM' });
  });

  it('a client of one’s own is used and left open', async () => {
    const client = new KMSClient(kms.config);
    const { signer, key } = await openWith(client);
    await signer.close();
    expect(await failureOf(key)).toMatchObject({ code: 'MP_ABORTED' });
    const { key: second } = await openWith(client);
    await expect(second.sign(data)).resolves.toHaveLength(256);
    client.destroy();
  });
});

describe('what is refused at start', () => {
  it('options that are wrong, all at once', async () => {
    const error = await refusalOf({
      keyId: 'two words',
      alg: 'PS256',
      client: new KMSClient({ region: 'eu-north-1' }),
      config: {},
      timeoutMs: 0,
      concurrency: 65,
      maxWaiting: 0.5,
    });
    expect(error.failures.map(({ field }) => field).toSorted()).toEqual(
      ['alg', 'concurrency', 'config', 'keyId', 'maxWaiting', 'timeoutMs'].map((name) => `awsKms.${name}`),
    );
  });

  it.each([
    ['an unknown key', { keyId: 'alias/typo' }, 'awsKms.keyId'],
    [
      'credentials that are unknown',
      { config: { credentials: { accessKeyId: 'AKIAX', secretAccessKey: 'canary' } } },
      'awsKms.credentials',
    ],
    [
      'no credentials',
      {
        config: {
          credentials: () => Promise.reject(Object.assign(new Error('canary'), { name: 'CredentialsProviderError' })),
        },
      },
      'awsKms.credentials',
    ],
  ] satisfies [string, object, string][])(
    'F-110: %s',
    async (_, { config, ...options }: { config?: object; keyId?: string }, field) => {
      const error = await refusalOf({ keyId: arn, ...options, config: { ...kms.config, ...config } });
      expect(error).toMatchObject({ code: 'MP_CONFIG', retryable: false, actBy: 'you', failures: [{ field }] });
      expect([error.hint.en.length > 20, error.hint.nb.length > 20]).toEqual([true, true]);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
    },
  );

  it('a secret that is wrong: the signature of the request is looked at', async () => {
    const { credentials, ...config } = kms.config;
    const wrong = { ...credentials, secretAccessKey: 'wrong-canary' };
    expect(await refusalOf({ keyId: arn, config: { ...config, credentials: wrong } })).toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'awsKms.credentials', reason: expect.stringContaining('InvalidSignatureException') }],
    });
  });

  it('F-116: a key for encryption, and one that makes other signatures', async () => {
    const other = kms.add(small);
    const key = kms.keys.get(other);
    if (key === undefined) throw new Error('no key');
    key.usage = 'ENCRYPT_DECRYPT';
    expect(await refusalOf({ keyId: other, config: kms.config })).toMatchObject({
      failures: [{ field: 'awsKms.keyId' }],
    });
    key.usage = 'SIGN_VERIFY';
    key.algorithms = ['ECDSA_SHA_256'];
    expect((await refusalOf({ keyId: other, config: kms.config })).message).toContain('RSA keys only');
    const curve = kms.add(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
    await expect(open({ keyId: curve })).rejects.toMatchObject({ code: 'MP_CONFIG' });
  });
});

describe('a KMS that cannot be reached', () => {
  it('is told apart by what happened on the way, in a process where errors are those of Node itself', async () => {
    const authority = new TestAuthority();
    const issued = authority.issue({ subject: '/CN=localhost', subjectAltName: 'IP:127.0.0.1' });
    const tls = createServer({ key: issued.key.pem, cert: issued.certificate });
    tls.unref().listen(0, '127.0.0.1');
    await once(tls, 'listening');
    const { port } = tls.address() as AddressInfo;
    const endpoints = ['http://127.0.0.1:1', 'http://no-such-host.invalid', `https://127.0.0.1:${port}`];
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-kms-'));
    compileRooms(directory, ['errors', 'key-files', 'certificates', 'keys', 'aws-kms']);
    const script = join(directory, 'main.js');
    writeFileSync(
      script,
      `import { awsKmsSigner } from './aws-kms/index.js';
       const { endpoints, config } = JSON.parse(process.argv[2]);
       const told = {};
       for (const endpoint of endpoints) {
         const options = { keyId: 'alias/x', config: { ...config, endpoint } };
         const { code, retryable, message } = await awsKmsSigner(options).catch((error) => error);
         told[endpoint] = [code, retryable, message];
       }
       const signer = await awsKmsSigner({ keyId: 'alias/maskinporten', config });
       console.log(JSON.stringify({ told }));
       process.stdin.resume().once('data', async () => {
         const { signal } = new AbortController();
         const { code } = await signer.sign(new Uint8Array(9), { alg: 'RS256', signal }).catch((error) => error);
         console.log(JSON.stringify({ code, health: signer.health.report().status }));
         await signer.close();
         process.stdin.destroy();
       });`,
    );
    const child = spawn(process.execPath, [script, JSON.stringify({ endpoints, config: kms.config })], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = once(child, 'exit');
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    const { told } = JSON.parse(first.toString()) as { told: Record<string, unknown[]> };
    expect(Object.values(told)).toEqual([
      ['MP_NETWORK', true, expect.stringContaining('ECONNREFUSED')],
      ['MP_NETWORK', true, expect.stringMatching(/ENOTFOUND|EAI_AGAIN/)],
      ['MP_TLS', false, expect.any(String)],
    ]);
    kms.always = 'reset';
    child.stdin.write('now\n');
    const [second] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(second.toString())).toEqual({ code: 'MP_NETWORK', health: 'degraded' });
    // Nothing that was closed keeps it alive.
    expect((await ended)[0]).toBe(0);
    tls.close();
  });
});

const failing = (type: string, status = 400): Misbehaviour => ({ status, type, message: 'message-canary' });

describe('a KMS that fails', () => {
  it.each<readonly [string, Misbehaviour, object]>([
    ['throttled', failing('ThrottlingException'), { code: 'MP_THROTTLED', retryable: true }],
    ['over a limit', failing('LimitExceededException'), { code: 'MP_THROTTLED', retryable: true }],
    ['429 without a name', failing('x', 429), { code: 'MP_THROTTLED', retryable: true }],
    ['a fault of its own', failing('KMSInternalException', 500), { code: 'MP_UPSTREAM', retryable: true }],
    ['a dependency is slow', failing('DependencyTimeoutException', 503), { code: 'MP_UPSTREAM', retryable: true }],
    ['key not available for now', failing('KeyUnavailableException', 500), { code: 'MP_UPSTREAM', retryable: true }],
    ['503 from something in between', failing('', 503), { code: 'MP_UPSTREAM', retryable: true }],
    ['hanging', 'hang', { code: 'MP_TIMEOUT', retryable: true }],
    ['no access', failing('AccessDeniedException'), { code: 'MP_CONFIG', retryable: false, field: 'awsKms.keyId' }],
    ['key disabled', failing('DisabledException'), { code: 'MP_CONFIG', retryable: false, field: 'awsKms.keyId' }],
    [
      'key to be deleted',
      failing('KMSInvalidStateException'),
      { code: 'MP_CONFIG', retryable: false, field: 'awsKms.keyId' },
    ],
    [
      'credentials expired',
      failing('ExpiredTokenException'),
      { code: 'MP_CONFIG', retryable: false, field: 'awsKms.credentials' },
    ],
    [
      'a refusal nobody knows',
      failing('SomethingNewException'),
      { code: 'MP_CONFIG', retryable: false, field: 'awsKms' },
    ],
  ])('%s', async (_name, misbehaviour, { field = 'awsKms', ...expected }: { field?: string }) => {
    const { signer, key } = await open({ timeoutMs: misbehaviour === 'hang' ? 2_000 : 60_000 });
    kms.always = misbehaviour;
    const failure = await failureOf(key);
    expect(failure).toMatchObject({ ...expected, actBy: 'you', failures: [{ field }] });
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toMatch(/canary|AKIA|AWS4/);
    const { retryable, code } = failure as MaskinportenError;
    const status = retryable ? 'degraded' : 'down';
    expect(signer.health.report()).toMatchObject({ status, details: { code } });
    kms.always = undefined;
    await expect(key.sign(data)).resolves.toHaveLength(256);
    expect(signer.health.report()).toEqual({ status: 'up' });
  });

  it('a fault that is over at once costs no call: the SDK tries once more', async () => {
    const { key } = await open();
    for (const fault of ['reset', failing('ThrottlingException'), failing('KMSInternalException', 500)] as const) {
      kms.script = [fault];
      await expect(key.sign(data)).resolves.toHaveLength(256);
    }
  });

  it('the retries of the SDK end with our deadline, however many it was given', async () => {
    const { key } = await open({ timeoutMs: 2_000, config: { ...kms.config, maxAttempts: 100 } });
    kms.always = failing('ThrottlingException');
    expect(await failureOf(key)).toMatchObject({ category: 'transient' });
    const sent = kms.seen.length;
    expect(sent).toBeLessThan(50);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(kms.seen.length).toBe(sent);
  });

  it('credentials that never come are waited for no longer than the deadline', async () => {
    const { credentials, ...config } = kms.config;
    let silent = false;
    const provider = (): Promise<typeof credentials> =>
      silent ? new Promise(() => {}) : Promise.resolve({ ...credentials, expiration: new Date() });
    const { key } = await open({ timeoutMs: 2_000, config: { ...config, credentials: provider } });
    silent = true;
    expect(await failureOf(key)).toMatchObject({ code: 'MP_TIMEOUT' });
  });

  it('KMS away at start is not a wrong setting', async () => {
    kms.always = failing('KMSInternalException', 500);
    expect(await refusalOf({ keyId: arn, config: kms.config })).toMatchObject({ code: 'MP_UPSTREAM', retryable: true });
    kms.always = 'hang';
    expect(await refusalOf({ keyId: arn, config: kms.config, timeoutMs: 100 })).toMatchObject({ code: 'MP_TIMEOUT' });
  });

  it('a caller that goes ends the request, before and during', async () => {
    const { signer } = await open();
    const gone = { alg: 'RS256', signal: AbortSignal.abort() } as const;
    await expect(signer.sign(data, gone)).rejects.toMatchObject({ code: 'MP_ABORTED' });
    expect(kms.signed()).toEqual([]);
    kms.always = 'hang';
    const controller = new AbortController();
    const signing = signer.sign(data, { alg: 'RS256', signal: controller.signal });
    controller.abort();
    await expect(signing).rejects.toMatchObject({ code: 'MP_ABORTED' });
    expect(signer.health.report()).toEqual({ status: 'up' });
  });

  it('no more at a time than allowed, and a bounded queue', async () => {
    const { key } = await open({ concurrency: 2, maxWaiting: 3, timeoutMs: 60_000 });
    kms.always = 'hang';
    const controller = new AbortController();
    const runs = Array.from({ length: 7 }, () =>
      (key.gate ?? { run: () => Promise.reject(new Error('no gate')) })
        .run(() => key.sign(data, { signal: controller.signal }), { signal: controller.signal })
        .catch((thrown: unknown) => (thrown as MaskinportenError).code),
    );
    while (kms.signed().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect([key.gate?.running, key.gate?.waiting, kms.signed().length]).toEqual([2, 3, 2]);
    controller.abort();
    expect((await Promise.all(runs)).map(String).toSorted()).toEqual([
      ...Array.from({ length: 5 }, () => 'MP_ABORTED'),
      'MP_THROTTLED',
      'MP_THROTTLED',
    ]);
  });

  it('T-06: nothing that can be printed of a signer holds the credentials', async () => {
    const { signer } = await open();
    const printed = inspect(signer, { depth: 12, showHidden: true, getters: true }) + JSON.stringify(signer);
    expect(printed).not.toContain(kms.secretAccessKey);
    expect(printed).not.toContain(kms.config.credentials.accessKeyId);
    expect(printed).not.toContain('111122223333');
  });
});
