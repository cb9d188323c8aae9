// Longer than 250 lines: who gets a free connection and what ends a wait decide about the same lines.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Line, type Place } from '../basics/index.js';
import { createError, withDetails, type MaskinportenError } from '../errors/index.js';
import type { CircuitBreaker, Pass } from './circuit-breaker.js';
import type { Demand, Priority } from './demand.js';
import type { RequestKind } from './endpoint-event.js';

/** An operation on its way to a connection. */
export interface Seeker {
  readonly kind: RequestKind;
  readonly demand: Demand;
  /** Leave of the circuit, taken with the first connection. */
  pass: Pass | undefined;
}

/** A seeker that waits. */
export interface Wait {
  /** @throws what ended the wait */
  readonly turn: Promise<void>;
}

interface Entry extends Wait {
  readonly seeker: Seeker;
  /** Smaller numbers have waited longer. */
  readonly ticket: number;
  line: Line<Entry>;
  place: Place<Entry>;
  readonly enter: () => void;
  readonly end: (error: MaskinportenError) => void;
}

interface Hold {
  readonly untilMs: number;
  readonly error: MaskinportenError;
  readonly timer: NodeJS.Timeout;
}

/** How the connections of one client are used. */
export interface ConnectionStatus {
  readonly max: number;
  readonly inUse: number;
  readonly waiting: Readonly<Record<Priority, number>>;
}

export interface ConnectionQueueOptions {
  readonly max: number;
  readonly circuits: Readonly<Record<RequestKind, CircuitBreaker>>;
  readonly monotonicMs: () => number;
  /** Milliseconds a hold may take before interactive callers are not kept waiting for its end. */
  readonly deadlineMs: number;
}

const KINDS: readonly RequestKind[] = ['plain', 'system-user'];
/** Interactive callers who may go in a row while batch work waits: it gets one connection of four (F-142). */
const MAX_IN_A_ROW = 3;
/** How many waits are ended in one turn of the event loop: making the errors of 20,000 would hold everybody up. */
const ENDED_PER_TURN = 256;

/**
 * Gives out the connections of one client, one for each attempt. Those who wait cost an object each and no timer, and
 * their wait is nobody's fault: it ends with a connection, with the last of their callers, with `close`, and for
 * interactive callers with an open circuit or a long hold (F-139). Batch work waits out both.
 */
