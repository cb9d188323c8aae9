/** Who goes first when connections are scarce: people who wait for an answer, or work that may take its time. */
export type Priority = 'interactive' | 'batch';

/** What is done about a demand at the moment. */
export interface Service {
  /** How many connections there may be, while one has to be waited for; undefined otherwise. */
  readonly waitsForOneOf: number | undefined;
  /** Milliseconds in which something was done, waiting for a turn not included. */
  readonly workedMs: number;
  /** The demand became more urgent, or nobody is left, or it was stopped. */
  demandChanged(demand: Demand): void;
}

/**
 * How much a token is wanted: by how many, and how urgently. Several callers share one, and it only grows more urgent:
 * one interactive caller among a hundred of a batch makes it interactive (F-142).
 */
export class Demand implements Service {
  #priority: Priority;
  #background: boolean;
  #callers = 0;
  #joined = false;
  #stopped = false;
  #givenUp = false;
  /** It is one of the callers of the demand that serves it. */
  #counted = false;
  #service: Service | undefined;

  /** @param background nobody waits: a usable token is still there */
  constructor(priority: Priority = 'interactive', background = false) {
    this.#priority = priority;
    this.#background = background;
  }

  get priority(): Priority {
    return this.#priority;
  }

  /** True until the first caller waits. */
  get background(): boolean {
    return this.#background;
  }

  /** Callers waited for it, and all have left. */
  get abandoned(): boolean {
    return this.#joined && this.#callers === 0;
  }

  /** It is to be given up, whatever has been done already. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** What is done about it ends without an outcome: nobody may join it any more. */
  get givenUp(): boolean {
    return this.#givenUp || (this.#service instanceof Demand && this.#service.givenUp);
  }

  get waitsForOneOf(): number | undefined {
    return this.#service?.waitsForOneOf;
  }

  get workedMs(): number {
    return this.#service?.workedMs ?? 0;
  }

  /** One more caller waits. */
  join(priority: Priority): void {
    this.#callers += 1;
    this.#joined = true;
    this.#background = false;
    if (priority === 'interactive') this.#priority = priority;
    this.#service?.demandChanged(this);
  }

  leave(): void {
    this.#callers -= 1;
    if (this.#callers === 0) this.#service?.demandChanged(this);
  }

  stop(): void {
    this.#stopped = true;
    this.#service?.demandChanged(this);
  }

  giveUp(): void {
    this.#givenUp = true;
  }

  /** Says who is to know when the demand changes. */
  servedBy(service: Service): void {
    this.#service = service;
  }

  /** Waits for the outcome of another demand, as an exchange does for its token, and counts as one of its callers. */
  dependOn(base: Demand): void {
    this.#service = base;
    this.#counted = true;
    base.join(this.#priority);
    base.demandChanged(this);
  }

  demandChanged(other: Demand): void {
    if (other.abandoned || other.stopped) {
      if (!other.#counted) return;
      other.#counted = false;
      this.leave();
    } else if (!other.#counted) {
      other.#counted = true;
      this.join(other.#priority);
    } else if (other.priority !== this.#priority) {
      this.#priority = 'interactive';
      this.#service?.demandChanged(this);
    }
  }
}
