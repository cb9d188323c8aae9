import { rsaKeyPair } from '../../../../test/support/pool.js';
import {
  ManualClock,
  StrictTokenEndpoint,
  type Misbehaviour,
} from '../token-endpoint/strict-token-endpoint.fixtures.js';
import {
  createTokenService,
  type MaskinportenTokenService,
  type TokenEvent,
  type TokenServiceConfig,
} from './index.js';

const { privateKey, publicKey } = rsaKeyPair();
export const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const keySource = (index = 0): { pem: string; kid: string } => ({ pem, kid: `kid-${index}` });

export interface ServiceBench {
  readonly service: MaskinportenTokenService;
  readonly server: StrictTokenEndpoint;
  readonly clock: ManualClock;
  readonly events: TokenEvent[];
  /** Grants received so far. */
  readonly requests: () => number;
  /** Number of events of one kind. */
  readonly count: (type: TokenEvent['type']) => number;
  close(): Promise<void>;
}

/** A whole token service on a strict endpoint on loopback; only clock and randomness stand still. */
export async function startService(config: Partial<TokenServiceConfig> = {}): Promise<ServiceBench> {
  const clock = new ManualClock();
  const server = await StrictTokenEndpoint.start(new Map([0, 1, 2].map((index) => [`kid-${index}`, publicKey])), clock);
  const events: TokenEvent[] = [];
  const service = await createTokenService({
    issuer: server.issuer,
    tokenEndpoint: `${server.origin}/token`,
    clientId: 'a-client',
    key: keySource(),
    clock,
    random: () => 0.5,
    onEvent: (event) => events.push(event),
    ...config,
  });
  return {
    service,
    server,
    clock,
    events,
    requests: () => server.grants.length,
    count: (type) => events.filter((event) => event.type === type).length,
    close: async () => {
      await Promise.all([service.close(), server.close()]);
      if (server.violations.length > 0) throw new Error(server.violations.join('; '));
    },
  };
}

/** Lets the event loop turn until something has come about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Turns the event loop often enough that whatever could be sent without waiting has been sent. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Holds answers back until `release`; then they become what they would have been. */
export class Gate {
  readonly #held: (() => void)[] = [];
  #open = false;
  readonly #then: Misbehaviour;

  constructor(then: Misbehaviour) {
    this.#then = then;
  }

  get held(): number {
    return this.#held.length;
  }

  readonly hold: Misbehaviour = (response, request) => {
    const go = (): void => this.#then(response, request);
    if (this.#open) go();
    else this.#held.push(go);
  };

  release(): void {
    this.#open = true;
    for (const go of this.#held.splice(0)) go();
  }
}

/** So many different organisation numbers (nine digits that pass modulus 11). */
export function organisations(count: number): string[] {
  const found: string[] = [];
  for (let number = 31_000_000; found.length < count; number += 1) {
    const digits = Array.from(String(number), Number);
    const sum = [3, 2, 7, 6, 5, 4, 3, 2].reduce((total, weight, index) => total + weight * (digits[index] ?? 0), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) found.push(`${number}${check}`);
  }
  return found;
}
