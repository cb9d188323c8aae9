import { Injectable, Logger } from '@nestjs/common';
import type { AuditStore, MaskinportenAuditOptions, MaskinportenAuditOptionsFactory } from 'nestjs-maskinporten';
import { Environment, rulebookVersion } from '../config/index.js';
import { checkpointKey } from './checkpoint-key.js';
import { openStore } from './open-store.js';

/** A store instead of the one that the settings name; absent but in tests of other things. */
export class GivenAuditStore {
  constructor(readonly store?: AuditStore) {}
}

/** Gives `MaskinportenAuditModule` its options. */
@Injectable()
export class AuditConfig implements MaskinportenAuditOptionsFactory {
  readonly #logger = new Logger('Audit');

  constructor(
    private readonly environment: Environment,
    private readonly given: GivenAuditStore,
  ) {}

  /** @throws EnvironmentError */
  async createMaskinportenAuditOptions(): Promise<MaskinportenAuditOptions> {
    const key = await checkpointKey(this.environment);
    if (key === undefined) {
      this.#logger.warn({
        message:
          'the audit log has no checkpoints: set AUDIT_CHECKPOINT_KEY_FILE, so that a log that was cut off is noticed',
      });
    }
    return {
      store: this.given.store ?? (await openStore(this.environment)),
      rulebookVersion: rulebookVersion(this.environment),
      ...(key === undefined ? {} : { checkpointKey: key }),
    };
  }
}
