import { verify, type KeyObject } from 'node:crypto';
import { beforeDeadline } from '../basics/index.js';
import { createError, isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import type { KeyFacts } from './key-facts.js';
import type { MaskinportenSigner } from './key-source.js';
import { markUnavailable, UNAVAILABLE_HINT } from './signer-failure.js';
import type { ConcurrencyGate } from './concurrency-gate.js';
import { DIGEST_OF, type SigningAlgorithm } from '../key-files/index.js';
import type { SigningKey } from './signing-key.js';

/** A key that signs somewhere else, with a deadline and a check of what comes back. */
export class RemoteSigningKey implements SigningKey {
  readonly alg: SigningAlgorithm;
  readonly gate: ConcurrencyGate;
  declare readonly kid?: string;
  declare readonly x5c?: readonly string[];
  declare readonly identity: string;
  declare readonly thumbprint?: string;
  declare readonly publicKey?: KeyObject;
  declare readonly registeredAt?: Date;
  declare readonly certificateNotBefore?: Date;
  declare readonly certificateNotAfter?: Date;
  declare readonly certificateOrganisation?: string;
  readonly #signer: MaskinportenSigner;
  readonly #timeoutMs: number;
  readonly #field: string;

  constructor(
    signer: MaskinportenSigner,
    alg: SigningAlgorithm,
    facts: KeyFacts,
    options: { readonly timeoutMs: number; readonly field: string; readonly gate: ConcurrencyGate },
  ) {
    this.alg = alg;
    this.gate = options.gate;
    this.#signer = signer;
    this.#timeoutMs = options.timeoutMs;
    this.#field = options.field;
    Object.assign(this, facts);
  }

  async sign(data: Uint8Array, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array> {
    const signature: unknown = await this.#ask(data, options.signal);
    if (!(signature instanceof Uint8Array)) throw this.#bad('gave something that is not a Uint8Array');
    if (this.publicKey !== undefined && !(await this.#isSignature(data, signature, this.publicKey))) {
      throw this.#bad('gave a signature that its public key does not verify');
    }
    return signature;
  }

  /** Waits for the signer, the deadline or the caller, whichever comes first: a signer may not look at its signal. */
  #ask(data: Uint8Array, caller: AbortSignal | undefined): Promise<unknown> {
    return beforeDeadline((signal) => this.#answer(data, signal), {
      ms: this.#timeoutMs,
      signal: caller,
      late: () => this.#timedOut(),
      aborted: () => createError('MP_ABORTED', { message: 'The caller stopped waiting while the grant was signed.' }),
    });
  }

  async #answer(data: Uint8Array, signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#signer.sign(data, { alg: this.alg, signal });
    } catch (error) {
      throw markUnavailable(isMaskinportenError(error) ? error : this.#failed());
    }
  }

  #isSignature(data: Uint8Array, signature: Uint8Array, publicKey: KeyObject): Promise<boolean> {
    return new Promise((resolve) => {
      verify(DIGEST_OF[this.alg], data, publicKey, signature, (error, valid) => {
        resolve(error === null && valid);
      });
    });
  }

  /** The signer's own error is not passed on: SDK errors carry requests and credentials. */
  #failed(): MaskinportenError {
    return createError('MP_UPSTREAM', {
      message: 'The remote signer failed.',
      field: this.#field,
      actBy: 'you',
      hint: UNAVAILABLE_HINT,
    });
  }

  #timedOut(): MaskinportenError {
    const error = createError('MP_TIMEOUT', {
      message: `The remote signer did not answer within ${this.#timeoutMs} ms.`,
      field: this.#field,
      actBy: 'you',
      hint: UNAVAILABLE_HINT,
    });
    return markUnavailable(error);
  }

  #bad(what: string): MaskinportenError {
    return createError('MP_SIGNATURE', { message: `The remote signer ${what}.`, field: this.#field });
  }
}
