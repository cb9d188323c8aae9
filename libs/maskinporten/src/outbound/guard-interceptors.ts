import type { AxiosInstance, AxiosInterceptorOptions, InternalAxiosRequestConfig } from 'axios';
import { GuardedCall, type Guard } from './guarded-call.js';

/** An interceptor as axios keeps it, and the walk over all of them that each call begins with. */
interface Handler extends AxiosInterceptorOptions {
  readonly fulfilled: ((value: never) => unknown) | undefined;
  readonly rejected?: ((error: unknown) => unknown) | undefined;
}
interface Walked {
  forEach(visit: (handler: Handler) => void): void;
}

/**
 * Puts our steps around every interceptor that an instance has or will have. axios runs request interceptors last-in,
 * first-out – or the other way round, by an option of each call – so no registered interceptor is surely the first or
 * the last; `clear()` would remove it, too. Each call begins with one walk over the request interceptors and one over
 * the response interceptors: there the steps are added, at both ends.
 *
 * @returns takes the steps out again
 */
export function guardInterceptors(instance: AxiosInstance, guard: Guard): () => void {
  const request = instance.interceptors.request as unknown as Walked;
  const response = instance.interceptors.response as unknown as Walked;
  let entered: GuardedCall | undefined;
  const restoreRequest = replaceWalk(request, (walk, visit) => {
    const call = new GuardedCall(guard);
    const step: Handler = {
      fulfilled: (config: InternalAxiosRequestConfig) => call.dispatch(config),
      rejected: undefined,
      synchronous: true,
      runWhen: null,
    };
    // Asked before anything runs, with the configuration of the call.
    visit({ fulfilled: undefined, synchronous: true, runWhen: (config) => enter(call, config) });
    visit(step);
    walk(visit);
    visit(step);
    entered = call;
  });
  const restoreResponse = replaceWalk(response, (walk, visit) => {
    walk(visit);
    const call = entered;
    entered = undefined;
    if (call !== undefined) {
      visit({ fulfilled: (answer: unknown) => call.leave(answer), rejected: (error) => call.fail(error) });
    }
  });
  return () => {
    restoreRequest();
    restoreResponse();
  };
}

function enter(call: GuardedCall, config: InternalAxiosRequestConfig): false {
  call.enter(config);
  return false;
}

type Walk = Walked['forEach'];

function replaceWalk(list: Walked, replacement: (walk: Walk, visit: Parameters<Walk>[0]) => void): () => void {
  const walk = list.forEach.bind(list);
  const previous = Object.getOwnPropertyDescriptor(list, 'forEach');
  Object.defineProperty(list, 'forEach', {
    configurable: true,
    writable: true,
    value: (visit: Parameters<Walk>[0]) => replacement(walk, visit),
  });
  return () => {
    if (previous === undefined) Reflect.deleteProperty(list, 'forEach');
    else Object.defineProperty(list, 'forEach', previous);
  };
}
