import { createError, type ErrorDetails, type MaskinportenError, type MaskinportenErrorCode } from '../errors/index.js';
import type { Clock } from '../basics/index.js';
import type { TokenEvent, TokenServiceStatus, WatchedTokenService } from '../signals/index.js';
import type { RequestKind } from '../token-endpoint/index.js';
import { MaskinportenToken, type TokenEventListener } from '../tokens/index.js';

export const START_MS = Date.parse('2026-11-24T12:00:00Z');
export const DAY_MS = 86_400_000;

/** Both clocks, moved by hand. */
export class HandClock implements Clock {
  #ms = 0;

  advance(ms: number): void {
    this.#ms += ms;
  }

  wallMs(): number {
    return START_MS + this.#ms;
  }

  monotonicMs(): number {
    return this.#ms;
  }
}

export const error = (code: MaskinportenErrorCode, details: Partial<ErrorDetails> = {}): MaskinportenError =>
  createError(code, { message: 'fails on purpose', ...details });

/** Says and does what a test wants: for what health makes of a service, not for what a service is. */
export class ScriptedService implements WatchedTokenService {
  readonly clientId = 'client-id-nobody-should-see';
  readonly listeners = new Set<TokenEventListener>();
  checks = 0;
  issuerError: MaskinportenError | undefined;
  tokenError: MaskinportenError | undefined;
  changes: Partial<TokenServiceStatus> = {};

  get status(): TokenServiceStatus {
    return {
      clientId: this.clientId,
      issuer: { identifier: 'https://issuer.invalid/' },
      clock: { state: 'ok', offsetMs: 0 },
      circuits: { plain: 'closed', 'system-user': 'closed' },
      key: { kid: 'kid-that-is-long', identity: 'kid:1', ends: [], fallback: false, reloadFailures: [] },
      connections: { max: 32, inUse: 0, waiting: { interactive: 0, batch: 0 } },
      cachedTokens: 0,
      counts: { hits: 0, waits: 0, refreshes: 0, evictions: 0, listenerFailures: 0 },
      ...this.changes,
    };
  }

  onEvent(listener: TokenEventListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async checkIssuer(): Promise<void> {
    this.checks += 1;
    await Promise.resolve();
    if (this.issuerError !== undefined) throw this.issuerError;
  }

  async getToken(): Promise<MaskinportenToken> {
    await Promise.resolve();
    if (this.tokenError !== undefined) throw this.tokenError;
    return new MaskinportenToken({ value: 'x', scopes: ['acme:read'], expiresAt: new Date(), jti: 'jti' });
  }

  emit(event: TokenEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  obtained(kind: RequestKind = 'plain', scopes: readonly string[] = ['acme:read']): void {
    this.emit({ type: 'token-obtained', scopes, kind, jti: 'jti', attempts: 1, elapsedMs: 1, background: false });
  }

  refused(failure: MaskinportenError, kind: RequestKind = 'plain', scopes: readonly string[] = ['acme:read']): void {
    this.emit({ type: 'token-refused', scopes, kind, error: failure, background: false });
  }
}
