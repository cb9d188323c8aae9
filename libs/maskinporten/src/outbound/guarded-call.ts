import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { createError } from '../errors/index.js';
import { sendWithToken } from './bearer-adapter.js';
import type { Transport } from './bearer-call.js';
import { hideAgents } from './hidden-agent.js';
import type { OutboundCaller, OutboundPolicy } from './outbound-policy.js';
import { hasOwnAuthorization, removeMarker, setMarker } from './private-config.js';

type Adapter = InternalAxiosRequestConfig['adapter'];

/** What the steps of a call need to know of their instance. */
export interface Guard {
  readonly policy: OutboundPolicy;
  /** What carries a call that has this adapter. */
  transportFor(adapter: Adapter): Transport;
}

/** One call on an attached instance, from before its first interceptor until after its last. */
export class GuardedCall {
  readonly #guard: Guard;
  #caller: OutboundCaller | undefined;
  #headers: InternalAxiosRequestConfig['headers'] | undefined;
  #given: InternalAxiosRequestConfig['maskinporten'];
  #steps = 0;

  constructor(guard: Guard) {
    this.#guard = guard;
  }

  /**
   * Before any interceptor: agents disappear, and a marker shows who the call is for (T-73).
   *
   * @throws OutboundCallRefusedError (`MP_NO_CONTEXT`) when nothing says it, so that no cache answers such a call either.
   */
  enter(config: InternalAxiosRequestConfig): void {
    hideAgents(config);
    if (hasOwnAuthorization(config)) return;
    this.#given = config.maskinporten;
    // It has been read: an interceptor that writes into it should hear that it comes too late.
    if (typeof this.#given === 'object') Object.freeze(this.#given);
    this.#caller = this.#guard.policy.identify(this.#given);
    this.#headers = config.headers;
    setMarker(config.headers, this.#caller.marker);
  }

  /**
   * At both ends of the request interceptors, since either may be the end that runs last: there, whatever adapter they
   * left becomes the transport under ours.
   */
  dispatch(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
    this.#steps += 1;
    if (this.#steps < 2) return config;
    const { adapter } = config;
    const transport = this.#guard.transportFor(adapter);
    // eslint-disable-next-line typescript/promise-function-async -- a cached token is attached without a tick in between
    config.adapter = (sent) => {
      if (adapter === undefined) delete sent.adapter;
      else sent.adapter = adapter;
      hideAgents(sent);
      try {
        return sendWithToken(sent, transport, this.#guard.policy, this.#callerOf(sent));
      } catch (error) {
        return Promise.reject(error);
      }
    };
    return config;
  }

  /** After every response interceptor. */
  leave<T>(answer: T): T {
    this.#clean(answer);
    return answer;
  }

  /** @throws what the call failed with */
  fail(error: unknown): never {
    this.#clean(error);
    if (typeof error === 'object' && error !== null && 'response' in error) this.#clean(error.response);
    throw error;
  }

  /** A cache above has kept callers apart by what was said at the beginning: it cannot become somebody else's call. */
  #callerOf(config: InternalAxiosRequestConfig): OutboundCaller | undefined {
    if (this.#caller === undefined || config.maskinporten === this.#given) return this.#caller;
    const { marker } = this.#guard.policy.identify(config.maskinporten);
    if (marker === this.#caller.marker) return this.#caller;
    throw createError('MP_REQUEST', {
      message:
        'The call was not sent: an interceptor changed who it is for. Give the option maskinporten with the call itself.',
      field: 'maskinporten',
    });
  }

  #clean(answer: unknown): void {
    removeMarker(this.#headers);
    if (typeof answer !== 'object' || answer === null || !('config' in answer)) return;
    const { config } = answer as Partial<AxiosResponse>;
    if (typeof config !== 'object' || config === null) return;
    removeMarker(config.headers);
    hideAgents(config);
  }
}