export class ConnectionQueue {
  readonly #options: ConnectionQueueOptions;
  readonly #lines: Readonly<Record<Priority, Readonly<Record<RequestKind, Line<Entry>>>>> = {
    interactive: { plain: new Line(), 'system-user': new Line() },
    batch: { plain: new Line(), 'system-user': new Line() },
  };
  /** What a server asked for: of the whole client by 429, of one kind of request by 503 (F-140). */
  readonly #holds = new Map<RequestKind | 'all', Hold>();
  readonly #probeTimers = new Map<RequestKind, NodeJS.Timeout>();
  readonly #tickets = new WeakMap<Seeker, number>();
  #lastTicket = 0;
  #inUse = 0;
  #interactiveInARow = 0;
  #closed = false;

  constructor(options: ConnectionQueueOptions) {
    this.#options = options;
  }

  get status(): ConnectionStatus {
    return {
      max: this.#options.max,
      inUse: this.#inUse,
      waiting: { interactive: this.#length('interactive'), batch: this.#length('batch') },
    };
  }

  /**
   * Takes a connection for one attempt; `leave` gives it back.
   *
   * @returns undefined when one was free; otherwise the wait for it
   * @throws MaskinportenError when this seeker is not to wait: the circuit's error, the one behind a hold, `MP_ABORTED`
   */
  enter(seeker: Seeker): Wait | undefined {
    this.#serve();
    const refusal = this.#refusal(seeker);
    if (refusal !== undefined) {
      seeker.demand.giveUp();
      throw refusal;
    }
    if (this.#inUse < this.#options.max && this.#admits(seeker)) {
      this.#take(seeker);
      return undefined;
    }
    if (this.#closed) throw closed();
    const entry = this.#line(seeker);
    this.#setTimers();
    return entry;
  }

  leave(): void {
    this.#inUse -= 1;
    this.#serve();
  }

  /** The demand behind a wait has changed: more urgent, or not there any more. */
  reconsider(wait: Wait): void {
    const entry = wait as Entry;
    const { demand, kind } = entry.seeker;
    const refusal = demand.abandoned ? stopped() : this.#refusal(entry.seeker);
    if (refusal !== undefined) {
      if (!entry.line.leave(entry.place)) return;
      demand.giveUp();
      entry.end(refusal);
      this.#setTimers();
      return;
    }
    const line = this.#lines[demand.priority][kind];
    if (line === entry.line || !entry.line.leave(entry.place)) return;
    entry.line = line;
    // Whoever has leave of the circuit may be what all the others wait for.
    entry.place = entry.seeker.pass === undefined ? line.append(entry) : line.prepend(entry);
    this.#serve();
  }

  /**
   * Sends nothing for `ms` milliseconds, because the server asked for that.
   *
   * @param error what interactive callers are answered with when that is too long for them
   */
  hold(kind: RequestKind | 'all', ms: number, error: MaskinportenError): void {
    const untilMs = this.#options.monotonicMs() + ms;
    const present = this.#holds.get(kind);
    if (present !== undefined && present.untilMs >= untilMs) return;
    clearTimeout(present?.timer);
    const timer = setTimeout(() => this.#release(kind), ms);
    this.#holds.set(kind, { untilMs, error, timer });
    if (ms > this.#options.deadlineMs) this.#endInteractive(kind === 'all' ? KINDS : [kind]);
    this.#setTimers();
  }

  /** The circuit of this kind has opened, closed, or let a probe go that told nothing. */
  circuitChanged(kind: RequestKind): void {
    if (this.#options.circuits[kind].openForMs > 0) this.#endInteractive([kind]);
    this.#serve();
  }

  /** Ends every wait; from now on nobody waits any more. */
  close(): void {
    this.#closed = true;
    this.#end(
      (['interactive', 'batch'] as const).flatMap((priority) => this.#all(priority, KINDS)),
      closed,
    );
    for (const { timer } of this.#holds.values()) clearTimeout(timer);
    this.#setTimers();
  }

  #length(priority: Priority): number {
    return KINDS.reduce((sum, kind) => sum + this.#lines[priority][kind].length, 0);
  }

  #line(seeker: Seeker): Entry {
    const { kind, demand } = seeker;
    const known = this.#tickets.get(seeker);
    const ticket = known ?? (this.#lastTicket += 1);
    const line = this.#lines[demand.priority][kind];
    const entry = { seeker, ticket, line } as Entry;
    const turn = new Promise<void>((resolve, reject) => {
      Object.assign(entry, { enter: resolve, end: reject });
    });
    // Who comes back for another attempt has waited longer than all who have not had one.
    const place = known === undefined ? line.append(entry) : line.prepend(entry);
    this.#tickets.set(seeker, ticket);
    return Object.assign(entry, { turn, place });
  }

  /** Gives out what is free. */
  #serve(): void {
    while (this.#inUse < this.#options.max) {
      const next = this.#next();
      if (next === undefined) break;
      next.line.leave(next.place);
      this.#take(next.seeker);
      next.enter();
    }
    this.#setTimers();
  }

  #next(): Entry | undefined {
    const interactive = this.#longestWaiting('interactive');
    const batch = this.#longestWaiting('batch');
    if (batch === undefined) this.#interactiveInARow = 0;
    if (interactive === undefined || (batch !== undefined && this.#interactiveInARow >= MAX_IN_A_ROW)) {
      this.#interactiveInARow = 0;
      return batch;
    }
    if (batch !== undefined) this.#interactiveInARow += 1;
    return interactive;
  }

  #longestWaiting(priority: Priority): Entry | undefined {
    let longest: Entry | undefined;
    for (const kind of KINDS) {
      const { first } = this.#lines[priority][kind];
      if (first === undefined || !this.#admits(first.seeker)) continue;
      if (longest === undefined || first.ticket < longest.ticket) longest = first;
    }
    return longest;
  }

  #take(seeker: Seeker): void {
    seeker.pass ??= this.#options.circuits[seeker.kind].enter();
    this.#inUse += 1;
  }

  #admits({ kind, pass }: Seeker): boolean {
    return this.#heldBy(kind) === undefined && (pass !== undefined || this.#options.circuits[kind].admits);
  }

  /** The hold that ends last, if there is one. */
  #heldBy(kind: RequestKind): { readonly forMs: number; readonly error: MaskinportenError } | undefined {
    let last: { forMs: number; error: MaskinportenError } | undefined;
    for (const name of ['all', kind] as const) {
      const hold = this.#holds.get(name);
      if (hold === undefined) continue;
      const forMs = hold.untilMs - this.#options.monotonicMs();
      if (forMs <= 0) this.#forget(name);
      else if (last === undefined || forMs > last.forMs) last = { forMs, error: hold.error };
    }
    return last;
  }

  /** Why this seeker is not to wait. */
  #refusal({ demand, kind, pass }: Seeker): MaskinportenError | undefined {
    if (demand.stopped || (demand.abandoned && pass === undefined)) return stopped();
    if (demand.priority === 'batch') return undefined;
    const held = this.#heldBy(kind);
    if (held !== undefined && held.forMs > this.#options.deadlineMs) return refusedUntil(held.error, held.forMs);
    return pass === undefined ? this.#options.circuits[kind].refusal : undefined;
  }

  /** Interactive callers do not wait for what may take long; whoever probes may finish. */
  #endInteractive(kinds: readonly RequestKind[]): void {
    for (const kind of kinds) {
      const held = this.#heldBy(kind);
      const error = this.#options.circuits[kind].refusal ?? (held && refusedUntil(held.error, held.forMs));
      const leaving = this.#all('interactive', [kind]).filter(({ seeker }) => seeker.pass?.probe !== true);
      if (error !== undefined) this.#end(leaving, () => withDetails(error));
    }
  }

  #all(priority: Priority, kinds: readonly RequestKind[]): Entry[] {
    return kinds.flatMap((kind) => [...this.#lines[priority][kind]]);
  }

  #end(entries: readonly Entry[], error: () => MaskinportenError): void {
    for (const entry of entries) entry.line.leave(entry.place);
    void endInSlices(entries, error);
  }

  #release(kind: RequestKind | 'all'): void {
    this.#forget(kind);
    this.#serve();
  }

  #forget(kind: RequestKind | 'all'): void {
    clearTimeout(this.#holds.get(kind)?.timer);
    this.#holds.delete(kind);
  }

  /** A timer for each circuit that somebody waits for; and the process stays up while somebody waits for any timer. */
  #setTimers(): void {
    for (const kind of KINDS) {
      const waiting = this.#lines.batch[kind].length + this.#lines.interactive[kind].length > 0;
      const { openForMs } = this.#options.circuits[kind];
      const timer = this.#probeTimers.get(kind);
      if (waiting && openForMs > 0 && timer === undefined) {
        this.#probeTimers.set(
          kind,
          setTimeout(() => {
            this.#probeTimers.delete(kind);
            this.#serve();
          }, openForMs + 1),
        );
      } else if (!waiting || openForMs <= 0) {
        clearTimeout(timer);
        this.#probeTimers.delete(kind);
      }
    }
    const anybody = this.#length('interactive') + this.#length('batch') > 0;
    for (const { timer } of this.#holds.values()) {
      if (anybody) timer.ref();
      else timer.unref();
    }
  }
}

async function endInSlices(entries: readonly Entry[], error: () => MaskinportenError): Promise<void> {
  for (let from = 0; from < entries.length; from += ENDED_PER_TURN) {
    if (from > 0) await nextTurn();
    for (const entry of entries.slice(from, from + ENDED_PER_TURN)) entry.end(error());
  }
}

const refusedUntil = (error: MaskinportenError, forMs: number): MaskinportenError =>
  withDetails(error, { retryAfterMs: Math.ceil(forMs), attempts: 0, elapsedMs: 0 });

const closed = (): MaskinportenError =>
  createError('MP_ABORTED', {
    message: 'The token service is closed; nobody waits for a connection any more.',
    retryable: false,
  });

const stopped = (): MaskinportenError =>
  createError('MP_ABORTED', { message: 'Nobody waits for this token any more, so it was not asked for.' });
