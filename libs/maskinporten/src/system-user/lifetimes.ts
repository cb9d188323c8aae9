/** Milliseconds a "yes" may be used: Altinn's own answers may be minutes old already (Altinn, access control). */
export const POSITIVE_MS = 30_000;
/** Milliseconds a "no" is repeated without asking. */
export const NEGATIVE_MS = 2_000;
