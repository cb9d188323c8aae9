/** Methods whose repetition changes nothing (RFC 9110 §9.2.2). */
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** May a call be sent a second time after its token was refused (F-134)? */
export function isReplayable(method: string, body: unknown, replayUnsafe: boolean): boolean {
  return (replayUnsafe || REPEATABLE.has(method.toUpperCase())) && isReplayableBody(body);
}

/** Whatever can be read once only – streams, iterators, the `form-data` package – is gone after the first attempt. */
function isReplayableBody(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return true;
  return body instanceof URLSearchParams || body instanceof Blob || body instanceof FormData;
}
