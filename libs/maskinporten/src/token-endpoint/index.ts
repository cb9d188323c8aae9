// From a checked request to a token answer: the attempt loop and everything it may and may not repeat.
export { TokenEndpoint } from './token-endpoint.js';
export type { TokenEndpointOptions } from './token-endpoint.js';
export { Demand } from './demand.js';
export type { Priority } from './demand.js';
export type { ConnectionStatus } from './connection-queue.js';
export type { ObtainedToken } from './operation.js';
export type { EndpointEvent, RequestKind } from './endpoint-event.js';
export { BACKGROUND_LIMITS, FOREGROUND_LIMITS, backoffMs, fits, isTransient } from './retry-policy.js';
export type { AttemptLimits } from './retry-policy.js';
export { CircuitBreaker } from './circuit-breaker.js';
export { refusedKey, withRefusedKey } from './refused-key.js';
export { parseRetryAfter } from './retry-after.js';
export { sleep } from './sleep.js';
