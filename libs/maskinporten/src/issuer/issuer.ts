import { AsyncResource } from 'node:async_hooks';
import { ownMembers, type Clock, systemClock, untilAborted } from '../basics/index.js';
import { createError, isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { HttpResponse, HttpTransport, SecurityEventListener } from '../http/index.js';
import { MetadataRefusal, parseIssuerMetadata, type IssuerMetadata } from './issuer-metadata.js';
import type { ResolvedIssuer } from './resolve-issuer.js';
import type { ServerClock } from './server-clock.js';

export interface IssuerDependencies {
  readonly transport: HttpTransport;
  readonly clock?: Clock;
  /** Learns the server's time from metadata answers. */
  readonly serverClock?: ServerClock;
  readonly onSecurityEvent?: SecurityEventListener;
}

/** What is known about the issuer's metadata, for health reports. */
export interface MetadataStatus {
  readonly metadata?: IssuerMetadata;
  readonly lastSuccessAt?: Date;
  /** Error of the last fetch, when it failed. */
  readonly lastError?: MaskinportenError;
}

const REFRESH_MS = 12 * 60 * 60_000;
/** With an endpoint at hand there is no hurry; without one a caller waits, and only repeated hammering is prevented. */
const FAILURE_WINDOW_MS = 30_000;
const FAILURE_WINDOW_WITHOUT_ENDPOINT_MS = 2_000;
const METADATA_DEADLINE_MS = 3_000;
const METADATA_MAX_BYTES = 256 * 1024;

/**
 * One issuer and where its token endpoint is. Metadata is fetched when somebody needs the endpoint, once for everybody,
 * again after twelve hours, with no timer. A blocking lookup per token request has turned an outage of the metadata
 * into an outage of everything elsewhere, so a preset or a configured endpoint never waits for it.
 */
export class Issuer {
  /** Verbatim; the audience of every grant, whatever metadata says. */
  readonly identifier: string;
  readonly #resolved: ResolvedIssuer;
  readonly #transport: HttpTransport;
  readonly #clock: Clock;
  readonly #serverClock: ServerClock | undefined;
  readonly #onSecurityEvent: SecurityEventListener;
  readonly #outside = new AsyncResource('MaskinportenIssuer');
  #metadata: IssuerMetadata | undefined;
  #lastSuccessAt: Date | undefined;
  #lastError: MaskinportenError | undefined;
  #lastAttemptMs = Number.NEGATIVE_INFINITY;
  #flight: Promise<IssuerMetadata> | undefined;

  constructor(resolved: ResolvedIssuer, dependencies: IssuerDependencies) {
    this.identifier = resolved.issuer;
    this.#resolved = ownMembers(resolved);
    this.#transport = dependencies.transport;
    this.#clock = dependencies.clock ?? systemClock;
    this.#serverClock = dependencies.serverClock;
    this.#onSecurityEvent = dependencies.onSecurityEvent ?? (() => {});
  }

  get environment(): ResolvedIssuer['environment'] {
    return this.#resolved.environment;
  }

  get metadataUrl(): string {
    return this.#resolved.metadataUrl;
  }

  get status(): MetadataStatus {
    return {
      ...(this.#metadata === undefined ? {} : { metadata: this.#metadata }),
      ...(this.#lastSuccessAt === undefined ? {} : { lastSuccessAt: this.#lastSuccessAt }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    };
  }

  /** The endpoint that can be used without asking anybody, when there is one. */
  get knownTokenEndpoint(): string | undefined {
    return this.#resolved.explicitTokenEndpoint ?? this.#metadata?.tokenEndpoint ?? this.#resolved.builtInTokenEndpoint;
  }

  /**
   * Where grants go. At once when the endpoint is configured, built in or already read; else after one fetch of the
   * metadata, shared by all callers.
   *
   * @throws the error of the fetch (`MP_NETWORK`, `MP_TIMEOUT`, `MP_TLS` …), when nothing is known and nothing guessed.
   * @throws MaskinportenConfigurationError (`MP_CONFIG_ENDPOINT`) when the metadata is another issuer's.
   */
  async tokenEndpoint(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<string> {
    if (this.#resolved.explicitTokenEndpoint !== undefined) return this.#resolved.explicitTokenEndpoint;
    const known = this.knownTokenEndpoint;
    if (known === undefined) return (await untilAborted(this.#current(), options.signal, stoppedWaiting)).tokenEndpoint;
    if (this.#isDue()) this.#refreshInBackground();
    return known;
  }

  /** Fetches the metadata now, whatever is known; for health checks and diagnosis. */
  refresh(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<IssuerMetadata> {
    return untilAborted(this.#fetchOnce(), options.signal, stoppedWaiting);
  }

  #current(): Promise<IssuerMetadata> {
    const sinceMs = this.#clock.monotonicMs() - this.#lastAttemptMs;
    if (this.#flight === undefined && this.#lastError !== undefined && sinceMs < this.#failureWindowMs()) {
      return Promise.reject(this.#lastError);
    }
    return this.#fetchOnce();
  }

  #failureWindowMs(): number {
    return this.knownTokenEndpoint === undefined && this.#lastError?.retryable === true
      ? FAILURE_WINDOW_WITHOUT_ENDPOINT_MS
      : FAILURE_WINDOW_MS;
  }

  #isDue(): boolean {
    if (this.#flight !== undefined) return false;
    const sinceMs = this.#clock.monotonicMs() - this.#lastAttemptMs;
    return sinceMs >= (this.#lastError === undefined ? REFRESH_MS : FAILURE_WINDOW_MS);
  }

  #refreshInBackground(): void {
    this.#fetchOnce().catch(() => {
      // Kept in `status`; the endpoint in use stays in use.
    });
  }

  #fetchOnce(): Promise<IssuerMetadata> {
    this.#flight ??= this.#outside
      .runInAsyncScope(() => this.#fetch())
      .finally(() => {
        this.#flight = undefined;
      });
    return this.#flight;
  }

  async #fetch(): Promise<IssuerMetadata> {
    this.#lastAttemptMs = this.#clock.monotonicMs();
    try {
      const response = await this.#transport.send({
        url: this.#resolved.metadataUrl,
        method: 'GET',
        headers: { accept: 'application/json' },
        deadlineMs: METADATA_DEADLINE_MS,
        maxBytes: METADATA_MAX_BYTES,
      });
      this.#learnTime(response);
      const metadata = this.#read(response);
      this.#metadata = metadata;
      this.#lastSuccessAt = new Date(this.#clock.wallMs());
      this.#lastError = undefined;
      return metadata;
    } catch (error) {
      this.#lastError = isMaskinportenError(error) ? error : unusable('could not be read', undefined);
      throw this.#lastError;
    }
  }

  /** A cached copy carries the time at which it was first made, not the server's present time. */
  #learnTime({ headers, sentAtMs, receivedAtMs }: HttpResponse): void {
    if (headers['age'] === undefined) this.#serverClock?.observe(headers['date'], sentAtMs, receivedAtMs);
  }

  #read({ status, body }: HttpResponse): IssuerMetadata {
    if (status !== 200) throw statusError(status, this.metadataUrl);
    try {
      return parseIssuerMetadata(body, this.identifier, this.#resolved.insecureHosts);
    } catch (error) {
      if (!(error instanceof MetadataRefusal)) throw error;
      if (error.event === undefined) throw unusable(error.message, status);
      this.#onSecurityEvent(error.event);
      throw createError('MP_CONFIG_ENDPOINT', {
        message: `The metadata of the issuer ${error.message}; it is not used.`,
        field: 'MASKINPORTEN_ISSUER',
        status,
      });
    }
  }
}

function unusable(reason: string, status: number | undefined): MaskinportenError {
  const message = `The metadata of the issuer ${reason}.`;
  return createError('MP_PROTOCOL', { message, status, field: 'MASKINPORTEN_ISSUER' });
}

function statusError(status: number, address: string): MaskinportenError {
  const message = `The metadata of the issuer was answered with status ${status}: ${address}`;
  // A service in trouble is blamed on the endpoint, as for token requests; an address that is wrong, on the issuer.
  if (status === 429) return createError('MP_THROTTLED', { message, status });
  if (status >= 500 && status !== 501 && status !== 505) return createError('MP_UPSTREAM', { message, status });
  const details = { message, status, field: 'MASKINPORTEN_ISSUER' };
  if (status >= 300 && status < 400) return createError('MP_REDIRECT', details);
  return createError('MP_CONFIG_ENDPOINT', {
    ...details,
    message: `${message} – correct the issuer, or set tokenEndpoint: then no metadata is needed.`,
  });
}

const stoppedWaiting = (): MaskinportenError => createError('MP_ABORTED', { message: 'The caller stopped waiting.' });
