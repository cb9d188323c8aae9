import { isRecord } from '../basics/index.js';
import { KeyFailure } from './key-failure.js';

type Jwk = Readonly<Record<string, unknown>>;

/** More would make the error unreadable. */
const MAX_NAMED = 10;

/**
 * The private key of a JWK set to sign with: the only one; else the one that the configured `kid` names; else the only
 * one that is not for encryption.
 *
 * @throws KeyFailure when there is none, or when more than one would do: the kids are named, so that one can be chosen.
 */
export function chooseJwk(keys: readonly unknown[], kid: string | undefined, member: string): Jwk {
  const candidates = keys.filter((key): key is Jwk => isRecord(key) && key['d'] !== undefined);
  const [first, second] = candidates;
  if (first === undefined) throw new KeyFailure(member, 'is a JWK set without a private key');
  if (second === undefined) return first;
  const found = kid === undefined ? forSigning(candidates) : candidates.filter((jwk) => jwk['kid'] === kid);
  const [choice, other] = found;
  if (choice !== undefined && other === undefined) return choice;
  const kids = kidsOf(candidates);
  if (kid === undefined) {
    throw new KeyFailure(
      member,
      `is a JWK set with more than one private key, and nothing says which one signs: ${
        kids === '' ? 'give each a kid of its own, or keep one' : `set kid to one of ${kids}`
      }`,
    );
  }
  throw new KeyFailure(
    'kid',
    choice === undefined
      ? `is that of no private key in the JWK set${kids === '' ? ', which has no kids' : `: it holds ${kids}`}`
      : 'is that of more than one private key in the JWK set: give each a kid of its own',
  );
}

const forSigning = (candidates: readonly Jwk[]): readonly Jwk[] => {
  const signing = candidates.filter(({ use }) => use === undefined || use === 'sig');
  return signing.length === 1 ? signing : candidates;
};

/** Kids are public; what is no kid is not shown. */
function kidsOf(candidates: readonly Jwk[]): string {
  const kids = candidates
    .map(({ kid }) => kid)
    .filter((kid) => typeof kid === 'string' && /^[\x21-\x7e]{1,128}$/.test(kid));
  return [...new Set(kids)].slice(0, MAX_NAMED).join(', ');
}
