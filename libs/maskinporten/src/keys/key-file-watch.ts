import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { KeyFailure, SecretBytes } from '../key-files/index.js';
import { readKeyFileSource, type KeyFileSourceContent } from './key-file-source.js';
import type { FileKeySource } from './key-source.js';
import type { SigningKey } from './signing-key.js';

/** A file is looked at this often unless its source says otherwise, in milliseconds (F-117). */
export const DEFAULT_POLL_MS = 30_000;
export const MIN_POLL_MS = 100;
export const MAX_POLL_MS = 24 * 60 * 60 * 1000;
/** First wait after a look that found something unusable; doubles until it is the ordinary one. */
const RETRY_MS = 1_000;

/** A changed file that could not be taken: the key that was loaded before is still in use. */
export interface KeyReloadFailure {
  /** Which setting: `key.file`, `key[1].passphrase` … */
  readonly field: string;
  readonly error: MaskinportenError;
}

export interface KeyFileWatchOptions {
  readonly source: FileKeySource;
  /** `key`, `key[1]` … */
  readonly field: string;
  /** Of what was loaded at start. */
  readonly digest: string;
  /** Makes a key of what was read, or says why not. */
  readonly load: (content: KeyFileSourceContent) => Promise<SigningKey>;
  readonly onKey: (key: SigningKey) => void;
  readonly onFailure: (failure: KeyReloadFailure) => void;
}

/**
 * Looks at one key file from time to time and takes what is new in it. The content is compared, not the file's dates or
 * a file system event: Kubernetes swaps a link to a directory, after which a watch on the file hears nothing more.
 */
export class KeyFileWatch {
  readonly #options: KeyFileWatchOptions;
  readonly #pollMs: number;
  #digest: string;
  /** Digest of what was refused, with how often in a row; an absent file has the empty one. */
  #refused: { readonly digest: string; readonly times: number } | undefined;
  #failure: KeyReloadFailure | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;

  constructor(options: KeyFileWatchOptions) {
    this.#options = options;
    this.#pollMs = pollMsOf(options.source);
    this.#digest = options.digest;
  }

  /** What is wrong with the file now; undefined when its key is the one in use. */
  get failure(): KeyReloadFailure | undefined {
    return this.#failure;
  }

  /** Does not keep the process alive. */
  start(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const delayMs =
      this.#refused === undefined
        ? this.#pollMs
        : Math.min(this.#pollMs, RETRY_MS * 2 ** Math.min(this.#refused.times - 1, 16));
    this.#timer = setTimeout(() => void this.look().then(() => this.start()), delayMs);
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One look at the file, now. Never throws; a second call during a look waits for that one. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const secrets = new SecretBytes();
    let digest = '';
    try {
      const content = await readKeyFileSource(this.#options.source, secrets);
      ({ digest } = content);
      if (digest !== this.#digest) {
        // What was refused for what it is stays refused; what was refused for its dates may be right by now.
        if (digest === this.#refused?.digest && this.#failure?.error.code === 'MP_CONFIG') {
          this.#refused = { digest, times: this.#refused.times + 1 };
          return;
        }
        const key = await this.#options.load(content);
        if (this.#closed) return;
        this.#digest = digest;
        this.#options.onKey(key);
      }
      this.#refused = undefined;
      this.#failure = undefined;
    } catch (error) {
      this.#refuse(digest, error);
    } finally {
      secrets.wipe();
    }
  }

  /** A file that is being written, or swapped, is whole at the next look, so the first refusal is kept to ourselves (F-118). */
  #refuse(digest: string, thrown: unknown): void {
    const { field, onFailure } = this.#options;
    if (this.#closed) return;
    const error = isMaskinportenError(thrown) ? thrown : failureOf(thrown).toError(field);
    const times = this.#refused?.digest === digest ? this.#refused.times + 1 : 1;
    this.#refused = { digest, times };
    if (times === 1) return;
    const isNew = this.#failure?.error.message !== error.message;
    this.#failure = { field: error.failures[0]?.field ?? field, error };
    if (isNew) onFailure(this.#failure);
  }
}

/** An unforeseen error may quote what it was about, so its text is not passed on. */
function failureOf(thrown: unknown): KeyFailure {
  return thrown instanceof KeyFailure ? thrown : new KeyFailure('file', 'could not be loaded', 'file');
}

/** @throws KeyFailure for an invalid interval. */
export function pollMsOf({ watch }: FileKeySource): number {
  if (watch === undefined || typeof watch === 'boolean') return DEFAULT_POLL_MS;
  const { intervalMs } = watch;
  if (typeof intervalMs !== 'number' || !(intervalMs >= MIN_POLL_MS && intervalMs <= MAX_POLL_MS)) {
    throw new KeyFailure('watch.intervalMs', `must be from ${MIN_POLL_MS} to ${MAX_POLL_MS} milliseconds`, 'source');
  }
  return intervalMs;
}
