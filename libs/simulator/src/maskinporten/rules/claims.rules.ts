import { malformed, unauthenticated } from '../refusal.js';
import { switchHint, tolerated } from '../tolerance.js';
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
    run: ({ claims }, { tolerate }) => {
      const undocumented = Object.keys(claims).filter((name) => !DOCUMENTED.has(name));
      const unknown = undocumented.filter((name) => tolerate.get(name) === undefined);
      if (unknown.length === 0) return undocumented.length === 0 ? undefined : tolerated(undocumented.join(' '));
      const names = unknown.map((name) => JSON.stringify(name)).join(', ');
      const switches = unknown.filter((name) => name === 'nbf' || name === 'sub');
      const hint = switches.length === unknown.length ? `.${switchHint(...switches)}` : '';
      return { status: 400, error: 'invalid_request', description: `Invalid assertion. Unknown claim ${names}${hint}` };
    },
  },
  {
    check: 'claims.iss_onbehalfof',
    run: ({ claims }, { tolerate }) => {
      if (claims['iss_onbehalfof'] === undefined) return undefined;
      if (claims['consumer_org'] !== undefined) {
        return malformed('Claims consumer_org and iss_onbehalfof cannot be combined');
      }
      // Being removed by Digdir; registrations "on behalf of" do not exist here, so that the token is the client's own.
      return tolerate.get('iss_onbehalfof') === undefined
        ? malformed(`Claim iss_onbehalfof is no longer supported.${switchHint('iss_onbehalfof')}`)
        : tolerated('iss_onbehalfof');
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
    run: ({ claims: { jti } }, { tolerate }) => {
      if (typeof jti === 'string' && jti !== '' && jti.length <= 255) return undefined;
      if (jti !== undefined) return malformed('Claim jti');
      return tolerate.get('missing-jti') === undefined
        ? malformed(`Claim jti.${switchHint('missing-jti')}`)
        : tolerated('missing-jti');
    },
  },
];
