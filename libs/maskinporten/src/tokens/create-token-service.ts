import { Listeners, ownMembers, systemClock, type Clock } from '../basics/index.js';
import { configurationError, isMaskinportenError } from '../errors/index.js';
import { AssertionFactory } from '../grants/index.js';
import { HttpTransport, type TrustedCertificates } from '../http/index.js';
import { Issuer, ServerClock, type EnvironmentName, type ResolvedIssuer } from '../issuer/index.js';
import { loadWatchedKeyRing, signingGate, type KeyChange, type KeySource, type LoadedKeyRing } from '../keys/index.js';
import { TokenEndpoint, type AttemptLimits } from '../token-endpoint/index.js';
import { keyMismatches } from './check-key.js';
import { checkSettings } from './check-settings.js';
import type { RefreshWindow } from './token-entry.js';
import type { TokenEvent, TokenEventListener } from './token-events.js';
import type { TokenStore } from './token-store.js';
import type { TokenExchanger } from './token-exchanger.js';
import { MaskinportenTokenService } from './token-service.js';

/** Token requests in flight per client by default; more would only queue at the other end. */
const DEFAULT_MAX_CONNECTIONS = 32;

/** What a token service needs to know; the Nest options are translated into this. */
export interface TokenServiceConfig {
  readonly environment?: EnvironmentName | undefined;
  /** Verbatim; overrides `environment`. */
  readonly issuer?: string | undefined;
  /** Default: from the issuer's metadata, else built in. */
  readonly tokenEndpoint?: string | undefined;
  readonly clientId: string;
  /** One key, or several of which the first is current. */
  readonly key: KeySource | readonly KeySource[];
  /** The organisation that owns the client; default: the one in the certificate, if there is one. */
  readonly organisation?: string | undefined;
  readonly tokens?:
    | {
        readonly refreshAt?: RefreshWindow | undefined;
        readonly maxEntries?: number | undefined;
        /** Where replicas share their tokens, such as `RedisTokenStore`; closed with the service. */
        readonly store?: TokenStore | undefined;
      }
    | undefined;
  /** Overrides of the foreground budget: 3 attempts, 3,000 ms each, 8,000 ms together. */
  readonly retry?: Partial<AttemptLimits> | undefined;
  readonly http?:
    | {
        /** PEM certificates to trust instead of the built-in roots. */
        readonly ca?: TrustedCertificates | undefined;
        /** Proxy URL, or `environment` to obey the proxy variables. */
        readonly proxy?: string | undefined;
        /** Hosts that may be spoken to over `http:` in development; refused for production. */
        readonly allowInsecureHosts?: readonly string[] | undefined;
        /** Token requests in flight at a time; who comes later waits, at no cost to anybody. Default 32. */
        readonly maxConnections?: number | undefined;
      }
    | undefined;
  readonly exchanger?: TokenExchanger | undefined;
  readonly onEvent?: TokenEventListener | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/**
 * Checks the configuration, loads the keys and puts the core together. Nothing is sent yet.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) listing every wrong setting.
 * @throws SigningCredentialError for a certificate that cannot be used now.
 * @example
 * const tokens = await createTokenService({ environment: 'test', clientId, key: { file: 'key.pem', kid } });
 */
export async function createTokenService(given: TokenServiceConfig): Promise<MaskinportenTokenService> {
  const config = ownConfig(given);
  const clock = config.clock ?? systemClock;
  const random = config.random ?? Math.random;
  const events = new Listeners<[event: TokenEvent]>();
  if (config.onEvent !== undefined) events.add(config.onEvent);
  const {
    resolved,
    keys: { ring: keys, watches },
  } = await checkConfig(config, events, clock);
  keys.onChange((change) => reportChange(change, events));
  for (const watch of watches) watch.start();
  if (resolved.insecureHosts !== undefined) {
    const reason = `Tokens and grants go over http, readable by others, to ${[...resolved.insecureHosts].join(', ')}: for development only.`;
    events.tell({ type: 'warning', field: 'http.allowInsecureHosts', reason });
  }

  const serverClock = new ServerClock(clock);
  const onSecurityEvent = ({ type, host, reason }: { type: string; host: string; reason: string }): void =>
    events.tell({ type: 'security', what: type, detail: `${host}: ${reason}` });
  const maxConnections = config.http?.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const transport = new HttpTransport({
    ...config.http,
    maxConnections,
    now: () => clock.wallMs(),
    onSecurityEvent,
  });
  const issuer = new Issuer(resolved, { transport, clock, serverClock, onSecurityEvent });
  const assertions = new AssertionFactory({
    issuer: issuer.identifier,
    clientId: config.clientId,
    nowMs: () => serverClock.now(),
    gate: signingGate,
  });
  const endpoint = new TokenEndpoint({
    clientId: config.clientId,
    issuer,
    assertions,
    transport,
    serverClock,
    clock,
    maxConnections,
    keys,
    random,
    retry: config.retry,
    onEvent: events.tell,
  });
  return new MaskinportenTokenService({
    clientId: config.clientId,
    endpoint,
    keys,
    clock,
    random,
    events,
    ownOrganisation: config.organisation ?? keys.current.certificateOrganisation,
    exchanger: config.exchanger,
    maxEntries: config.tokens?.maxEntries,
    store: config.tokens?.store,
    refreshWindow: config.tokens?.refreshAt,
    keyFiles: watches,
    onClose: async () => transport.close(),
  });
}

/** Every check is made before the first failure is thrown, so that one start shows all that is wrong. */
async function checkConfig(
  config: TokenServiceConfig,
  events: Listeners<[event: TokenEvent]>,
  clock: Clock,
): Promise<{ resolved: ResolvedIssuer; keys: LoadedKeyRing }> {
  const { failures, resolved } = checkSettings(config);
  const purpose = { organisation: config.organisation, environment: resolved?.environment };
  let refusal: Error | undefined;
  const keys = await loadWatchedKeyRing(config.key, {
    environment: resolved?.environment,
    now: () => clock.wallMs(),
    monotonicMs: () => clock.monotonicMs(),
    onWarning: ({ field, message }) => events.tell({ type: 'warning', field, reason: message }),
    check: (key) => {
      const mismatches = keyMismatches(key, purpose);
      if (mismatches.length > 0) throw configurationError(mismatches);
    },
    onReloadFailure: ({ field, error }) => events.tell({ type: 'key-reload-failed', field, error }),
  }).catch((error: unknown) => {
    if (!isMaskinportenError(error)) throw error;
    refusal = error;
    failures.addAll(error.failures);
  });
  for (const key of keys ? [keys.ring.current, ...keys.ring.others] : []) {
    failures.addAll(keyMismatches(key, purpose));
  }
  if (resolved !== undefined && keys && failures.isEmpty) return { resolved, keys };
  // A refusal that stands alone keeps its own code, such as MP_CERTIFICATE_EXPIRED.
  throw refusal !== undefined && failures.count === 1 ? refusal : failures.toError();
}

/** Without a prototype, two levels deep: a polluted one configures nothing (T-66). */
function ownConfig(given: TokenServiceConfig): TokenServiceConfig {
  const config = ownMembers(given);
  const { tokens, retry, http } = config;
  return Object.assign(config, {
    tokens: tokens && ownMembers(tokens),
    retry: retry && ownMembers(retry),
    http: http && ownMembers(http),
  });
}

/** A refused key is told as `key-fallback` by the operation that found out. */
function reportChange({ reason, previous, current }: KeyChange, events: Listeners<[event: TokenEvent]>): void {
  if (reason === 'refused' || current === previous) return;
  events.tell({
    type: 'key-changed',
    reason,
    ...(previous.kid === undefined ? {} : { fromKid: previous.kid }),
    ...(current.kid === undefined ? {} : { toKid: current.kid }),
  });
}
