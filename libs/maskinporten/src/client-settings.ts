import { Logger } from '@nestjs/common';
import { ownMembers } from './basics/index.js';
import { ClientAltinn } from './client-altinn.js';
import { ClientSigners } from './client-signers.js';
import { configurationError, isMaskinportenError, type Failure } from './errors/index.js';
import { insecureHosts, ISSUER_PRESETS, isEnvironmentName, mixedEnvironments } from './issuer/index.js';
import type { MaskinportenOptions, TokenHttpOptions } from './maskinporten.options.js';
import { validateOptions } from './maskinporten.options.validation.js';
import { checkDestination, DestinationList, type CheckedDestination } from './outbound/index.js';
import { printingSwitches, unsafeProcess } from './process-environment.js';
import { logTokenEvent } from './token-log.js';
import { createTokenService, type MaskinportenTokenService, type TokenServiceConfig } from './tokens/index.js';

/**
 * What the options of one client come to. It holds the key material only until the token service is made, and in a
 * private field, so that nothing in the container shows it (T-06).
 */
export class ClientSettings {
  readonly name: string;
  readonly destinations: DestinationList;
  readonly altinn: ClientAltinn;
  readonly signers: ClientSigners;
  readonly #failures: readonly Failure[];
  #options: MaskinportenOptions | undefined;

  constructor(name: string, given: MaskinportenOptions) {
    // Own members only, also when the options are nothing to read from: then the checks below say so.
    const options = ownMembers(given);
    this.name = name;
    this.#failures = [...unsafeProcess(), ...validateOptions(given), ...mixedHosts(options)];
    this.#options = options;
    this.signers = new ClientSigners(options.key);
    this.destinations = new DestinationList(destinationsOf(options));
    const { http } = options;
    this.altinn = new ClientAltinn(options, () => (http === undefined ? {} : httpConfig(http)));
  }

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists everything that is wrong, keys included. */
  async createTokens(): Promise<MaskinportenTokenService> {
    const options = this.#options;
    if (options === undefined) throw new Error('The token service of these settings has been made already.');
    const logger = new Logger(this.name === 'default' ? 'Maskinporten' : `Maskinporten:${this.name}`);
    const tokens = await this.#create(options, logger);
    this.#options = undefined;
    for (const variable of printingSwitches()) {
      logger.warn(`${variable} makes the process print HTTP traffic, access tokens included: unset it in production.`);
    }
    return tokens;
  }

  async #create(options: MaskinportenOptions, logger: Logger): Promise<MaskinportenTokenService> {
    let tokens: MaskinportenTokenService;
    const exchanger = this.#failures.length === 0 ? this.altinn.createExchanger() : undefined;
    try {
      const config = coreConfig(options, (event) => logTokenEvent(logger, event));
      tokens = await createTokenService(exchanger === undefined ? config : { ...config, exchanger });
      exchanger?.renewWith(tokens);
    } catch (error) {
      if (this.#failures.length === 0) throw error;
      throw configurationError(merge(this.#failures, isMaskinportenError(error) ? error.failures : []));
    }
    if (this.#failures.length === 0) return tokens;
    await tokens.close();
    throw configurationError(this.#failures);
  }
}

/** One entry per field: what the options' own check says comes first. */
function merge(first: readonly Failure[], second: readonly Failure[]): Failure[] {
  const known = new Set(first.map(({ field }) => field));
  return [...first, ...second.filter(({ field }) => !known.has(field))];
}

function coreConfig(
  options: MaskinportenOptions,
  onEvent: NonNullable<TokenServiceConfig['onEvent']>,
): TokenServiceConfig {
  const { environment, issuer, tokenEndpoint, clientId, key, organisation, tokens, retry, http } = options;
  return {
    clientId,
    key,
    onEvent,
    ...(environment === undefined ? {} : { environment }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(tokenEndpoint === undefined ? {} : { tokenEndpoint }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(retry === undefined ? {} : { retry }),
    ...(http === undefined ? {} : { http: httpConfig(http) }),
  };
}

function httpConfig(given: TokenHttpOptions): NonNullable<TokenServiceConfig['http']> {
  const { ca, proxy, allowInsecureHosts } = ownMembers(given);
  const list = ca === undefined || typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : ca.map(String);
  return {
    ...(list === undefined ? {} : { ca: Buffer.isBuffer(list) ? list.toString() : list }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(allowInsecureHosts === undefined ? {} : { allowInsecureHosts }),
  };
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

/** F-88: tokens of one environment are worth nothing in the other, and must not leak into it. */
function mixedHosts(options: MaskinportenOptions): Failure[] {
  const { environment, issuer, tokenEndpoint, destinations, altinn } = options;
  const entries = [
    { field: 'issuer', url: issuer },
    { field: 'tokenEndpoint', url: tokenEndpoint },
    ...(Array.isArray(destinations) ? destinations : []).map((entry: unknown, index) => ({
      field: `destinations[${index}]`,
      url: typeof entry === 'string' ? entry : originOf(entry),
    })),
    { field: 'altinn.platformUrl', url: altinn?.platformUrl },
    { field: 'altinn.appUrl', url: altinn?.appUrl },
  ].filter((entry): entry is { field: string; url: string } => typeof entry.url === 'string');
  return mixedEnvironments(isEnvironmentName(environment) ? environment : undefined, entries);
}

const originOf = (entry: unknown): unknown =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'origin')
    ? Reflect.get(entry, 'origin')
    : undefined;
