import { malformed, unauthenticated } from '../refusal.js';
import type { Rule } from './rule.js';

/** Claims of Digdir's grant page. `iss_onbehalfof` is documented, but as something that goes away. */
const DOCUMENTED = new Set([
  'aud',
  'iss',
  'scope',
  'iat',
  'exp',
  'jti',
  'resource',
  'consumer_org',
  'pid',
  'authorization_details',
  'iss_onbehalfof',
]);

export const claimsRules: readonly Rule[] = [
  {
    check: 'claims.documented',
    // The grant page announces HTTP 400 with "Invalid assertion"; `error` and code are not published.
    run: ({ claims }) => {
      const unknown = Object.keys(claims).filter((name) => !DOCUMENTED.has(name));
      return unknown.length === 0
        ? undefined
        : {
            status: 400,
            error: 'invalid_request',
            description: `Invalid assertion. Unknown claim ${unknown.map((name) => JSON.stringify(name)).join(', ')}`,
          };
    },
  },
  {
    check: 'claims.iss_onbehalfof',
    run: ({ claims }) => {
      if (claims['iss_onbehalfof'] === undefined) return undefined;
      return claims['consumer_org'] === undefined
        ? // Being removed by Digdir; registrations "on behalf of" do not exist in the simulator.
          malformed('Claim iss_onbehalfof is no longer supported')
        : malformed('Claims consumer_org and iss_onbehalfof cannot be combined');
    },
  },
  {
    check: 'claims.aud',
    run: ({ claims: { aud } }, { world }) => {
      const { issuer } = world.urls();
      return aud === issuer ? undefined : unauthenticated('Invalid JWT claim aud', 'MP-110');
    },
  },
  {
    check: 'claims.jti',
    // "Recommended" on the grant page; every grant is single use, which cannot be kept apart without it.
    run: ({ claims: { jti } }) =>
      typeof jti === 'string' && jti !== '' && jti.length <= 255 ? undefined : malformed('Claim jti'),
  },
];
