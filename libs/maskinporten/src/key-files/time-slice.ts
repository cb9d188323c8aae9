import { setImmediate } from 'node:timers/promises';

/** A tenth of the 50 ms that F-120 allows: on a busy machine the wait is several times as long. */
const SLICE_MS = 5;

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
