import type { MaskinportenSigner } from '../keys/index.js';
import type { HealthContributors } from '../signals/index.js';

/** How many clients use a signer that is open: the last one to go closes it. */
const users = new WeakMap<MaskinportenSigner, number>();

/**
 * The remote signers of one client – an HSM, a KMS – as part of an application: their state belongs into its health
 * report, and what they hold open ends with it.
 */
export class ClientSigners {
  readonly #signers: readonly MaskinportenSigner[];
  readonly #stopReporting: (() => void)[] = [];

  /** @param key the option as it was given; the code that loads keys says what is wrong with it */
  constructor(key: unknown) {
    this.#signers = (Array.isArray(key) ? key : [key]).flatMap((source: unknown) => {
      const signer = member(source, 'signer');
      return isSigner(signer) ? [signer] : [];
    });
  }

  reportTo(contributors: HealthContributors): void {
    for (const signer of this.#signers) {
      users.set(signer, (users.get(signer) ?? 0) + 1);
      if (signer.health !== undefined) this.#stopReporting.push(contributors.add(signer.health));
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stopReporting) stop();
    for (const signer of this.#signers) {
      const left = (users.get(signer) ?? 1) - 1;
      users.set(signer, left);
      if (left === 0) await signer.close?.();
    }
  }
}

/** Own members only: a polluted prototype signs for nobody (T-66). */
const member = (holder: unknown, name: string): unknown =>
  typeof holder === 'object' && holder !== null ? Object.getOwnPropertyDescriptor(holder, name)?.value : undefined;

const isSigner = (value: unknown): value is MaskinportenSigner =>
  typeof value === 'object' && value !== null && 'sign' in value && typeof value.sign === 'function';
