import { compactVerify } from 'jose';
import { unauthenticated } from '../refusal.js';
import { type Rule, established } from './rule.js';

export const signatureRules: readonly Rule[] = [
  {
    check: 'signature',
    needs: ['header.alg', 'header.parameters', 'key.known'],
    run: async (grant) => {
      const { publicKey } = established(grant.key);
      try {
        await compactVerify(grant.assertion, publicKey, { algorithms: ['RS256', 'RS384', 'RS512'] });
        return undefined;
      } catch {
        return unauthenticated('Invalid JWT signature', 'MP-124');
      }
    },
  },
];
