import { Module, type DynamicModule } from '@nestjs/common';
import { MaskinportenAuditModule, type AuditStore } from 'nestjs-maskinporten';
import { AuditConfig, GivenAuditStore } from './audit.config.js';
import { AuditController } from './audit.controller.js';
import { AuditReader } from './audit-reader.js';

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
