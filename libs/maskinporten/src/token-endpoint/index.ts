// From a checked request to a token answer: the attempt loop and everything it may and may not repeat.
export { TokenEndpoint } from './token-endpoint.js';
export type { FetchTokenOptions, TokenEndpointOptions } from './token-endpoint.js';
export type { ObtainedToken } from './operation.js';
export type { EndpointEvent, RequestKind } from './endpoint-event.js';
export { BACKGROUND_BUDGET, FOREGROUND_BUDGET, backoffMs, fits, isTransient } from './retry-policy.js';
export type { RetryBudget } from './retry-policy.js';
export { Circuit } from './circuit.js';
export { refusedKey, withRefusedKey } from './refused-key.js';
export { parseRetryAfter } from './retry-after.js';
export { sleep } from './sleep.js';
