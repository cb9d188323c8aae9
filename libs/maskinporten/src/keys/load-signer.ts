import { createPublicKey, KeyObject, type X509Certificate } from 'node:crypto';
import { readCertificates, KeyFailure, checkKid, checkRsa, isSigningAlgorithm } from '../key-files/index.js';
import { isWholeNumber, notWholeNumber } from '../basics/index.js';
import { datesOf, type Loading } from './load-key-options.js';
import { keyFacts } from './key-facts.js';
import type { KeyDates, MaskinportenSigner } from './key-source.js';
import { RemoteSigningKey } from './remote-signing-key.js';
import { queueFull } from './signer-failure.js';
import { ConcurrencyGate } from './concurrency-gate.js';
import type { SigningKey } from './signing-key.js';

/** A key that is somewhere else and signs on request. */
export async function loadSigner(signer: MaskinportenSigner, dates: KeyDates, loading: Loading): Promise<SigningKey> {
  if (typeof signer !== 'object' || signer === null || typeof signer.sign !== 'function') {
    throw new KeyFailure('signer', 'must be an object with a sign method', 'source');
  }
  const alg = signer.alg ?? 'RS256';
  if (!isSigningAlgorithm(alg)) throw new KeyFailure('signer.alg', 'is not RS256, RS384 or RS512', 'algorithm');
  const certificates =
    signer.certificateChain === undefined
      ? []
      : readCertificates(signer.certificateChain, 'signer.certificateChain', loading.secrets);
  const publicKey = publicKeyOf(signer, certificates);
  if (publicKey !== undefined) checkRsa(publicKey, 'signer.publicKey');
  const kid = signer.kid === undefined ? undefined : checkKid(signer.kid, 'signer.kid');
  if (kid === undefined && certificates.length === 0) {
    throw new KeyFailure('signer.kid', 'is missing: a signer needs a kid or a certificateChain', 'kid-missing');
  }
  const facts = await keyFacts({
    kid,
    publicKey,
    certificates,
    ...datesOf(dates),
    certificateMember: 'signer.certificateChain',
    field: loading.field,
    issuerEnvironment: loading.environment,
    nowMs: loading.now(),
    onWarning: loading.onWarning,
  });
  const timeoutMs = limitOf(signer, 'timeoutMs', { from: 1, to: 60_000, otherwise: loading.signerTimeoutMs });
  const field = `${loading.field}.signer`;
  return new RemoteSigningKey(signer, alg, facts, { timeoutMs, field, gate: gateOf(signer) });
}

/** One queue for each signer, however many clients use it: the limit is that of the device or service behind it. */
const gates = new WeakMap<MaskinportenSigner, ConcurrencyGate>();

function gateOf(signer: MaskinportenSigner): ConcurrencyGate {
  const concurrency = limitOf(signer, 'concurrency', { from: 1, to: 64, otherwise: 8 });
  const maxWaiting = limitOf(signer, 'maxWaiting', { from: 0, to: 10_000, otherwise: 100 });
  const gate = gates.get(signer) ?? new ConcurrencyGate(concurrency, { maxWaiting, full: () => queueFull(maxWaiting) });
  gates.set(signer, gate);
  return gate;
}

function limitOf(
  signer: MaskinportenSigner,
  name: 'timeoutMs' | 'concurrency' | 'maxWaiting',
  { from, to, otherwise }: { readonly from: number; readonly to: number; readonly otherwise: number },
): number {
  const value: unknown = signer[name] ?? otherwise;
  if (isWholeNumber(value, from, to)) return value;
  throw new KeyFailure(`signer.${name}`, notWholeNumber(from, to), 'source');
}

/** Without a public key of its own, the signer is taken to hold the key of the first certificate. */
function publicKeyOf(signer: MaskinportenSigner, certificates: readonly X509Certificate[]): KeyObject | undefined {
  const { publicKey } = signer;
  if (publicKey === undefined) return certificates[0]?.publicKey;
  if (publicKey instanceof KeyObject) {
    if (publicKey.type === 'public') return publicKey;
    throw new KeyFailure('signer.publicKey', 'is not a public key');
  }
  try {
    return createPublicKey(publicKey);
  } catch {
    throw new KeyFailure('signer.publicKey', 'is not a public key in PEM form');
  }
}
