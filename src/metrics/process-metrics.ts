import { collectDefaultMetrics, Registry } from 'prom-client';

let shared: Registry | undefined;

/** CPU, memory, event loop and garbage collection of this process: one set, however many applications run in it. */
export function processMetrics(): Registry {
  if (shared === undefined) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  return shared;
}
