import { isPersonNumber } from '../../kernel/index.js';
import { invalidTarget, malformed } from '../refusal.js';
import type { Rule } from './rule.js';

/** RFC 3986 §4.3 `absolute-URI`, which has no fragment. */
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

function isAbsoluteUri(target: unknown): target is string {
  return typeof target === 'string' && ABSOLUTE_URI.test(target);
}

export const targetRules: readonly Rule[] = [
  {
    check: 'resource',
    // The page shows an array only; a single text is sent by several public clients and is taken.
    run: (grant) => {
      const { resource } = grant.claims;
      if (resource === undefined) return undefined;
      const targets: readonly unknown[] = Array.isArray(resource) ? resource : [resource];
      const good = targets.filter(isAbsoluteUri);
      if (targets.length === 0 || good.length < targets.length) {
        return invalidTarget('The resource must be an absolute URI without fragment');
      }
      grant.resources = good;
      return undefined;
    },
  },
  {
    check: 'pid',
    // The syntax is checked; text and code are not published.
    run: ({ claims: { pid } }) => (pid === undefined || isPersonNumber(pid) ? undefined : malformed('Claim pid')),
  },
];
