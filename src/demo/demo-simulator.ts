import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { Simulator } from 'maskinporten-simulator';
import type { MaskinportenOptions } from 'nestjs-maskinporten';

/** A made-up organisation. */
const ORGANISATION = '310000019';
const SCOPES = ['altinn:broker.read', 'altinn:broker.write'];

/**
 * The simulator that the service talks to when nothing is configured. There is one in every application; outside demo
 * mode it does nothing.
 */
export class DemoSimulator implements OnApplicationShutdown {
  readonly #simulator: Simulator | undefined;
  #options: MaskinportenOptions | undefined;

  private constructor(simulator?: Simulator, options?: MaskinportenOptions) {
    this.#simulator = simulator;
    this.#options = options;
  }

  static off(): DemoSimulator {
    return new DemoSimulator();
  }

  /** Starts a simulator in this process that knows one client, with a key made now. */
  static async start(): Promise<DemoSimulator> {
    // Loaded here, so that a service with credentials does without the simulator.
    const { startSimulator } = await import('maskinporten-simulator');
    const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
    const clientId = randomUUID();
    const kid = `demo-${randomUUID()}`;
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
    const simulator = await startSimulator({
      config: { clients: [{ clientId, orgno: ORGANISATION, jwks: { keys: [jwk] }, scopes: SCOPES }] },
    });
    return new DemoSimulator(simulator, {
      issuer: simulator.issuer,
      clientId,
      key: { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }), kid },
      destinations: [simulator.platformUrl],
    });
  }

  /** Where the simulator listens; undefined outside demo mode. */
  get running(): Simulator | undefined {
    return this.#simulator;
  }

  /** The options of the demo client, once: they hold the private key. */
  takeOptions(): MaskinportenOptions | undefined {
    const options = this.#options;
    this.#options = undefined;
    return options;
  }

  /** Not before the servers are closed: requests in flight still need it. */
  async onApplicationShutdown(): Promise<void> {
    await this.#simulator?.close();
  }
}
