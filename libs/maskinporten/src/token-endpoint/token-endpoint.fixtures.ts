import { sign as signBytes, type KeyObject } from 'node:crypto';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { AssertionFactory } from '../grants/index.js';
import { HttpTransport } from '../http/index.js';
import { Issuer, resolveIssuer, ServerClock } from '../issuer/index.js';
import { KeyRing, loadSigningKey, ConcurrencyGate, type KeySource, type SigningKey } from '../keys/index.js';
import { TokenEndpoint, type EndpointEvent, type AttemptLimits } from './index.js';
import { ManualClock, StrictTokenEndpoint } from './strict-token-endpoint.fixtures.js';

export interface Bench {
  readonly server: StrictTokenEndpoint;
  readonly endpoint: TokenEndpoint;
  readonly keys: KeyRing;
  readonly serverClock: ServerClock;
  readonly clock: ManualClock;
  readonly events: EndpointEvent[];
  readonly transport: HttpTransport;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly retry?: Partial<AttemptLimits>;
  /** Number of keys in the ring, `kid-0` first. */
  readonly keys?: number;
  /** Between 0 and 1; 0 makes every backoff end at once. */
  readonly random?: () => number;
  readonly maxConnections?: number;
  /** Puts the first key behind a signer that does this. */
  readonly sign?: (data: Uint8Array, sign: () => Uint8Array) => Promise<Uint8Array>;
}

const { privateKey, publicKey } = rsaKeyPair();
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

export async function loadKeys(
  count: number,
  signer?: BenchOptions['sign'],
): Promise<{ ring: KeyRing; publicKeys: Map<string, KeyObject> }> {
  const kids = Array.from({ length: count }, (_, index) => `kid-${index}`);
  const loaded = await Promise.all(
    kids.map((kid, index) => loadSigningKey(index > 0 || signer === undefined ? { pem, kid } : remote(kid, signer))),
  );
  const [first, ...rest] = loaded as [SigningKey, ...SigningKey[]];
  return { ring: new KeyRing([first, ...rest]), publicKeys: new Map(kids.map((kid) => [kid, publicKey])) };
}

const remote = (kid: string, behave: NonNullable<BenchOptions['sign']>): KeySource => ({
  signer: { kid, publicKey, sign: (data) => behave(data, () => signBytes('sha256', data, privateKey)) },
});

/** The endpoint layer with real signing, real HTTP on loopback and clocks that stand still. */
export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  const { random = () => 0, maxConnections = 8, retry } = options;
  const clock = new ManualClock();
  const { ring: keys, publicKeys } = await loadKeys(options.keys ?? 1, options.sign);
  const server = await StrictTokenEndpoint.start(publicKeys, clock);
  const serverClock = new ServerClock(clock);
  const transport = new HttpTransport({ maxConnections, now: () => clock.wallMs() });
  const issuer = new Issuer(resolveIssuer({ issuer: server.issuer, tokenEndpoint: `${server.origin}/token` }), {
    transport,
    clock,
  });
  const assertions = new AssertionFactory({
    issuer: issuer.identifier,
    clientId: 'a-client',
    nowMs: () => serverClock.now(),
    gate: new ConcurrencyGate(2),
  });
  const events: EndpointEvent[] = [];
  const endpoint = new TokenEndpoint({
    clientId: 'a-client',
    issuer,
    assertions,
    transport,
    serverClock,
    clock,
    keys,
    random,
    retry,
    maxConnections,
    onEvent: (event) => events.push(event),
  });
  const close = async (): Promise<void> => {
    await server.close();
    await transport.close();
    // Every test is also a test of this: nothing the strict server could not accept, and no grant twice.
    if (server.violations.length > 0) throw new Error(server.violations.join('; '));
    if (new Set(server.jtis).size !== server.grants.length) throw new Error('a jti was used twice');
  };
  return { server, endpoint, keys, serverClock, clock, events, transport, close };
}
