import { AltinnClient, AltinnTokenExchanger } from '../altinn/index.js';
import { createError, isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { Finding, Topic } from '../findings/index.js';
import { parseScopes, type TokenRequestInput } from '../grants/index.js';
import { HttpTransport } from '../http/index.js';
import {
  ISSUER_PRESETS,
  Issuer,
  ServerClock,
  environmentOfHost,
  resolveIssuer,
  type EnvironmentName,
  type IssuerMetadata,
  type ResolvedIssuer,
} from '../issuer/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import { loadKeyRing, type KeyRing, type KeyWarning } from '../keys/index.js';
import { SELF_SERVICE_URLS, listScopes } from '../self-service/index.js';
import { createTokenService, type MaskinportenToken, type MaskinportenTokenService } from '../tokens/index.js';
import type { DoctorSetup } from './setup.js';

/** One thing, or why it could not be had. */
export type Outcome<T> = { readonly value: T } | { readonly error: MaskinportenError };

/** What keys were found, and what was noticed on the way. */
export interface LoadedKeys {
  readonly ring: KeyRing;
  readonly warnings: readonly KeyWarning[];
}

/** Looks at one thing. It does not throw: what is wrong is its result. */
export interface Check extends Topic {
  /** Topics that must not have failed: where one did, this check would only report the consequence. */
  readonly needs?: readonly string[];
  readonly run: (examination: Examination) => Promise<readonly Finding[]> | readonly Finding[];
}

/** Maskinporten judges client, key, audience and time before the scope, so a refusal of the scope says that they are good. */
const ANY_SCOPE = 'difitest:test2';

/** Longer than any scope that is known. */
const MAX_SCOPE_LENGTH = 128;

/** A token that was pasted by mistake fits the grammar of a scope; it must be neither sent as one nor shown. */
export const isScope = (text: string): boolean => text.length <= MAX_SCOPE_LENGTH && !('reason' in parseScopes([text]));

/**
 * The evidence about one set-up: gathered when the first check asks for it and kept for the others, so that nothing is
 * read or sent twice.
 */
export class Examination {
  readonly setup: DoctorSetup;
  readonly clock: Clock;
  readonly transport: HttpTransport;
  readonly serverClock: ServerClock;
  readonly #kept = new Map<string, Promise<unknown>>();
  #issuer: Outcome<ResolvedIssuer> | undefined;
  #tokens: MaskinportenTokenService | undefined;
  #fallback: MaskinportenError | undefined;

  constructor(setup: DoctorSetup) {
    this.setup = setup;
    this.clock = setup.clock ?? systemClock;
    this.serverClock = new ServerClock(this.clock);
    this.transport = new HttpTransport({ ...setup.http, maxConnections: 4, now: () => this.clock.wallMs() });
  }

  /** Where grants would go, by configuration alone. */
  get issuer(): Outcome<ResolvedIssuer> {
    this.#issuer ??= attempt(() => resolveIssuer(this.setup));
    return this.#issuer;
  }

  /** The environment that is meant: the issuer's own, else the one that was named. */
  get environment(): EnvironmentName | undefined {
    const { environment, issuer } = this.setup;
    const host = issuer !== undefined && URL.canParse(issuer) ? environmentOfHost(new URL(issuer).hostname) : undefined;
    return host ?? environment;
  }

  keys(): Promise<Outcome<LoadedKeys>> {
    return this.#once('keys', async () => {
      const warnings: KeyWarning[] = [];
      const { key } = this.setup;
      if (key === undefined) throw createError('MP_CONFIG', { message: 'There is no key.', field: 'key' });
      const ring = await loadKeyRing(key, {
        now: () => this.clock.wallMs(),
        onWarning: (found) => warnings.push(found),
      });
      return { ring, warnings };
    });
  }

  /** The metadata of the issuer as configured; also measures the clock. */
  metadata(): Promise<Outcome<IssuerMetadata>> {
    return this.#once('metadata', () => this.#metadataOf(this.setup));
  }

  /** The same for another spelling of the issuer: does the server call itself that? */
  metadataOf(issuer: string): Promise<Outcome<IssuerMetadata>> {
    return this.#once(`metadata ${issuer}`, () => this.#metadataOf({ issuer, http: this.setup.http }));
  }

  async #metadataOf(
    options: Pick<DoctorSetup, 'environment' | 'issuer' | 'tokenEndpoint' | 'http'>,
  ): Promise<IssuerMetadata> {
    const { transport, clock, serverClock } = this;
    return new Issuer(resolveIssuer(options), { transport, clock, serverClock }).refresh();
  }

  /** The address that grants go to. */
  async tokenEndpoint(): Promise<string | undefined> {
    if (!('value' in this.issuer)) return undefined;
    const { explicitTokenEndpoint, builtInTokenEndpoint } = this.issuer.value;
    if (explicitTokenEndpoint !== undefined) return explicitTokenEndpoint;
    const metadata = await this.metadata();
    return 'value' in metadata ? metadata.value.tokenEndpoint : builtInTokenEndpoint;
  }

  /** A token, or the reason why Maskinporten gave none; each request is sent once. */
  token(request: TokenRequestInput): Promise<Outcome<MaskinportenToken>> {
    return this.#once(`token ${JSON.stringify(request)}`, async () => {
      const service = await this.service();
      if ('error' in service) throw service.error;
      return service.value.getToken(request);
    });
  }

  /** Every scope that Digdir lists; undefined where that list is not known or cannot be had. */
  async listedScopes(): Promise<readonly string[] | undefined> {
    const known = 'value' in this.issuer ? this.issuer.value.environment : undefined;
    const baseUrl = this.setup.selfServiceUrl ?? (known === undefined ? undefined : SELF_SERVICE_URLS[known]);
    if (baseUrl === undefined) return undefined;
    const list = await this.#once('scopes', () => listScopes({ baseUrl, transport: this.transport }));
    return 'value' in list ? list.value : undefined;
  }

  /** A real token service on this set-up, as an application would have it. */
  service(): Promise<Outcome<MaskinportenTokenService>> {
    return this.#once('service', async () => {
      const { environment, issuer, tokenEndpoint, clientId = '', key, organisation, http, clock } = this.setup;
      const { platformUrl } = this;
      const exchanger =
        platformUrl === undefined ? undefined : new AltinnTokenExchanger({ platformUrl, transport: this.transport });
      this.#tokens = await createTokenService({
        environment,
        issuer,
        tokenEndpoint,
        clientId,
        key: key ?? [],
        organisation,
        http,
        clock,
        exchanger,
        onEvent: (event) => {
          if (event.type === 'key-fallback') this.#fallback ??= event.error;
        },
      });
      exchanger?.renewWith(this.#tokens);
      return this.#tokens;
    });
  }

  /** Why the first key was refused, when another one signed in its place. */
  get fallback(): MaskinportenError | undefined {
    return this.#fallback;
  }

  /** A scope to ask for when all that matters is whether the client and its key are accepted. */
  get probe(): string {
    return this.setup.scopes?.find(isScope) ?? ANY_SCOPE;
  }

  get platformUrl(): string | undefined {
    const { environment, altinn } = this.setup;
    return (
      altinn?.platformUrl ?? (environment === undefined ? undefined : ISSUER_PRESETS[environment].altinn.platformUrl)
    );
  }

  /** Undefined when no platform is known. */
  altinn(): Promise<Outcome<AltinnClient | undefined>> {
    return this.#once('altinn', async () => {
      const { platformUrl, transport, clock } = this;
      if (platformUrl === undefined) return undefined;
      const service = await this.service();
      if ('error' in service) throw service.error;
      const subscriptionKey = this.setup.altinn?.subscriptionKey;
      return new AltinnClient({ platformUrl, subscriptionKey, tokens: service.value, transport, clock });
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#tokens?.close(), this.transport.close()]);
  }

  #once<T>(name: string, work: () => Promise<T>): Promise<Outcome<T>> {
    const known = this.#kept.get(name) ?? outcomeOf(work);
    this.#kept.set(name, known);
    return known as Promise<Outcome<T>>;
  }
}

/** @throws every error that is not one of this module: it is a fault of the program, not of the set-up. */
export async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isMaskinportenError(error)) throw error;
    return { error };
  }
}

function attempt<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    if (!isMaskinportenError(error)) throw error;
    return { error };
  }
}
