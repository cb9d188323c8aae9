import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { moduleNotImported } from '../errors/index.js';
import { systemClock, type Clock } from '../basics/index.js';
import { ClientRegistry, HealthContributors, unknownClient, type HealthContribution } from '../signals/index.js';
import { BackgroundCheck } from './background-check.js';
import { ClientHealth } from './client-health.js';
import type { ClientReport, ReportPart } from './client-report.js';
import { EventLoopWatch } from './event-loop-watch.js';
import { FirstToken } from './first-token.js';
import {
  DEFAULT_CHECK_DEADLINE_MS,
  DEFAULT_CHECK_EVERY_MS,
  DEFAULT_FIRST_TOKEN_LIMIT_MS,
  DEFAULT_STALL_MS,
  HEALTH_OPTIONS,
  type MaskinportenHealthOptions,
} from './health-options.js';

const BEAT_MS = 500;
/** Longer than the longest period of the probes in the manifests, so that each of them hears of a stall. */
const STALL_REMEMBERED_MS = 10_000;

/**
 * Watches every client of the application: token events, and a check of the issuer every 10 to 20 seconds. It holds
 * what probes and reports are answered from.
 */
@Injectable()
export class HealthMonitor implements OnModuleInit, OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly #logger = new Logger('MaskinportenHealth');
  readonly #registry: ClientRegistry;
  readonly #contributors: HealthContributors;
  readonly #options: MaskinportenHealthOptions;
  readonly #clock: Clock;
  readonly #loop: EventLoopWatch;
  readonly #clients = new Map<string, ClientHealth>();
  readonly #checks: BackgroundCheck[] = [];
  #firstToken: FirstToken | undefined;
  #stopWatching: (() => void) | undefined;
  #draining = false;

  constructor(
    @Inject(HEALTH_OPTIONS) options: MaskinportenHealthOptions,
    @Optional() registry?: ClientRegistry,
    @Optional() contributors?: HealthContributors,
  ) {
    if (registry === undefined || contributors === undefined) throw moduleNotImported('MaskinportenHealthModule');
    this.#options = options;
    this.#registry = registry;
    this.#contributors = contributors;
    this.#clock = options.clock ?? systemClock;
    this.#loop = new EventLoopWatch({
      beatMs: BEAT_MS,
      stallMs: options.stallMs ?? DEFAULT_STALL_MS,
      rememberMs: STALL_REMEMBERED_MS,
      monotonicMs: () => this.#clock.monotonicMs(),
    });
  }

  onModuleInit(): void {
    this.#stopWatching = this.#registry.watch(({ name, tokens: service }) => {
      this.#clients.get(name)?.close();
      this.#clients.set(name, new ClientHealth(service, this.#clock));
    });
    this.#firstToken = this.#awaitedToken();
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
    for (const client of this.#clients.values()) {
      const check = new BackgroundCheck({
        everyMs: this.#options.checkEveryMs ?? DEFAULT_CHECK_EVERY_MS,
        deadlineMs: this.#options.checkDeadlineMs ?? DEFAULT_CHECK_DEADLINE_MS,
        random: this.#options.random ?? Math.random,
        check: async (signal) => {
          this.#tell(client);
          await client.check(signal);
        },
      });
      this.#checks.push(check);
      check.start();
    }
    this.#firstToken?.start();
  }

  /** The first thing that happens when an application closes; its servers still answer. */
  onModuleDestroy(): void {
    this.drain();
    for (const check of this.#checks) check.stop();
    this.#firstToken?.stop();
    this.#loop.stop();
  }

  onApplicationShutdown(): void {
    this.#stopWatching?.();
    for (const client of this.#clients.values()) client.close();
  }

  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get stalled(): boolean {
    return this.#loop.stalled;
  }

  get firstTokenAwaited(): boolean {
    return this.#firstToken?.awaited ?? false;
  }

  /** @param name of a client; all clients when it is left out */
  clients(parts?: readonly ReportPart[], name?: string): ReadonlyMap<string, ClientReport> {
    const chosen = [...this.#clients].filter(([known]) => name === undefined || known === name);
    if (name !== undefined && chosen.length === 0) throw unknownClient(name, this.#registry.names);
    return new Map(chosen.map(([known, client]) => [known, client.report(parts)]));
  }

  contributions(): ReadonlyMap<string, HealthContribution> {
    return new Map(
      this.#contributors.list().map((contributor) => {
        try {
          return [contributor.name, contributor.report()];
        } catch {
          // One who cannot even say how it is, is not well; the report is made without its words (F-138).
          return [contributor.name, { status: 'degraded' as const }];
        }
      }),
    );
  }

  #tell(client: ClientHealth): void {
    try {
      for (const { level, ...line } of client.notices()) this.#logger[level](line);
    } catch {
      // A logger that fails must not end the checks (F-138).
    }
  }

  #awaitedToken(): FirstToken | undefined {
    const { firstToken: request, firstTokenClient: name = 'default' } = this.#options;
    if (request === undefined) return undefined;
    const { tokens: service } = this.#registry.get(name);
    return new FirstToken({
      service,
      request,
      limitMs: this.#options.firstTokenLimitMs ?? DEFAULT_FIRST_TOKEN_LIMIT_MS,
      monotonicMs: () => this.#clock.monotonicMs(),
    });
  }
}
