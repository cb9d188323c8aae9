import { Logger } from '@nestjs/common';
import { AltinnClient, AltinnTokenExchanger } from '../altinn/index.js';
import { ownMembers, withoutLineBreak } from '../basics/index.js';
import { configurationError, isMaskinportenError, type Failure } from '../errors/index.js';
import { HttpTransport, insecureHosts } from '../http/index.js';
import { ISSUER_PRESETS, isEnvironmentName } from '../issuer/index.js';
import { DestinationList, checkDestination, type CheckedDestination } from '../outbound/index.js';
import { printingSwitches, unsafeProcess } from '../environment/index.js';
import { DelegatedRights, type RightsStrategy } from '../rights/index.js';
import type { CallObservers, ClientRegistry, HealthContributors } from '../signals/index.js';
import { SystemUserService, type SystemUserClient } from '../system-user/index.js';
import { createTokenService, type MaskinportenTokenService, type TokenServiceConfig } from '../tokens/index.js';
import { checkOptions } from './check-options.js';
import { ClientSigners } from './client-signers.js';
import type { MaskinportenOptions } from './maskinporten.options.js';
import { logTokenEvent } from './token-log.js';

/** What a client is opened with: the services of the container, which a test may have replaced. */
export interface ClientParts {
  readonly registry: ClientRegistry<SystemUserClient>;
  readonly observers: CallObservers;
  readonly contributors: HealthContributors;
  readonly tokens: MaskinportenTokenService;
  readonly systemUsers: SystemUserService;
}

/**
 * One client of an application, from its options to its end. Whatever is secret is in private fields, so that nothing in
 * the container shows it (T-06); the key material is held only until the token service is made.
 */
