import { chainIsTrusted, organisationNumberOf } from '../certificates.js';
import { MIN_MODULUS_BITS } from '../client-keys.js';
import { invalidGrant, unauthenticated } from '../refusal.js';
import { type Rule, established } from './rule.js';

/** Rules for grants that are signed with an enterprise certificate and carry no `kid`. */
export const certificateRules: readonly Rule[] = [
  {
    check: 'certificate.trusted',
    needs: ['key.known'],
    run: (grant) => {
      const { authenticationMethod, publicKey } = established(grant.key);
      if (authenticationMethod !== 'virksomhetssertifikat') return undefined;
      const details = publicKey.asymmetricKeyDetails;
      const usable = publicKey.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= MIN_MODULUS_BITS;
      const trusted = chainIsTrusted(grant.chain ?? [], established(grant.client).trustedRoots, grant.nowSeconds);
      const [leaf] = grant.chain ?? [];
      const enterprise = leaf !== undefined && organisationNumberOf(leaf) !== undefined;
      return usable && trusted && enterprise
        ? undefined
        : unauthenticated('The JWT is signed with an invalid certificate', 'MP-120');
    },
  },
  {
    check: 'certificate.organisation',
    needs: ['certificate.trusted'],
    run: (grant) => {
      const { authenticationMethod, certificate } = established(grant.key);
      if (authenticationMethod !== 'virksomhetssertifikat' || certificate === undefined) return undefined;
      return organisationNumberOf(certificate) === established(grant.client).orgno
        ? undefined
        : invalidGrant('Invalid organization number for client. Does not match certificate orgno', 'MP-122');
    },
  },
];
