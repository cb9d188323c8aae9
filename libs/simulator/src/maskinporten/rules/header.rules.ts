import { invalidGrant, malformed } from '../refusal.js';
import type { Rule } from './rule.js';

export const ALGORITHMS: readonly unknown[] = ['RS256', 'RS384', 'RS512'];

/** Parameters that point at key material of the sender's choosing, or demand extensions (RFC 8725 §3.5, §3.10). */
const REFUSED_PARAMETERS = ['jwk', 'jku', 'x5u', 'crit', 'b64', 'zip', 'enc'];

export const headerRules: readonly Rule[] = [
  {
    check: 'header.alg',
    // Code and text are not published; the algorithms are.
    run: ({ header }) =>
      ALGORITHMS.includes(header['alg']) ? undefined : invalidGrant('Invalid assertion. Invalid JWT header alg'),
  },
  {
    check: 'header.typ',
    // Not documented; `JWT` is seen in production. Other types belong to other kinds of JWT (RFC 8725 §3.11).
    run: ({ header: { typ } }) =>
      typ === undefined || (typeof typ === 'string' && typ.toUpperCase() === 'JWT')
        ? undefined
        : malformed('Invalid JWT header typ'),
  },
  {
    check: 'header.parameters',
    run: ({ header }) => {
      const found = REFUSED_PARAMETERS.find((name) => Object.hasOwn(header, name));
      return found === undefined ? undefined : malformed(`Invalid JWT header ${found}`);
    },
  },
];
