import {
  type AuditHead,
  type AuditPage,
  type AuditRecord,
  type AuditScan,
  type AuditSearch,
  type AuditStore,
  AuditLog,
} from 'nestjs-maskinporten';
import { Injectable, type CanActivate } from '@nestjs/common';

/**
 * @param signal aborts when the store is not needed any more: it rejects then, and leaves nothing half done
 * @param onSlow called when it is sure that the store can be had, and the rest takes long
 */
export type OpenStore = (signal: AbortSignal, onSlow: () => void) => Promise<AuditStore>;

const nothing = (): void => undefined;

/** A store that is still being opened: whatever is asked of it waits. */
export class OpeningAuditStore implements AuditStore {
  readonly opened: Promise<void>;
  readonly #store: Promise<AuditStore>;
  readonly #stop = new AbortController();

  private constructor(open: OpenStore, onSlow: () => void) {
    this.#store = open(this.#stop.signal, onSlow);
    this.opened = this.#store.then(() => undefined);
    // `main` looks at it, but not before the service listens.
    this.opened.catch(() => undefined);
  }

  /**
   * Waits for what is quick.
   *
   * @throws what `open` throws before it is slow
   */
  static async open(open: OpenStore): Promise<OpeningAuditStore> {
    let isSlow = nothing;
    const slow = new Promise<void>((resolve) => {
      isSlow = resolve;
    });
    const store = new OpeningAuditStore(open, isSlow);
    await Promise.race([store.opened, slow]);
    return store;
  }

  /** True when it was closed, also before it was open. */
  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  async append(...batch: Parameters<AuditStore['append']>): Promise<void> {
    await (await this.#store).append(...batch);
  }

  async latestHead(): Promise<AuditHead | undefined> {
    return (await this.#store).latestHead();
  }

  async find(query: { readonly requestId: string }): Promise<readonly AuditRecord[]> {
    return (await this.#store).find(query);
  }

  async search(query: AuditSearch): Promise<AuditPage> {
    return (await this.#store).search(query);
  }

  async *records(scan?: AuditScan): AsyncIterable<AuditRecord> {
    yield* (await this.#store).records(scan);
  }

  async *checkpoints(scan?: { readonly writer?: string }): ReturnType<AuditStore['checkpoints']> {
    yield* (await this.#store).checkpoints(scan);
  }

  /** Ends the opening, or closes what it has opened. */
  async close(): Promise<void> {
    this.#stop.abort();
    const store = await this.#store.catch(() => undefined);
    await store?.close();
  }
}

/**
 * For handlers whose calls must be recorded: they begin when the log can be asked, so that none of their deadlines runs
 * while its database is made. A log that cannot be opened lets them through, and refuses their calls (F-133).
 */
@Injectable()
export class OpenLogGuard implements CanActivate {
  constructor(private readonly log: AuditLog) {}

  async canActivate(): Promise<boolean> {
    await this.log.store.opened?.catch(() => undefined);
    return true;
  }
}
