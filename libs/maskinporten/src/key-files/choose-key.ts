import type { KeyObject, X509Certificate } from 'node:crypto';
import type { ChooseKeyOptions } from './choose-pkcs12-key.js';
import type { BundleKey, KeyBundle } from './key-bundle.js';
import { KeyFailure } from './key-failure.js';
import type { OpenedKey } from './open-jwk.js';
import type { SigningAlgorithm } from './signing-algorithm.js';

/** The key to sign with and what was found beside it, before it is judged. */
export interface KeyMaterial {
  readonly privateKey: KeyObject;
  readonly certificates: readonly X509Certificate[];
  readonly kid?: string;
  readonly alg?: SigningAlgorithm;
}

/** More would make the error unreadable. */
const MAX_NAMED = 10;

/**
 * Opens the one key of a bundle that signs.
 *
 * @throws KeyFailure when there is no such key, or more than one (F-115): guessing would sign with the key for
 *   another purpose.
 */
export async function chooseKey(bundle: KeyBundle, options: ChooseKeyOptions): Promise<KeyMaterial> {
  const { key, ...found } = await open(bundle, options);
  return { privateKey: key, ...found, certificates: found.certificates ?? bundle.certificates };
}

async function open(bundle: KeyBundle, options: ChooseKeyOptions): Promise<OpenedKey> {
  const { format, keys } = bundle;
  if (format === 'pkcs12') {
    // Loaded when it is met: it brings the ASN.1 library.
    const { choosePkcs12Key } = await import('./choose-pkcs12-key.js');
    const opened = await Promise.all(keys.map(async (key) => key.open()));
    const contents = { keys: opened.map(({ key }) => key), certificates: bundle.certificates };
    return { key: await choosePkcs12Key(contents, options) };
  }
  if (format === 'jwk-set') return chooseJwk(keys, options).open();
  const [first, second] = format === 'jwk' ? keys : keys.filter(({ isPrivate }) => isPrivate);
  if (first === undefined) throw new KeyFailure(options.member, withoutPrivateKey(bundle));
  if (second !== undefined) {
    throw new KeyFailure(options.member, 'holds more than one private key: keep the one to sign with', 'choice');
  }
  const opened = await first.open();
  if (first.isPrivate) return opened;
  throw new KeyFailure(options.member, 'is a public JWK: the private key is needed to sign');
}

function withoutPrivateKey({ keys, certificates }: KeyBundle): string {
  if (keys.length > 0) return 'holds a public key only: the private key is needed to sign';
  return certificates.length > 0
    ? 'holds certificates only: the private key is needed to sign'
    : 'holds no private key';
}

/** The only private key of a set; else the one that `kid` names; else the only one that is not for encryption. */
function chooseJwk(keys: readonly BundleKey[], { kid, member }: ChooseKeyOptions): BundleKey {
  const candidates = keys.filter(({ isPrivate }) => isPrivate);
  const [first, second] = candidates;
  if (first === undefined) throw new KeyFailure(member, 'is a JWK set without a private key');
  if (second === undefined) return first;
  const found = kid === undefined ? forSigning(candidates) : candidates.filter(({ jwk }) => jwk?.['kid'] === kid);
  const [choice, other] = found;
  if (choice !== undefined && other === undefined) return choice;
  const kids = kidsOf(candidates);
  if (kid === undefined) {
    const advice = kids === '' ? 'give each a kid of its own, or keep one' : `set kid to one of ${kids}`;
    const reason = `is a JWK set with more than one private key, and nothing says which one signs: ${advice}`;
    throw new KeyFailure(member, reason, 'choice');
  }
  const reason =
    choice === undefined
      ? `is not that of a private key in the JWK set${kids === '' ? ', which has no kids' : `: it holds ${kids}`}`
      : 'is that of more than one private key in the JWK set: give each a kid of its own';
  throw new KeyFailure('kid', reason, 'choice');
}

function forSigning(candidates: readonly BundleKey[]): readonly BundleKey[] {
  const signing = candidates.filter(({ jwk }) => jwk?.['use'] === undefined || jwk['use'] === 'sig');
  return signing.length === 1 ? signing : candidates;
}

/** Kids are public; what is not a kid is not shown. */
function kidsOf(candidates: readonly BundleKey[]): string {
  const kids = candidates
    .map(({ jwk }) => jwk?.['kid'])
    .filter((kid) => typeof kid === 'string' && /^[\x21-\x7e]{1,128}$/.test(kid));
  return [...new Set(kids)].slice(0, MAX_NAMED).join(', ');
}
