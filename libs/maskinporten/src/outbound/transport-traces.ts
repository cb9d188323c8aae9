import { PassThrough, pipeline, type Readable } from 'node:stream';
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { hideAgents } from './hidden-agent.js';

/**
 * Takes every trace of the token out of an answer: the sent configuration is replaced by the caller's own, and the
 * request object, whose raw header text holds the token, is dropped (T-04).
 */
export function cleanResponse(response: AxiosResponse, config: InternalAxiosRequestConfig): AxiosResponse {
  hideAgents(config);
  response.config = config;
  response.request = undefined;
  if (isReadable(response.data)) response.data = detachedStream(response.data);
  return response;
}

/** The same for a failure, which stays the axios error it is (T-01, T-03). */
export function cleanError(error: unknown, config: InternalAxiosRequestConfig): unknown {
  if (typeof error !== 'object' || error === null) return error;
  hideAgents(config);
  const traces = error as { config?: unknown; request?: unknown; response?: AxiosResponse; cause?: unknown };
  if (traces.config !== undefined) traces.config = config;
  if (traces.request !== undefined) traces.request = undefined;
  // Agents and interceptors put whatever they like there; message and code are on the error itself.
  if (traces.cause !== undefined) delete traces.cause;
  if (traces.response !== undefined) cleanResponse(traces.response, config);
  return error;
}

const isReadable = (data: unknown): data is Readable =>
  typeof data === 'object' && data !== null && 'pipe' in data && typeof data.pipe === 'function';

/** An incoming message points back at its request; a pass-through does not. Destroying it destroys the source too. */
function detachedStream(source: Readable): Readable {
  const detached = new PassThrough();
  // Failures arrive at whoever reads `detached`; there is nothing more to do about them here.
  pipeline(source, detached, () => undefined);
  return detached;
}
