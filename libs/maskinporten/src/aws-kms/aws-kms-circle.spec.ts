import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import { PATIENT } from '../../../../test/support/patience.js';
import { startTestSimulator } from '../testing/simulator.fixtures.js';
import { makeKey } from '../keys/keys.fixtures.js';
import { createTokenService, type MaskinportenTokenService, type TokenServiceConfig } from '../tokens/index.js';
import { awsKmsSigner, type AwsKmsSigner } from './index.js';
import { KmsServer } from './kms-server.fixtures.js';

const SCOPE = 'acme:read';
const inKms = makeKey(3072);
const spare = makeKey();

let simulator: Simulator;
let kms: KmsServer;
let signer: AwsKmsSigner;
let service: MaskinportenTokenService;

beforeAll(async () => {
  simulator = await startTestSimulator();
  kms = await KmsServer.start();
  kms.aliases.set('alias/maskinporten', kms.add(inKms));
});
afterEach(async () => {
  await service.close();
  await signer.close();
  kms.always = undefined;
});
afterAll(async () => {
  await simulator?.close();
  await kms?.close();
});

async function start(more: readonly { pem: string; kid: string }[] = [], timeoutMs = 60_000): Promise<void> {
  signer = await awsKmsSigner({ keyId: 'alias/maskinporten', config: kms.config, timeoutMs });
  const keys = [
    { ...signer.publicKey.export({ format: 'jwk' }), kid: signer.kid, use: 'sig', alg: 'RS256' },
    { ...spare.publicKey.export({ format: 'jwk' }), kid: 'spare', use: 'sig', alg: 'RS256' },
  ];
  const client = { clientId: 'a-client', orgno: '310000019', jwks: { keys }, scopes: [SCOPE] };
  const answer = await fetch(`${simulator.operatorUrl}/operator/api/clients`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(client),
  });
  expect(answer.ok).toBe(true);
  const key: TokenServiceConfig['key'] = [{ signer }, ...more];
  service = await createTokenService({ issuer: simulator.issuer, clientId: 'a-client', key, retry: PATIENT });
}

describe('a service whose key is in KMS', () => {
  it('gets tokens with it', async () => {
    await start();
    expect(await service.getToken(SCOPE)).toMatchObject({ kid: signer.kid, scopes: [SCOPE] });
  });

  it.each(['reset', 'hang'] as const)(
    'KMS away (%s) and back: a usable token is used, others fail for a time',
    async (how) => {
      await start([], how === 'hang' ? 2_000 : 60_000);
      const first = await service.getToken(SCOPE);
      kms.always = how;
      kms.cutAll();
      await expect(service.getToken({ scopes: SCOPE, resource: 'https://api.example.no' })).rejects.toMatchObject({
        category: 'transient',
        retryable: true,
      });
      for (let call = 0; call < 500; call += 1) {
        expect(await service.getToken(SCOPE)).toBe(first);
        if (call % 100 === 0) await setImmediate();
      }
      kms.always = undefined;
      service.invalidate(first);
      let token: unknown;
      while (token === undefined) token = await service.getToken(SCOPE).catch(() => setImmediate(undefined));
      expect(token).toMatchObject({ kid: signer.kid });
      expect(signer.health.report()).toEqual({ status: 'up' });
    },
  );

  it.each([
    ['away', 'reset'],
    ['forbidden', { status: 400, type: 'AccessDeniedException' }],
  ] as const)('KMS %s and back, with a second key: no call fails', async (_, misbehaviour) => {
    await start([{ pem: spare.pem, kid: 'spare' }]);
    const kids: (string | undefined)[] = [];
    const call = async (): Promise<void> => {
      const token = await service.getToken(SCOPE);
      kids.push(token.kid);
      service.invalidate(token);
    };
    for (let each = 0; each < 3; each += 1) await call();
    kms.always = misbehaviour;
    for (let each = 0; each < 3; each += 1) await call();
    kms.always = undefined;
    for (let each = 0; each < 3; each += 1) await call();
    const { kid } = signer;
    expect(kids).toEqual([kid, kid, kid, 'spare', 'spare', 'spare', kid, kid, kid]);
    expect(service.status.key).toMatchObject({ kid, fallback: false });
  });
});
