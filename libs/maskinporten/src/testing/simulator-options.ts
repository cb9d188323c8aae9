import { type KeyObject, createPublicKey, generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { ownMembers } from '../basics/index.js';
import type { MaskinportenOptions } from '../module/index.js';
import { postToOperator, type RunningSimulator } from './running-simulator.js';

export interface SimulatorClientOptions {
  /** Scopes of the new client; each exists and is granted. */
  readonly scopes: readonly string[];
  /** Organisation that owns the client. Default 310000019, a made-up number. */
  readonly orgno?: string;
  /** Seconds its tokens live. Default 120. */
  readonly tokenLifetime?: number;
  /** Default: a new UUID. */
  readonly clientId?: string;
  /** Private RSA key of the client. Default: one that is made once and that all clients of this process share. */
  readonly privateKey?: KeyObject;
}

const makeKeyPair = promisify(generateKeyPair);
let processKey: Promise<KeyObject> | undefined;

/** Made at the first call. Clients that share it are told apart by their ids, and their keys by `kid`. */
function sharedKey(): Promise<KeyObject> {
  processKey ??= makeKeyPair('rsa', { modulusLength: 2048 }).then(({ privateKey }) => privateKey);
  return processKey;
}

/**
 * Registers a new client, whose key has a new `kid`, at a running simulator and gives the options to use it, with the simulator's
 * two APIs as destinations.
 *
 * @throws Error when the simulator does not accept the client; the message holds its reason.
 * @example
 * const simulator = await startSimulator();
 * const options = await simulatorOptions(simulator, { scopes: ['acme:read'] });
 * const app = await Test.createTestingModule({ imports: [MaskinportenModule.forRoot(options), ClaimsModule] }).compile();
 */
export async function simulatorOptions(
  simulator: RunningSimulator,
  client: SimulatorClientOptions,
): Promise<MaskinportenOptions> {
  const { scopes, orgno = '310000019', tokenLifetime, clientId = randomUUID(), privateKey } = ownMembers(client);
  const key = privateKey ?? (await sharedKey());
  const kid = randomUUID();
  const jwk = { ...createPublicKey(key).export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
  const response = await postToOperator(simulator, 'clients', {
    clientId,
    orgno,
    jwks: { keys: [jwk] },
    scopes,
    tokenLifetime,
  });
  await response.body?.cancel();
  return {
    issuer: simulator.issuer,
    clientId,
    key: { pem: key.export({ type: 'pkcs8', format: 'pem' }).toString(), kid },
    destinations: [...new Set([simulator.apiUrl, simulator.platformUrl])],
    altinn: { platformUrl: simulator.platformUrl },
  };
}
