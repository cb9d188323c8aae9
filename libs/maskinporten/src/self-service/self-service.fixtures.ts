import type { KeyObject } from 'node:crypto';
import type { Simulator } from 'maskinporten-simulator';
import { PATIENT } from '../../../../test/support/patience.js';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { startTestSimulator } from '../testing/simulator.fixtures.js';
import { HttpTransport } from '../http/index.js';
import { ManualClock } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { createTokenService, type MaskinportenTokenService, type TokenServiceConfig } from '../tokens/index.js';
import { ClientKeysApi, proveKey, type PublicKeyJwk } from './index.js';

export const CLIENT = 'app';
export const SCOPE = 'acme:read';
const ORGNO = '310000019';

export interface TestKey {
  readonly kid: string;
  readonly jwk: PublicKeyJwk;
  readonly privateKey: KeyObject;
  /** The private key with its kid, as a key file or `{ jwk }` holds it. */
  readonly privateJwk: string;
}

export function makeKey(kid: string): TestKey {
  const { privateKey, publicKey } = rsaKeyPair();
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  return {
    kid,
    jwk: { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e },
    privateKey,
    privateJwk: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid }),
  };
}

export const OLD = makeKey('old-key');
export const NEW = makeKey('new-key');
const ADMIN = makeKey('admin-key');

/** The client that Digdir hands out for the API. */
export const ADMINISTRATOR = {
  clientId: 'admin',
  orgno: ORGNO,
  jwks: { keys: [ADMIN.jwk] },
  scopes: ['idporten:dcr.read', 'idporten:dcr.write'],
};

/**
 * A client with one key, and the administration client of the same organisation, at a simulator. One clock, which moves
 * only when it is told to, is everybody's.
 */
export class SelfServiceBench {
  readonly clock: ManualClock;
  readonly simulator: Simulator;
  readonly api: ClientKeysApi;
  readonly #administration: MaskinportenTokenService;
  readonly #transport: HttpTransport;

  private constructor(clock: ManualClock, simulator: Simulator, administration: MaskinportenTokenService) {
    this.clock = clock;
    this.simulator = simulator;
    this.#administration = administration;
    this.#transport = new HttpTransport();
    this.api = this.apiWith({});
  }

  static async start(): Promise<SelfServiceBench> {
    const clock = new ManualClock();
    const simulator = await startTestSimulator({
      clock: () => clock.wall,
      config: {
        clients: [{ clientId: CLIENT, orgno: ORGNO, jwks: { keys: [OLD.jwk] }, scopes: [SCOPE] }, ADMINISTRATOR],
      },
    });
    const { issuer } = simulator;
    const key = { jwk: ADMIN.privateJwk };
    // Refreshed when somebody waits for it: a grant that is on its way in the background would grow old when time leaps.
    const tokens = { refreshAt: [0.99, 0.99] } as const;
    const administration = await createTokenService({ issuer, clientId: 'admin', key, clock, tokens, retry: PATIENT });
    return new SelfServiceBench(clock, simulator, administration);
  }

  apiWith({ baseUrl = this.simulator.selfServiceUrl }: { baseUrl?: string }): ClientKeysApi {
    const { clock } = this;
    return new ClientKeysApi({
      baseUrl,
      tokens: this.#administration,
      transport: this.#transport,
      clock,
      random: () => 0,
    });
  }

  config(key: TokenServiceConfig['key']): TokenServiceConfig {
    return { issuer: this.simulator.issuer, clientId: CLIENT, key, clock: this.clock, retry: PATIENT };
  }

  /** Kids that are registered on the client. */
  kids(): readonly string[] {
    return (this.simulator.operator.clients.get(CLIENT)?.keys ?? []).map(({ kid }) => kid);
  }

  /** What the API answers, but not through the room under test. */
  async wire(): Promise<readonly Record<string, unknown>[]> {
    const token = await this.#administration.getToken('idporten:dcr.read');
    const response = await fetch(`${this.simulator.selfServiceUrl}/clients/${CLIENT}/jwks`, {
      headers: { authorization: `Bearer ${token.value}` },
    });
    return ((await response.json()) as { keys: Record<string, unknown>[] }).keys;
  }

  readonly prove = async (key = NEW): Promise<void> =>
    proveKey({ config: this.config({ jwk: key.privateJwk }), scope: SCOPE });

  /** Number of changes that the API has made. */
  changes(): number {
    return this.simulator.log.filter(
      ({ server, method, status }) => server === 'self-service' && method === 'POST' && status === 200,
    ).length;
  }

  async close(): Promise<void> {
    await Promise.all([this.#administration.close(), this.#transport.close()]);
    await this.simulator.close();
  }
}
