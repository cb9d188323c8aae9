import { createError } from './create-error.js';
import type { Failure, MaskinportenError } from './maskinporten-error.js';

/** Gathers every wrong setting, so that a start is refused once with the whole list instead of once per mistake. */
export class ConfigurationFailures {
  readonly #failures: Failure[] = [];

  get isEmpty(): boolean {
    return this.#failures.length === 0;
  }

  get count(): number {
    return this.#failures.length;
  }

  get list(): readonly Failure[] {
    return this.#failures;
  }

  add(field: string, reason: string): void {
    this.#failures.push({ field, code: 'MP_CONFIG', reason });
  }

  /** Takes over what another check already reported, under its own field names. */
  addAll(failures: readonly Failure[]): void {
    this.#failures.push(...failures);
  }

  toError(): MaskinportenError {
    return configurationError(this.#failures);
  }

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) when anything was added. */
  throwIfAny(): void {
    if (!this.isEmpty) throw this.toError();
  }
}

/** One `MP_CONFIG` for a list of wrong settings; the message names each field. */
export function configurationError(failures: readonly Failure[]): MaskinportenError {
  const list = failures.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
  return createError('MP_CONFIG', { message: `Maskinporten is not configured correctly. ${list}`, failures });
}
