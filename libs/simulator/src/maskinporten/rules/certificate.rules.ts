import { chainIsTrusted, organisationNumberOf } from '../certificates.js';
import { MIN_MODULUS_BITS } from '../client-keys.js';
import { invalidGrant, unauthenticated } from '../refusal.js';
import { switchHint, tolerated } from '../tolerance.js';
import { type Rule, established } from './rule.js';

/** Rules for grants that are signed with an enterprise certificate and carry no `kid`. */
export const certificateRules: readonly Rule[] = [
  {
    check: 'certificate.trusted',
    needs: ['key.known'],
    run: (grant, { tolerate }) => {
      const { authenticationMethod, publicKey } = established(grant.key);
      if (authenticationMethod !== 'virksomhetssertifikat') return undefined;
      const details = publicKey.asymmetricKeyDetails;
      const usable = publicKey.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= MIN_MODULUS_BITS;
      const trusted = chainIsTrusted(grant.chain ?? [], established(grant.client).trustedRoots, grant.nowSeconds);
      const [leaf, ...others] = grant.chain ?? [];
      const enterprise = leaf !== undefined && organisationNumberOf(leaf) !== undefined;
      if (usable && trusted && enterprise) return undefined;
      // The real service knows the intermediates of the Norwegian issuers. Here nobody does, so that the issuer of a
      // leaf that comes alone is taken on trust.
      const alone = usable && enterprise && others.length === 0 && !leaf.ca && leaf.issuer !== leaf.subject;
      if (alone && tolerate.get('leaf-only-x5c') !== undefined) return tolerated('leaf-only-x5c');
      const hint = alone ? `.${switchHint('leaf-only-x5c')}` : '';
      return unauthenticated(`The JWT is signed with an invalid certificate${hint}`, 'MP-120');
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
