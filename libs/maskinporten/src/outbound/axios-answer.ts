import { AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { detachedBody, detachedStream, type StreamRules } from './detached-stream.js';
import { isUnlimited } from './outbound-policy.js';
import { isResponse } from './transport-traces.js';

export function answerOf(answer: unknown, config: InternalAxiosRequestConfig): AxiosResponse {
  if (isResponse(answer)) return answer;
  throw new AxiosError(
    'the adapter answered with something that is not a response',
    AxiosError.ERR_BAD_RESPONSE,
    config,
  );
}

export function answerIn(error: unknown): AxiosResponse | undefined {
  const response: unknown =
    typeof error === 'object' && error !== null && 'response' in error ? error.response : undefined;
  return isResponse(response) ? response : undefined;
}

/** What is buffered has a limit; what is streamed only when the call sets one (F-146). */
export function limitOf(
  config: InternalAxiosRequestConfig,
  maxResponseBytes: number,
): { bytes: number; setting: string } {
  const { maxContentLength } = config;
  if (isUnlimited(maxContentLength)) return { bytes: Infinity, setting: 'maxContentLength' };
  if (typeof maxContentLength === 'number' && maxContentLength > 0) {
    return { bytes: maxContentLength, setting: 'maxContentLength' };
  }
  const none = maxResponseBytes === 0 || isStreamed(config);
  return { bytes: none ? Infinity : maxResponseBytes, setting: 'maxResponseBytes' };
}

export const isStreamed = ({ responseType }: InternalAxiosRequestConfig): boolean =>
  responseType === 'stream' || (responseType as string | undefined) === 'response';

export function declaredLength({ headers }: AxiosResponse): number {
  const length: unknown = Reflect.get(headers, 'content-length');
  return typeof length === 'string' || typeof length === 'number' ? Number(length) : 0;
}

export const isTooLarge = (error: unknown): boolean =>
  error instanceof AxiosError && error.message.startsWith('maxContentLength size of');

const isStream = (data: unknown): data is NodeJS.ReadableStream & { destroy(): void } =>
  typeof data === 'object' && data !== null && 'pipe' in data && 'once' in data;

const isWebStream = (data: unknown): data is ReadableStream<Uint8Array> =>
  typeof data === 'object' && data !== null && 'getReader' in data;

/** Replaces a streamed body by one that shows nothing of the call; false when the body is not a stream. */
export function detach(response: AxiosResponse, rules: StreamRules): boolean {
  const data: unknown = response.data;
  if (isStream(data)) response.data = detachedStream(data as Parameters<typeof detachedStream>[0], rules);
  else if (isWebStream(data)) response.data = detachedBody(data, rules);
  else if (data instanceof Response && data.body !== null) {
    const { status, statusText, headers } = data;
    response.data = new Response(detachedBody(data.body, rules), { status, statusText, headers });
  } else return false;
  return true;
}

export function discard(data: unknown): void {
  if (isStream(data)) data.destroy();
  else if (isWebStream(data)) void data.cancel().catch(() => undefined);
}
