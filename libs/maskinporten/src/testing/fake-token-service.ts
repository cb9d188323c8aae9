import { ownMembers } from '../basics/index.js';
import { createError, type ErrorDetails, type MaskinportenErrorCode } from '../errors/index.js';
import { normaliseTokenRequest, type NormalisedTokenRequest, type TokenRequestInput } from '../grants/index.js';
import {
  MaskinportenToken,
  type GetTokenOptions,
  type MaskinportenTokenService,
  type TokenEventListener,
  type TokenServiceStatus,
} from '../tokens/index.js';

/** Milliseconds a made-up token lives unless told otherwise. */
const DEFAULT_LIFE_MS = 120_000;

/**
 * A token service without network and without key, for unit tests. It checks requests as the real one does, records
 * them, and gives a made-up token per distinct request, or the failure it was told to give.
 *
 * @example
 * const tokens = new FakeMaskinportenTokenService();
 * const app = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(MaskinportenTokenService).useValue(tokens).compile();
 * expect(tokens.requests[0]?.scopes).toEqual(['altinn:broker.read']);
 */
export class FakeMaskinportenTokenService implements Pick<MaskinportenTokenService, keyof MaskinportenTokenService> {
  readonly clientId: string;
  /** Every request a token was asked for, oldest first. */
  readonly requests: NormalisedTokenRequest[] = [];
  readonly #lifeMs: number;
  readonly #tokens = new Map<string, MaskinportenToken>();
  #made = 0;
  #failure: { readonly code: MaskinportenErrorCode; readonly details: Partial<ErrorDetails> } | undefined;

  constructor(options: { readonly clientId?: string; readonly lifeMs?: number } = {}) {
    const { clientId, lifeMs } = ownMembers(options);
    this.clientId = clientId ?? 'fake-client';
    this.#lifeMs = lifeMs ?? DEFAULT_LIFE_MS;
  }

  /** From now on every request fails with this error. */
  failWith(code: MaskinportenErrorCode, details: Partial<ErrorDetails> = {}): void {
    this.#failure = { code, details };
  }

  /** Takes back `failWith`. */
  succeed(): void {
    this.#failure = undefined;
  }

  async getToken(request: TokenRequestInput, given: GetTokenOptions = {}): Promise<MaskinportenToken> {
    const options = ownMembers(given);
    const normalised = normaliseTokenRequest(request);
    if (options.signal?.aborted === true) throw createError('MP_ABORTED', { message: 'The caller stopped waiting.' });
    this.requests.push(normalised);
    if (this.#failure !== undefined) {
      const { code, details } = this.#failure;
      throw createError(code, { message: `The fake token service was told to fail with ${code}.`, ...details });
    }
    if (options.forceRefresh === true) this.#tokens.delete(normalised.canonical);
    const token = this.#tokens.get(normalised.canonical) ?? this.#make(normalised);
    this.#tokens.set(normalised.canonical, token);
    return token;
  }

  /** Never has one, so that every call is recorded by `getToken`. */
  peek(_request: NormalisedTokenRequest): MaskinportenToken | undefined {
    return undefined;
  }

  async renew(refused: MaskinportenToken, options: GetTokenOptions = {}): Promise<MaskinportenToken | undefined> {
    const request = this.#requestOf(refused);
    return request === undefined ? undefined : this.getToken(request, { ...options, forceRefresh: true });
  }

  invalidate(token: MaskinportenToken): void {
    const request = this.#requestOf(token);
    if (request !== undefined) this.#tokens.delete(request.canonical);
  }

  onEvent(_listener: TokenEventListener): () => void {
    return () => undefined;
  }

  get cachedTokens(): number {
    return this.#tokens.size;
  }

  /** Everything is well: nothing is reached, so nothing can be down. */
  get status(): TokenServiceStatus {
    return {
      clientId: this.clientId,
      issuer: { identifier: 'https://fake.invalid/' },
      clock: { state: 'ok', offsetMs: 0 },
      circuits: { plain: 'closed', 'system-user': 'closed' },
      key: { identity: 'fake', ends: [], fallback: false, reloadFailures: [] },
      connections: { max: 32, inUse: 0, waiting: { interactive: 0, batch: 0 } },
      cachedTokens: this.#tokens.size,
      counts: { hits: 0, waits: this.requests.length, refreshes: 0, evictions: 0, listenerFailures: 0 },
    };
  }

  async checkIssuer(): Promise<void> {
    await Promise.resolve();
  }

  async close(): Promise<void> {
    this.#tokens.clear();
    await Promise.resolve();
  }

  #make({ scopes }: NormalisedTokenRequest): MaskinportenToken {
    this.#made += 1;
    return new MaskinportenToken({
      value: `fake-token-${this.#made}`,
      scopes,
      expiresAt: new Date(Date.now() + this.#lifeMs),
      jti: `fake-grant-${this.#made}`,
    });
  }

  #requestOf(token: MaskinportenToken): NormalisedTokenRequest | undefined {
    return this.requests.find(({ canonical }) => this.#tokens.get(canonical) === token);
  }
}
