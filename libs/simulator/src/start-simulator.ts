import type { KeyObject } from 'node:crypto';
import { AltinnState, altinnPart } from './altinn/index.js';
import { type SimulatorConfig, applyConfiguration } from './configuration.js';
import { downstreamPart } from './downstream/index.js';
import {
  Faults,
  ConfigurationError,
  type LogEntry,
  ROLES,
  RequestLog,
  type Role,
  RoleServer,
  SimulatorClock,
  type SimulatorPart,
  type SimulatorUrls,
  type TimeSource,
  type World,
} from './kernel/index.js';
import { MaskinportenState, maskinportenPart } from './maskinporten/index.js';
import { type Operator, makeOperator, operatorRoutes, pageRoutes } from './operator/index.js';
import { selfServicePart } from './self-service/index.js';

export interface SimulatorOptions {
  /** Port of the issuer; 0 or absent picks a free one. The other listeners take the ports after it when those are free. */
  port?: number;
  config?: SimulatorConfig;
  /** The machine's clock, milliseconds; the configured offset comes on top. Default `Date.now`. */
  clock?: TimeSource;
  /**
   * Private RSA keys to sign with, instead of keys that are made when they are first needed: of exactly 3072 bits for
   * Maskinporten's tokens and 2048 for Altinn's. The first signs; each rotation takes the next, then new ones are made.
   */
  signingKeys?: { readonly maskinporten?: readonly KeyObject[]; readonly altinn?: readonly KeyObject[] };
}

/** A running simulator. Every listener is on 127.0.0.1. */
export interface Simulator extends SimulatorUrls {
  /** Issuer identifier with its trailing slash: the `aud` of grants and the `iss` of tokens. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  /** Altinn's platform, without a slash at the end. */
  readonly platformUrl: string;
  /** Origin of an API that demands tokens. */
  readonly apiUrl: string;
  /** Origin of the operator: `${operatorUrl}/operator/api/…`. */
  readonly operatorUrl: string;
  /** Origin of Digdir's self-service API: `${selfServiceUrl}/clients/…/jwks`. */
  readonly selfServiceUrl: string;
  readonly operator: Operator;
  /** Each request with the verdict of each check, oldest first; a live list. */
  readonly log: readonly LogEntry[];
  /** Ends open connections and stops listening. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts a Maskinporten and an API behind it on this machine.
 *
 * @throws ConfigurationError for a configuration or signing keys that cannot be used; it names each field.
 * @example
 * const simulator = await startSimulator({
 *   config: { clients: [{ clientId: 'my-client', orgno: '310000019', jwks: { keys: [publicJwk] }, scopes: ['acme:x.read'] }] },
 * });
 * // … point the client under test at simulator.issuer, then:
 * await simulator.close();
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, config = {}, signingKeys: { maskinporten: ownKeys = [], altinn: altinnKeys = [] } = {} } = options;
  const clock = new SimulatorClock(options.clock);
  const listening: { urls?: SimulatorUrls } = {};
  const world: World = {
    clock,
    log: new RequestLog(),
    urls: () => {
      if (listening.urls === undefined) throw new Error('The simulator does not listen yet.');
      return listening.urls;
    },
  };
  const faults = new Faults();
  const state = new MaskinportenState(world);
  const altinn = new AltinnState(state);
  const parts: readonly SimulatorPart[] = [
    maskinportenPart(state),
    altinnPart(altinn),
    downstreamPart(altinn),
    selfServicePart(state),
  ];
  const collections = [...parts.flatMap((part) => part.collections ?? []), faults];
  const settings = parts.flatMap((part) => part.settings ?? []);
  // A copy, so that a reset comes back to what was given even if the caller changes its object.
  const initial: unknown = structuredClone(config);
  const reset = (): void => {
    for (const part of parts) part.reset?.();
    world.log.clear();
    applyConfiguration(initial, collections, clock, settings);
  };
  reset();
  const problems = [
    ...state.signingKeys.problemsOf(ownKeys, 'signingKeys.maskinporten'),
    ...altinn.signingKeys.problemsOf(altinnKeys, 'signingKeys.altinn'),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
  await Promise.all([state.signingKeys.use(ownKeys), altinn.signingKeys.use(altinnKeys)]);
  const operator = makeOperator(altinn, faults, world, reset);

  const servers = new Map<Role, RoleServer>(ROLES.map((role) => [role, new RoleServer(role, world, faults)]));
  const close = async (): Promise<void> => {
    const signers = [state.signingKeys, altinn.signingKeys];
    await Promise.all([...servers.values(), ...signers].map((part) => part.close()));
  };
  try {
    for (const [role, { app }] of servers) {
      if (role === 'operator') {
        const rotateSigningKey = (rotation: { dropOld: boolean }): Promise<string> =>
          state.signingKeys.rotate(rotation);
        operatorRoutes(app, { world, collections, settings, reset, rotateSigningKey });
        pageRoutes(app, altinn, faults);
      }
      for (const part of parts) part.routes?.[role]?.(app);
    }
    listening.urls = await listen(servers, port);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...listening.urls, operator, log: world.log.entries, close };
}

async function listen(servers: ReadonlyMap<Role, RoleServer>, port: number): Promise<SimulatorUrls> {
  const origins = new Map<Role, string>();
  for (const [index, role] of ROLES.entries()) {
    const wanted = port === 0 ? 0 : port + index;
    const taken = await servers.get(role)?.listen(wanted > 65_535 ? 0 : wanted, index > 0);
    origins.set(role, `http://127.0.0.1:${taken}`);
  }
  const origin = (role: Role): string => origins.get(role) ?? '';
  return {
    issuer: `${origin('maskinporten')}/`,
    tokenEndpoint: `${origin('maskinporten')}/token`,
    platformUrl: origin('platform'),
    apiUrl: origin('api'),
    operatorUrl: origin('operator'),
    selfServiceUrl: origin('self-service'),
  };
}
