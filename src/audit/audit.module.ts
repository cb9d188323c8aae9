import { Injectable, Logger, Module, type DynamicModule } from '@nestjs/common';
import {
  type AuditStore,
  type MaskinportenAuditOptions,
  type MaskinportenAuditOptionsFactory,
  MaskinportenAuditModule,
} from 'nestjs-maskinporten';
import { Environment, rulebookVersion } from '../config/index.js';
import { AuditReader } from './audit-reader.js';
import { AuditController } from './audit.controller.js';
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

/** The audit log, and the routes that show it. */
@Module({})
export class AuditModule {
  /** @param store instead of the one that the settings name, for tests */
  static register(store?: AuditStore): DynamicModule {
    const given = { provide: GivenAuditStore, useValue: new GivenAuditStore(store) };
    const settings = { module: AuditSettingsModule, providers: [given, AuditConfig], exports: [AuditConfig] };
    return {
      module: AuditModule,
      imports: [MaskinportenAuditModule.forRootAsync({ imports: [settings], useExisting: AuditConfig })],
      controllers: [AuditController],
      providers: [AuditReader],
    };
  }
}

@Module({})
class AuditSettingsModule {}
