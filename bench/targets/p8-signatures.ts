import { importPKCS8, SignJWT } from 'jose';
import { normaliseTokenRequest } from 'nestjs-maskinporten';
import { randomUUID } from 'node:crypto';
import { SCOPES } from '../clients/client.js';
import { alternate } from '../measure/alternate.js';
import { newCredentials, type Credentials } from '../measure/credentials.js';
import { watchProcess, type Disturbance } from '../measure/process-watch.js';
import { median, medianRatio } from '../measure/statistics.js';
import type { Measurement } from '../report/measurement.js';
import { ms, type Target } from './target.js';

const NAMES = ['ours', 'jose'] as const;
type Sign = () => Promise<unknown>;

/** The parts of two rooms of the built package that no application sees, so that signatures are measured without HTTP. */
interface Rooms {
  readonly loadSigningKey: (source: { pem: string; kid: string }) => Promise<unknown>;
  readonly signingGate: unknown;
  readonly AssertionFactory: new (options: {
    issuer: string;
    clientId: string;
    nowMs: () => number;
    gate: unknown;
  }) => { create(request: unknown, key: unknown, signal: AbortSignal): Promise<unknown> };
}

async function builtRooms(): Promise<Rooms> {
  const entry = import.meta.resolve('nestjs-maskinporten');
  const room = async (name: string): Promise<object> =>
    (await import(new URL(`${name}/index.js`, entry).href)) as object;
  return { ...(await room('keys')), ...(await room('grants')) } as unknown as Rooms;
}

const ISSUER = 'http://127.0.0.1/';

async function oursSigner({ privateKeyPem, kid, clientId }: Credentials): Promise<Sign> {
  const { loadSigningKey, signingGate, AssertionFactory } = await builtRooms();
  const key = await loadSigningKey({ pem: privateKeyPem, kid });
  const factory = new AssertionFactory({ issuer: ISSUER, clientId, nowMs: Date.now, gate: signingGate });
  const request = normaliseTokenRequest({ scopes: SCOPES });
  // Each token request has a signal of its own.
  return async () => factory.create(request, key, new AbortController().signal);
}

async function joseSigner({ privateKeyPem, kid, clientId }: Credentials): Promise<Sign> {
  const key = await importPKCS8(privateKeyPem, 'RS256');
  return async () =>
    new SignJWT({ scope: SCOPES.join(' ') })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(clientId)
      .setAudience(ISSUER)
      .setIssuedAt()
      .setExpirationTime('100s')
      .setJti(randomUUID())
      .sign(key);
}

export const signatures: Target = {
  id: 'P8',
  title: 'bursts of signatures',
  async run(bench) {
    const count = bench.quick ? 50 : 1_000;
    return [
      ...(await compare(2048, count, bench.quick ? 1 : 7, true)),
      ...(await compare(3072, count, bench.quick ? 1 : 3, false)),
    ];
  },
};

async function compare(bits: 2048 | 3072, count: number, rounds: number, judged: boolean): Promise<Measurement[]> {
  const credentials = newCredentials(bits);
  const signers = { ours: await oursSigner(credentials), jose: await joseSigner(credentials) };
  const bursts: Record<(typeof NAMES)[number], Disturbance[]> = { ours: [], jose: [] };
  const warmUps = 1;
  await alternate(
    NAMES.map((name) => ({
      name,
      measure: async () => {
        const sign = signers[name];
        bursts[name].push(await watchProcess(async () => Promise.all(Array.from({ length: count }, sign))));
        return 0;
      },
    })),
    { rounds, warmUps },
  );
  for (const name of NAMES) bursts[name].splice(0, warmUps);
  const line = (measure: string, figure: (burst: Disturbance) => number, atMost: number): Measurement => {
    const [ours, jose] = [bursts.ours.map(figure), bursts.jose.map(figure)];
    return {
      target: 'P8',
      measure: `burst of ${count} RSA-${bits} signatures: ${measure}`,
      ours: ms(median(ours)),
      peer: `unbounded jose: ${ms(median(jose))}`,
      value: medianRatio(ours, jose),
      ...(judged ? { limit: { atMost }, everyNode: true } : {}),
    };
  };
  return [
    line('worst gap of the event loop', ({ worstLoopGapMs }) => worstLoopGapMs, 0.15),
    line('worst dns.lookup', ({ worstLookupMs }) => worstLookupMs, 0.15),
    line('total', ({ totalMs }) => totalMs, 1.6),
  ];
}
