/**
 * Limits of time for tests that are not about limits: the longest that the options allow, so that a busy machine does
 * not meet them.
 */
export const PATIENT = { attemptTimeoutMs: 60_000, deadlineMs: 300_000 } as const;
