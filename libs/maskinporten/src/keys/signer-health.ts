import { isMaskinportenError } from '../errors/index.js';
import type { SignerHealthReporter } from './key-source.js';

/**
 * Keeps what a signer has met last, for the health report: `degraded` while it fails for a time, `down` when only a
 * change by somebody helps. Tokens that are cached are used in both.
 */
export class SignerHealth implements SignerHealthReporter {
  readonly name: string;
  readonly #now: () => number;
  #failure: { readonly code: string; readonly retryable: boolean; readonly sinceMs: number } | undefined;

  constructor(name: string, now: () => number = Date.now) {
    this.name = name;
    this.#now = now;
  }

  succeeded(): void {
    this.#failure = undefined;
  }

  /** A caller that went away says nothing about the signer. */
  failed(error: unknown): void {
    const known = isMaskinportenError(error) ? error : undefined;
    if (known?.code === 'MP_ABORTED') return;
    const sinceMs = this.#failure?.sinceMs ?? this.#now();
    this.#failure = { code: known?.code ?? 'MP_UPSTREAM', retryable: known?.retryable ?? true, sinceMs };
  }

  report(): ReturnType<SignerHealthReporter['report']> {
    if (this.#failure === undefined) return { status: 'up' };
    const { code, retryable, sinceMs } = this.#failure;
    return { status: retryable ? 'degraded' : 'down', details: { code, since: new Date(sinceMs).toISOString() } };
  }
}
