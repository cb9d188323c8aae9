import {
  Inject,
  Injectable,
  Logger,
  Module,
  Optional,
  type DynamicModule,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { ownMembers } from '../basics/index.js';
import { configurationError, isMaskinportenError, moduleNotImported } from '../errors/index.js';
import { asyncOptions, type AsyncOptions } from '../handlers/index.js';
import {
  CallObservers,
  ClientRegistry,
  DelegationDecisions,
  HealthContributors,
  InboundCalls,
} from '../signals/index.js';
import { AuditLog } from './audit-log.js';
import type { AuditLogOptions } from './audit-log-options.js';
import { watchForAudit, type AuditSources, type OtherCalls } from './audit-watch.js';

export interface MaskinportenAuditOptions extends AuditLogOptions {
  /**
   * What happens to calls for nobody else when their intent cannot be stored: they are made, and the log says later that
   * there was a gap if it has to; or they fail with `MP_AUDIT`, as calls on behalf of others always do. Default `continue`.
   */
  readonly otherCalls?: OtherCalls;
}

export interface MaskinportenAuditOptionsFactory {
  createMaskinportenAuditOptions(): MaskinportenAuditOptions | Promise<MaskinportenAuditOptions>;
}

export type MaskinportenAuditModuleAsyncOptions = AsyncOptions<
  MaskinportenAuditOptions,
  MaskinportenAuditOptionsFactory
>;

const OPTIONS = Symbol('MaskinportenAuditOptions');

/** Connects the log with what the application does, from its start until its servers are closed. */
@Injectable()
class AuditWatch implements OnModuleInit, OnApplicationShutdown {
  readonly #log: AuditLog;
  readonly #otherCalls: OtherCalls;
  readonly #sources: AuditSources;
  #stop: (() => void) | undefined;

  constructor(
    log: AuditLog,
    @Inject(OPTIONS) options: MaskinportenAuditOptions,
    @Optional() clients?: ClientRegistry,
    @Optional() decisions?: DelegationDecisions,
    @Optional() observers?: CallObservers,
    @Optional() contributors?: HealthContributors,
    @Optional() inbound?: InboundCalls,
  ) {
    const isClient =
      clients !== undefined && decisions !== undefined && observers !== undefined && contributors !== undefined;
    if (!isClient && inbound === undefined) throw moduleNotImported('MaskinportenAuditModule');
    this.#log = log;
    this.#otherCalls = ownMembers(options).otherCalls ?? 'continue';
    if (!['continue', 'refuse'].includes(this.#otherCalls)) {
      throw wrong('audit.otherCalls', 'must be continue or refuse');
    }
    this.#sources = { inbound, ...(isClient ? { client: { clients, decisions, observers, contributors } } : {}) };
  }

  /** The application starts although the database is away (F-133); not with one that must not be written like this (F-155). */
  async onModuleInit(): Promise<void> {
    this.#stop = watchForAudit(this.#log, this.#sources, this.#otherCalls);
    try {
      await this.#log.store.check?.();
    } catch (error) {
      if (!isMaskinportenError(error, 'MP_CONFIG')) return;
      await this.onApplicationShutdown();
      throw error;
    }
  }

  /**
   * The servers are closed and every request is answered: what they did is stored before the process ends. Work of other
   * kinds may go on meanwhile, so the watching ends last: a log that is closed refuses, one that is not asked does not.
   */
  async onApplicationShutdown(): Promise<void> {
    try {
      await this.#log.close();
    } finally {
      this.#stop?.();
    }
  }
}

/**
 * The audit log of an application: one record for each token obtained or refused, each decision of `SystemUserGuard`,
 * each call that `@RequireScope` accepted or refused, and two for each call with a token, its intent before and its outcome after. Import it once, in the root module,
 * beside `MaskinportenModule` or `MaskinportenResourceServerModule`; `AuditLog` is then injectable everywhere.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) at start, for a key that cannot sign checkpoints or an option out of range
 * @example
 * MaskinportenAuditModule.forRoot({ store: new PostgresAuditStore({ connectionString }), checkpointKey });
 */
@Module({})
export class MaskinportenAuditModule {
  static forRoot(options: MaskinportenAuditOptions): DynamicModule {
    return moduleOf([{ provide: OPTIONS, useValue: options }], []);
  }

  /** The same with options from `useFactory`, `useClass` or `useExisting`. */
  static forRootAsync(options: MaskinportenAuditModuleAsyncOptions): DynamicModule {
    const own = ownMembers(options);
    const provided = asyncOptions(OPTIONS, 'MaskinportenAuditModule.forRootAsync', own, (factory) =>
      factory.createMaskinportenAuditOptions(),
    );
    return moduleOf(provided, own.imports ?? []);
  }
}

function moduleOf(options: Provider[], imports: NonNullable<ModuleMetadata['imports']>): DynamicModule {
  return {
    module: MaskinportenAuditModule,
    global: true,
    imports,
    providers: [...options, { provide: AuditLog, inject: [OPTIONS], useFactory: openLog }, AuditWatch],
    exports: [AuditLog],
  };
}

/** What an operator has to see is logged, whatever listeners the application has besides. */
function openLog(options: MaskinportenAuditOptions): AuditLog {
  const logger = new Logger('MaskinportenAudit');
  let wasFailing = false;
  return new AuditLog({
    ...options,
    onState: (status) => {
      const { pending, lost, lastErrorCode, degradedSince } = status;
      const facts = { pending, lost, errorCode: lastErrorCode };
      const isFailing = degradedSince !== undefined;
      if (wasFailing && !isFailing) logger.log({ message: 'audit log is written again', ...facts });
      if (!wasFailing && isFailing)
        logger.error({ message: 'audit log cannot be written, calls on behalf of others are refused', ...facts });
      wasFailing = isFailing;
      options.onState?.(status);
    },
    onConflict: (conflict) => {
      const message =
        'audit log does not end where this process had come: somebody else has written to it, or it was restored; ' +
        'run audit verify. A new chain is written';
      logger.error({ message, ...conflict });
      options.onConflict?.(conflict);
    },
    // Copies of checkpoints belong outside the database; a log is the one place that every service has.
    onCheckpoint: (checkpoint) => {
      if (options.onCheckpoint === undefined) logger.log({ message: 'audit checkpoint', ...checkpoint });
      else options.onCheckpoint(checkpoint);
    },
  });
}

const wrong = (field: string, reason: string): Error => configurationError([{ field, code: 'MP_CONFIG', reason }]);
