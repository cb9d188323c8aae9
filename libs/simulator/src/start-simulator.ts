import type { KeyObject } from 'node:crypto';
import { AltinnState, altinnPart } from './altinn/index.js';
import { type SimulatorConfig, applyConfiguration } from './configuration.js';
import { downstreamPart } from './downstream/index.js';
import {
  Faults,
  ConfigurationError,
  Listener,
  type LogEntry,
  type NetworkOptions,
  ROLES,
  RequestLog,
  type Role,
  RoleServer,
  SimulatorClock,
  type SimulatorPart,
  type SimulatorUrls,
  type TimeSource,
  type World,
  readNetwork,
} from './kernel/index.js';
import {
  type IssueTokenInput,
  MaskinportenState,
  issueTokenWithoutGrant,
  maskinportenPart,
} from './maskinporten/index.js';
import { type Operator, makeOperator, operatorRoutes, pageRoutes } from './operator/index.js';
import { selfServicePart } from './self-service/index.js';

export interface SimulatorOptions extends NetworkOptions {
  config?: SimulatorConfig;
  /** The machine's clock, milliseconds; the configured offset comes on top. Default `Date.now`. */
  clock?: TimeSource;
  /**
   * Private RSA keys to sign with, instead of keys that are made when they are first needed: of exactly 3072 bits for
   * Maskinporten's tokens and 2048 for Altinn's. The first signs; each rotation takes the next, then new ones are made.
   */
  signingKeys?: { readonly maskinporten?: readonly KeyObject[]; readonly altinn?: readonly KeyObject[] };
}

/** A running simulator. */
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
  /** Where a person's browser reaches the operator's pages: `${browserUrl}/operator`. */
  readonly browserUrl: string;
  /** The port it listens on, whatever its public URL says; the issuer's, when each part has its own. */
  readonly port: number;
  /** What programs send to the operator's API as `Authorization: Bearer …`; `undefined` when it needs none. */
  readonly operatorToken: string | undefined;
  /**
   * Signs an access token without a grant, for tests of an API that Maskinporten protects.
   *
   * @throws ConfigurationError naming each wrong member.
   * @example
   * const token = await simulator.issueToken({ consumer: '310000019', scopes: ['acme:things.read'] });
   * const spoiled = await simulator.issueToken({ consumer: '310000019', scopes: ['acme:things.read'], tamper: 'signature' });
   */
  issueToken(input: IssueTokenInput): Promise<string>;
  readonly operator: Operator;
  /** Each request with the verdict of each check, oldest first; a live list. */
  readonly log: readonly LogEntry[];
  /** Ends open connections and stops listening. May be called twice. */
  close(): Promise<void>;
}

/**
 * Starts a Maskinporten, Altinn's platform and APIs behind them, on one port of this machine.
 *
 * @throws ConfigurationError for options, a configuration or signing keys that cannot be used; it names each field.
 * @throws Error of the system, with `code`, when the port or address cannot be had: `EADDRINUSE`, `EADDRNOTAVAIL`.
 * @example
 * const simulator = await startSimulator({
 *   config: { clients: [{ clientId: 'my-client', orgno: '310000019', jwks: { keys: [publicJwk] }, scopes: ['acme:x.read'] }] },
 * });
 * // … point the client under test at simulator.issuer, then:
 * await simulator.close();
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { config = {}, signingKeys: { maskinporten: ownKeys = [], altinn: altinnKeys = [] } = {} } = options;
  const network = readNetwork(options);
  const clock = new SimulatorClock(options.clock);
  const listening: { urls?: SimulatorUrls } = {};
  const world: World = {
    clock,
    log: new RequestLog(),
    urls: () => {
      if (listening.urls === undefined) throw new Error('The simulator does not listen yet.');
      return listening.urls;
    },
    isReady: () => listening.urls !== undefined,
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
  const listener = new Listener(servers);
  const close = async (): Promise<void> => {
    await Promise.all([listener, state.signingKeys, altinn.signingKeys].map((part) => part.close()));
  };
  try {
    for (const [role, { app }] of servers) {
      if (role === 'operator') {
        const rotateSigningKey = (rotation: { dropOld: boolean }): Promise<string> =>
          state.signingKeys.rotate(rotation);
        const issueToken = (input: unknown) => issueTokenWithoutGrant(input, state);
        operatorRoutes(app, { world, network, collections, settings, reset, rotateSigningKey, issueToken });
        pageRoutes(app, altinn, faults);
      }
      for (const part of parts) part.routes?.[role]?.(app);
    }
    const { port, urls } = await listener.listen(network);
    listening.urls = urls;
    const { operatorToken } = network;
    const issueToken = async (input: IssueTokenInput) => (await issueTokenWithoutGrant(input, state)).token;
    return { ...urls, port, issueToken, operatorToken, operator, log: world.log.entries, close };
  } catch (error) {
    await close();
    throw error;
  }
}
