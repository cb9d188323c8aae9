import { invalidGrant } from '../refusal.js';
import { type Rule, established } from './rule.js';

export const replayRules: readonly Rule[] = [
  {
    check: 'unused',
    needs: [
      'claims.jti',
      'key.in_date',
      'certificate.trusted',
      'certificate.organisation',
      'signature',
      'time.lifetime',
      'time.not_expired',
      'time.issued_now',
    ],
    // Status inferred (Digdir, troubleshooting).
    run: (grant, { usedGrants }) => {
      const { jti, exp } = grant.claims;
      const client = established(grant.client).clientId;
      // Without a `jti`, which a switch allows, only the same assertion counts as used.
      const id = typeof jti === 'string' ? jti : undefined;
      return usedGrants.use(client, id, grant.assertion, Number(exp), grant.nowSeconds)
        ? undefined
        : invalidGrant('Invalid assertion. Grant is used before', 'MP-012');
    },
  },
];
