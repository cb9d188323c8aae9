import { setImmediate } from 'node:timers/promises';

/** A fifth of the 50 ms that F-120 allows, because the machine may be busy with other things. */
const SLICE_MS = 10;

/** Lets others run when this piece of work has held the event loop long enough; see `due` and `rest`. */
export class TimeSlice {
  #startedMs = performance.now();

  get due(): boolean {
    return performance.now() - this.#startedMs >= SLICE_MS;
  }

  async rest(): Promise<void> {
    await setImmediate();
    this.#startedMs = performance.now();
  }
}
