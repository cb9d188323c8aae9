import { PATIENT } from '../../../../test/support/patience.js';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { HttpTransport } from '../http/index.js';
import type { Clock } from '../basics/index.js';
import { createTokenService, type MaskinportenTokenService } from '../tokens/index.js';
import { AltinnClient } from './altinn-client.js';
import type { AltinnStandIn } from './altinn-stand-in.fixtures.js';
import { AltinnTokenExchanger } from './altinn-token-exchanger.js';

const { privateKey } = rsaKeyPair();
/** Made when the tests run. */
export const TEST_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Organisation numbers that pass modulus 11 and belong to nobody: synthetic numbers start with 2 or 3. */
export function organisationNumber(serial: number): string {
  for (let start = 31_000_000 + serial * 10; ; start += 1) {
    const digits = String(start);
    const sum = [3, 2, 7, 6, 5, 4, 3, 2].reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
    const control = (11 - (sum % 11)) % 11;
    if (control !== 10) return `${digits}${control}`;
  }
}

export interface TestClient {
  readonly tokens: MaskinportenTokenService;
  readonly altinn: AltinnClient;
  readonly exchanger: AltinnTokenExchanger;
  close(): Promise<void>;
}

/** The real core and the real Altinn client against a stand-in; retries wait no time. */
export async function testClient(
  standIn: AltinnStandIn,
  options: { clock?: Clock; subscriptionKey?: string } = {},
): Promise<TestClient> {
  const transport = new HttpTransport();
  const shared = { platformUrl: standIn.url, transport, random: () => 0, clock: options.clock };
  const exchanger = new AltinnTokenExchanger(shared);
  const tokens = await createTokenService({
    issuer: `${standIn.url}/`,
    tokenEndpoint: `${standIn.url}/token`,
    clientId: 'client-1',
    key: { pem: TEST_KEY, kid: 'test' },
    exchanger,
    random: () => 0,
    clock: options.clock,
    retry: PATIENT,
  });
  exchanger.renewWith(tokens);
  const subscriptionKey = options.subscriptionKey ?? standIn.subscriptionKey;
  const altinn = new AltinnClient({ ...shared, tokens, subscriptionKey });
  return {
    tokens,
    altinn,
    exchanger,
    close: async () => {
      await tokens.close();
      await transport.close();
    },
  };
}