export class ClientRuntime {
  readonly name: string;
  readonly destinations: DestinationList;
  readonly #allowAnyCaller: boolean;
  readonly #failures: readonly Failure[];
  readonly #signers: ClientSigners;
  readonly #http: MaskinportenOptions['http'];
  readonly #altinn: {
    readonly platformUrl: string | undefined;
    readonly systemId: string | undefined;
    readonly subscriptionKey: string | undefined;
    readonly strategy: RightsStrategy | undefined;
  };
  #options: MaskinportenOptions | undefined;
  #altinnTransport: HttpTransport | undefined;
  #end: () => Promise<void> = () => Promise.resolve();

  constructor(name: string, given: MaskinportenOptions) {
    // Own members only. If the options are not an object, the checks below say so.
    const options = ownMembers(given);
    const { environment, altinn, http, key } = options;
    const { platformUrl, systemId, subscriptionKey, rights, allowAnyCaller } = ownMembers(altinn);
    const preset = isEnvironmentName(environment) ? ISSUER_PRESETS[environment].altinn.platformUrl : undefined;
    this.name = name;
    this.#failures = [...unsafeProcess(), ...checkOptions(given)];
    this.#options = options;
    this.#signers = new ClientSigners(key);
    this.destinations = new DestinationList(destinationsOf(options));
    this.#http = http;
    this.#allowAnyCaller = allowAnyCaller === true;
    this.#altinn = {
      platformUrl: platformUrl ?? preset,
      systemId,
      subscriptionKey: typeof subscriptionKey === 'string' ? withoutLineBreak(subscriptionKey) : subscriptionKey,
      // Only the PDP can tell what may be read from what may be written, so nothing less is chosen in silence.
      strategy: rights ?? (subscriptionKey === undefined ? undefined : 'pdp'),
    };
  }

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists everything that is wrong, keys included. */
  async createTokens(): Promise<MaskinportenTokenService> {
    const options = this.#options;
    if (options === undefined) throw new Error('The token service of this client has been made already.');
    const logger = new Logger(this.name === 'default' ? 'Maskinporten' : `Maskinporten:${this.name}`);
    const tokens = await this.#create(options, logger);
    this.#options = undefined;
    for (const variable of printingSwitches()) {
      logger.warn(`${variable} makes the process print HTTP traffic, access tokens included: unset it in production.`);
    }
    return tokens;
  }

  createSystemUsers(tokens: MaskinportenTokenService): SystemUserService {
    const logger = new Logger('Maskinporten');
    const { systemId, strategy } = this.#altinn;
    const altinn = this.#createAltinn(tokens);
    return new SystemUserService({ altinn, systemId, strategy, onWarning: (reason) => logger.warn(reason) });
  }

  /** From now on the application can use the client. */
  open({ registry, observers, contributors, tokens, systemUsers }: ClientParts): void {
    const { name, destinations } = this;
    const client: SystemUserClient = {
      name,
      tokens,
      destinations,
      observers,
      systemUsers,
      rights: new DelegatedRights({ altinn: this.#createAltinn(tokens) }),
      allowAnyCaller: this.#allowAnyCaller,
    };
    this.#signers.reportTo(contributors);
    const stopReporting = reportStore(name, tokens, contributors);
    registry.register(client);
    this.#end = async () => {
      stopReporting();
      registry.unregister(client);
      await tokens.close();
    };
  }

  async close(): Promise<void> {
    await this.#end();
    await this.#altinnTransport?.close();
    await this.#signers.close();
  }

  async #create(options: MaskinportenOptions, logger: Logger): Promise<MaskinportenTokenService> {
    let tokens: MaskinportenTokenService;
    const exchanger = this.#failures.length === 0 ? this.#createExchanger() : undefined;
    try {
      tokens = await createTokenService({
        ...coreConfig(options),
        exchanger,
        onEvent: (event) => logTokenEvent(logger, event),
      });
      exchanger?.renewWith(tokens);
    } catch (error) {
      if (this.#failures.length === 0) throw error;
      throw configurationError(merge(this.#failures, isMaskinportenError(error) ? error.failures : []));
    }
    if (this.#failures.length === 0) return tokens;
    await tokens.close();
    throw configurationError(this.#failures);
  }

  /** For `exchange: 'altinn'`; undefined when no platform is known. */
  #createExchanger(): AltinnTokenExchanger | undefined {
    const { platformUrl } = this.#altinn;
    if (platformUrl === undefined) return undefined;
    return new AltinnTokenExchanger({ platformUrl, transport: this.#altinnConnection() });
  }

  /** Undefined when no platform is known. */
  #createAltinn(tokens: MaskinportenTokenService): AltinnClient | undefined {
    const { platformUrl, subscriptionKey } = this.#altinn;
    if (platformUrl === undefined) return undefined;
    return new AltinnClient({ platformUrl, subscriptionKey, tokens, transport: this.#altinnConnection() });
  }

  /** Sockets of its own: a slow Altinn must not use up those to Maskinporten. */
  #altinnConnection(): HttpTransport {
    this.#altinnTransport ??= new HttpTransport(this.#http ?? {});
    return this.#altinnTransport;
  }
}

/** A shared token store that is away makes the service slower, and nothing else. */
function reportStore(name: string, tokens: MaskinportenTokenService, contributors: HealthContributors): () => void {
  if (tokens.status.store === undefined) return () => undefined;
  return contributors.add({
    name: name === 'default' ? 'token-store' : `token-store:${name}`,
    report: () => {
      const { store } = tokens.status;
      return { status: store?.state === 'unavailable' ? 'degraded' : 'up', details: { ...store?.counts } };
    },
  });
}

/** One entry per field: what the options' own check says comes first. */
function merge(first: readonly Failure[], second: readonly Failure[]): Failure[] {
  const known = new Set(first.map(({ field }) => field));
  return [...first, ...second.filter(({ field }) => !known.has(field))];
}

/** The members that the core knows under the same name. */
function coreConfig(options: MaskinportenOptions): TokenServiceConfig {
  const { environment, issuer, tokenEndpoint, clientId, key, organisation, tokens, retry, http } = options;
  return { environment, issuer, tokenEndpoint, clientId, key, organisation, tokens, retry, http };
}

function destinationsOf({ environment, destinations, http }: MaskinportenOptions): CheckedDestination[] {
  const preset = isEnvironmentName(environment) ? ISSUER_PRESETS[environment].destinations : [];
  const insecure = insecureHosts(http?.allowInsecureHosts);
  const own = (Array.isArray(destinations) ? destinations : []).map((entry) => checkDestination(entry, insecure));
  return [
    ...preset.map((origin) => ({ origin })),
    ...own.filter((entry): entry is CheckedDestination => !('reason' in entry)),
  ];
}
