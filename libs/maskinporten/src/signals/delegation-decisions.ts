import { Listeners } from '../basics/index.js';
/** The guard's answers are a closed list; anything else is counted as one, so that no input can make new series. */
const DECISION_CODE = /^[a-z_]{1,40}$/;

/** Who asked for what on whose behalf; for the audit log, never for a metric. */
export interface DelegationFacts {
  readonly requestId?: string | undefined;
  readonly caller?: string | undefined;
  /** Nine digits; undefined when what was given is not an organisation number. */
  readonly organisation?: string | undefined;
  readonly externalRef?: string | undefined;
  /** The organisation whose data it is, when that is a client of an agent. */
  readonly party?: string | undefined;
  readonly resource?: string | undefined;
  readonly action?: string | undefined;
  /** Which of Altinn's services answered about the right: `pdp`, `authorized-parties` or `accepted-request`. */
  readonly source?: string | undefined;
}

export type DecisionListener = (decision: string, facts: DelegationFacts) => void;

/** Tells telemetry and the audit log what the system user guard decided. */
export class DelegationDecisions {
  readonly #listeners = new Listeners<Parameters<DecisionListener>>();

  /** @param decision `allowed`, or the code of the refusal. Never throws (F-138). */
  record(decision: string, facts: DelegationFacts = {}): void {
    this.#listeners.tell(DECISION_CODE.test(decision) ? decision : 'other', facts);
  }

  /** Exceptions thrown by listeners so far. */
  get listenerFailures(): number {
    return this.#listeners.failures;
  }

  /** @returns a function that stops listening */
  onDecision(listener: DecisionListener): () => void {
    return this.#listeners.add(listener);
  }
}
