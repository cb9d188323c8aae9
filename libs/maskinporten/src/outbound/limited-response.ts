import { detachedBody, type StreamRules } from './detached-stream.js';

const BUFFERED = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const;

/** How one answer of fetch is guarded. */
export interface ResponseRules extends StreamRules {
  /** The caller reads the answer as it comes, at its own pace. */
  readonly streamed: () => void;
}

/**
 * The same answer, with a limit on what is buffered (`json()`, `text()` …): a small compressed answer can become a very
 * large one (T-63). `body` is read as it comes and has none; asking for it stops the clock (F-146).
 */
export function limitResponse(response: Response, rules: ResponseRules): Response {
  // Asked for each time: `clone()` puts another stream in its place.
  const prototype = Object.getPrototypeOf(response) as object;
  const current = (): ReadableStream<Uint8Array> =>
    Reflect.get(prototype, 'body', response) as ReadableStream<Uint8Array>;
  if (response.body === null) {
    rules.over();
    return response;
  }
  let streamed: ReadableStream<Uint8Array> | undefined;
  const stream = (): ReadableStream<Uint8Array> => {
    rules.streamed();
    streamed ??= detachedBody(current(), { ...rules, limit: Infinity });
    return streamed;
  };
  const { status, statusText, headers } = response;
  for (const name of BUFFERED) {
    if (typeof Reflect.get(response, name) !== 'function') continue;
    const read = async (): Promise<unknown> => {
      // Once the body was asked for, it is that one which is read, and a second reader is an error as usual.
      const source = streamed ?? (response.bodyUsed ? current() : detachedBody(current(), rules));
      const copy = new Response(source, { status, statusText, headers });
      return (Reflect.get(copy, name) as () => Promise<unknown>).call(copy);
    };
    Object.defineProperty(response, name, { configurable: true, writable: true, value: read });
  }
  const clone = response.clone.bind(response);
  return Object.defineProperties(response, {
    body: { configurable: true, get: stream },
    bodyUsed: { configurable: true, get: () => streamed?.locked ?? current().locked },
    clone: { configurable: true, writable: true, value: () => limitResponse(clone(), rules) },
  });
}
