/**
 * Injection token of the guard that runs before every other guard of ours, whatever the order of the decorators: nothing
 * is asked of anybody for a caller whose own token is not verified. Provided where an application verifies tokens.
 */
export const FIRST_GUARD = Symbol('MaskinportenFirstGuard');
