/** `Retry-After` (RFC 9110 §10.2.3) for a wait in milliseconds: whole seconds, rounded up, at least one. */
export const retryAfterSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));
