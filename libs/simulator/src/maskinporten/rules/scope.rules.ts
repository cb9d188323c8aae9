import { isOrganisationNumber } from '../../kernel/index.js';
import { delegationKey, ungrantedKey } from '../access.js';
import { type Refusal, forbidden, invalidScope, malformed } from '../refusal.js';
import { type Rule, established } from './rule.js';

const SCOPE_TOKEN = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const INTEGRATION_TYPE = 'maskinporten';

const badCombination: Refusal = {
  status: 400,
  error: 'invalid_request',
  description:
    'Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is invalid',
};

export const scopeRules: readonly Rule[] = [
  {
    check: 'scope.syntax',
    // The claim is required; text and code for its absence are not published.
    run: (grant) => {
      const { scope } = grant.claims;
      const tokens = typeof scope === 'string' ? scope.split(/[ \t\r\n]+/).filter((token) => token !== '') : [];
      if (tokens.length === 0 || !tokens.every((token) => SCOPE_TOKEN.test(token))) return malformed('Claim scope');
      grant.scopes = [...new Set(tokens)];
      return undefined;
    },
  },
  {
    check: 'scope.registered',
    needs: ['scope.syntax', 'client.known'],
    run: (grant, { scopes }) => {
      const client = established(grant.client);
      const invalid = established(grant.scopes).filter(
        // That an inactive scope is answered like an unknown one is inferred.
        (scope) => !client.scopes.includes(scope) || scopes.get(scope)?.active === false,
      );
      return invalid.length === 0
        ? undefined
        : invalidScope(`Token request contains invalid scopes for client, ${invalid.join(' ')}`, 'MP-200');
    },
  },
  {
    check: 'scope.integration_type',
    needs: ['scope.syntax'],
    run: (grant, { scopes }) => {
      const excluded = established(grant.scopes).some((scope) => {
        const types = scopes.get(scope)?.integrationTypes ?? [];
        return types.length > 0 && !types.includes(INTEGRATION_TYPE);
      });
      return excluded
        ? invalidScope('Token request contains scopes not allowed for maskinporten', 'MP-201')
        : undefined;
    },
  },
  {
    check: 'consumer_org',
    needs: ['client.known', 'scope.syntax'],
    run: (grant, { scopes }) => {
      const { consumer_org: consumer } = grant.claims;
      if (consumer === undefined) return undefined;
      if (!isOrganisationNumber(consumer)) return malformed('Claim consumer_org');
      const delegable = established(grant.scopes).every((scope) => scopes.get(scope)?.delegable !== false);
      return consumer !== established(grant.client).orgno && delegable ? `consumer ${consumer}` : badCombination;
    },
  },
  {
    check: 'scope.granted',
    needs: ['client.known', 'scope.syntax', 'consumer_org'],
    run: (grant, { ungranted }) => {
      const consumer = consumerOf(grant.claims, established(grant.client).orgno);
      const missing = established(grant.scopes).find((scope) => ungranted.get(ungrantedKey(consumer, scope)));
      return missing === undefined
        ? undefined
        : forbidden(`Consumer has not been granted access to the scope ${missing}`, 'MP-250');
    },
  },
  {
    check: 'scope.delegated',
    needs: ['client.known', 'scope.syntax', 'consumer_org'],
    run: (grant, { delegations }) => {
      const supplier = established(grant.client).orgno;
      const consumer = consumerOf(grant.claims, supplier);
      if (consumer === supplier) return undefined;
      const missing = established(grant.scopes).find(
        (scope) => !delegations.get(delegationKey({ consumer, supplier, scope })),
      );
      return missing === undefined
        ? undefined
        : forbidden(
            `Consumer ${consumer} has not delegated access to the scope ${missing} to supplier ${supplier}.`,
            'MP-251',
          );
    },
  },
];

/** Who the token is for: the party named in `consumer_org`, else the owner of the client. */
export function consumerOf(claims: Readonly<Record<string, unknown>>, owner: string): string {
  const { consumer_org: consumer } = claims;
  return typeof consumer === 'string' ? consumer : owner;
}
