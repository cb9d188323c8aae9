import { generateKeyPair, randomBytes, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { SimulatorConfig, Simulator } from 'maskinporten-simulator';
import { type OnApplicationShutdown, Global, Module, type DynamicModule } from '@nestjs/common';
import type { MaskinportenOptions } from 'nestjs-maskinporten';

/** A made-up vendor: the organisation that runs the service. */
const VENDOR = '310000019';
export const SYSTEM_ID = `${VENDOR}_demo`;

interface Customer {
  readonly orgno: string;
  readonly name: string;
}

/** Has not approved anything yet. */
export const NEW_CUSTOMER: Customer = { orgno: '310000027', name: 'Fjord Fisk AS' };
/** Approved the system long ago. */
const OLD_CUSTOMER: Customer = { orgno: '310000043', name: 'Bakkene Bakeri AS' };
export const CUSTOMERS: readonly Customer[] = [NEW_CUSTOMER, OLD_CUSTOMER];

/** Resources that the system's customers are asked for. */
const RIGHTS = ['ske-krav-og-betalinger', 'app_ttd_returns'];

const SCOPES = [
  'altinn:broker.read',
  'altinn:broker.write',
  'skatteetaten:kravogbetalinger',
  'altinn:instances.read',
  'altinn:instances.write',
  'altinn:authentication/systemuser.request.read',
  'altinn:authentication/systemuser.request.write',
  'altinn:authentication/systemregister.write',
  'altinn:authorization/authorize',
  'altinn:accessmanagement/authorizedparties',
];

/** One client and its system, with two customers. */
export function demoConfig(client: {
  readonly clientId: string;
  readonly jwk: object;
  readonly subscriptionKey: string;
}): SimulatorConfig {
  const { clientId, jwk, subscriptionKey } = client;
  return {
    clients: [{ clientId, orgno: VENDOR, jwks: { keys: [jwk] }, scopes: SCOPES }],
    systems: [{ id: SYSTEM_ID, vendor: VENDOR, clientIds: [clientId], rights: RIGHTS }],
    systemUsers: [{ systemId: SYSTEM_ID, orgno: OLD_CUSTOMER.orgno, rights: RIGHTS }],
    organisations: [{ orgno: VENDOR, name: 'Demo Regnskap AS' }, ...CUSTOMERS],
    altinn: { subscriptionKeys: [subscriptionKey] },
  };
}

interface Demo {
  readonly simulator: Simulator;
  readonly options: MaskinportenOptions;
}

/** Whoever runs the demo, as a caller of the service. */
interface Caller {
  readonly apiKey: string;
  readonly organisations: readonly string[];
}

/**
 * The simulator that the service talks to when nothing is configured. There is one in every application; outside demo
 * mode it does nothing.
 */
export class DemoSimulator implements OnApplicationShutdown {
  /** Where the simulator listens; undefined outside demo mode. */
  readonly running: Simulator | undefined;
  /** Made for this run; undefined outside demo mode. */
  readonly caller: Caller | undefined;
  #options: MaskinportenOptions | undefined;

  private constructor(demo?: Demo) {
    this.running = demo?.simulator;
    this.#options = demo?.options;
    if (demo === undefined) return;
    this.caller = {
      apiKey: `demo-${randomBytes(18).toString('base64url')}`,
      organisations: CUSTOMERS.map(({ orgno }) => orgno),
    };
  }

  static off(): DemoSimulator {
    return new DemoSimulator();
  }

  /** Starts a simulator in this process that knows one client, with a key made now, its system, and two customers. */
  static async start(): Promise<DemoSimulator> {
    // Loaded here, so that a service with credentials does without the simulator.
    const { startSimulator } = await import('maskinporten-simulator');
    const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 3072 });
    const clientId = randomUUID();
    const kid = `demo-${randomUUID()}`;
    const subscriptionKey = randomUUID();
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
    const config = demoConfig({ clientId, jwk, subscriptionKey });
    // As in reality: a token that goes to the wrong one of them is noticed.
    const simulator = await startSimulator({ separateOrigins: true, config });
    const { issuer, platformUrl, apiUrl } = simulator;
    const options = {
      issuer,
      clientId,
      key: { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }), kid },
      destinations: [platformUrl, apiUrl],
      altinn: { platformUrl, systemId: SYSTEM_ID, subscriptionKey },
    };
    return new DemoSimulator({ simulator, options });
  }

  /** The options of the demo client, once: they hold the private key. */
  takeOptions(): MaskinportenOptions | undefined {
    const options = this.#options;
    this.#options = undefined;
    return options;
  }

  /** Not before the servers are closed: requests in flight still need it. */
  async onApplicationShutdown(): Promise<void> {
    await this.running?.close();
  }
}

/** Starts the simulator in demo mode, before anything asks for its addresses. */
@Global()
@Module({})
export class DemoModule {
  static register(enabled: boolean): DynamicModule {
    return {
      module: DemoModule,
      providers: [
        {
          provide: DemoSimulator,
          useFactory: async () => (enabled ? DemoSimulator.start() : DemoSimulator.off()),
        },
      ],
      exports: [DemoSimulator],
    };
  }
}
