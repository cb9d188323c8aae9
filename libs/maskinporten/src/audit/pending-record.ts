import type { AuditFacts, AuditKind } from './audit-record.js';

/** A record before it has its place in the chain. */
export interface RecordContent {
  readonly kind: AuditKind;
  readonly at: string;
  readonly facts: AuditFacts;
  readonly lost?: number;
}

export type PendingOutcome = 'stored' | 'refused' | 'lost';

/**
 * A record that is on its way, and the one who waits for it. `required`: what it tells of must not happen unless it is
 * stored, so it is given up when that fails; everything else still waits although nobody waits for it any more.
 */
export class PendingRecord {
  readonly #onSettled: ((outcome: PendingOutcome) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;

  constructor(
    readonly content: RecordContent,
    readonly required: boolean,
    onSettled?: (outcome: PendingOutcome) => void,
  ) {
    this.#onSettled = onSettled;
  }

  /** True when what it tells of has been called off. */
  get isGivenUp(): boolean {
    return this.required && this.#isSettled;
  }

  startDeadline(deadlineMs: number, onDeadline: () => void): void {
    if (this.#isSettled) return;
    this.#timer = setTimeout(onDeadline, deadlineMs);
    this.#timer.unref();
  }

  /** The first outcome counts. */
  settle(outcome: PendingOutcome): void {
    clearTimeout(this.#timer);
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#onSettled?.(outcome);
  }
}
