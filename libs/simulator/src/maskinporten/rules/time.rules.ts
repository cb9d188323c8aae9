import { invalidGrant, malformed } from '../refusal.js';
import type { Rule } from './rule.js';

/** Limits of Digdir's grant page, seconds. */
const MAX_LIFETIME = 120;
const CLOCK_WINDOW = 10;

export const timeRules: readonly Rule[] = [
  {
    check: 'time.integers',
    run: ({ claims: { iat, exp } }) =>
      Number.isSafeInteger(iat) && Number.isSafeInteger(exp) ? undefined : malformed('Claims iat and exp'),
  },
  {
    check: 'time.lifetime',
    needs: ['time.integers'],
    // Text and code are not published; the limit of 120 seconds is.
    run: ({ claims: { iat, exp } }) => {
      const lifetime = Number(exp) - Number(iat);
      return lifetime > 0 && lifetime <= MAX_LIFETIME
        ? `${lifetime} s`
        : invalidGrant(
            `Invalid assertion. The lifetime of the JWT is ${lifetime} seconds, the limit is ${MAX_LIFETIME}`,
          );
    },
  },
  {
    check: 'time.not_expired',
    needs: ['time.integers'],
    run: ({ claims: { exp }, nowSeconds }) =>
      Number(exp) > nowSeconds ? undefined : invalidGrant('Invalid assertion. JWT is expired', 'MP-130'),
  },
  {
    check: 'time.issued_now',
    needs: ['time.integers'],
    run: ({ claims: { iat }, nowSeconds }) => {
      const ahead = Number(iat) - nowSeconds;
      if (ahead >= CLOCK_WINDOW) return invalidGrant('Invalid assertion. Issue time is after now');
      // Text and code are not published; the window of 10 seconds is.
      if (ahead <= -CLOCK_WINDOW) return invalidGrant('Invalid assertion. Issue time is too long ago');
      return `${ahead.toFixed(1)} s from now`;
    },
  },
];
