// Keys that sign grants: where they come from, what is public about them, and which one is current.
export { loadSigningKey } from './load-signing-key.js';
export type { LoadKeyOptions } from './load-key-options.js';
export { loadKeyRing, loadWatchedKeyRing } from './load-key-ring.js';
export type { LoadedKeyRing, LoadKeyRingOptions } from './load-key-ring.js';
export type { KeyFileWatch, KeyReloadFailure } from './key-file-watch.js';
export { KeyRing } from './key-ring.js';
export type { KeyChange, KeyChangeListener, KeyRingOptions } from './key-ring.js';
export { ConcurrencyGate, signingGate } from './concurrency-gate.js';
export { isSignerUnavailable, UNAVAILABLE_HINT } from './signer-failure.js';
export { SignerHealth } from './signer-health.js';
export type { SigningKey } from './signing-key.js';
export type {
  FileKeySource,
  JwkKeySource,
  KeyDates,
  KeySource,
  MaskinportenSigner,
  PemKeySource,
  Pkcs12KeyOptions,
  Pkcs12KeySource,
  SignerHealthReporter,
  SignerKeySource,
} from './key-source.js';
export type { KeyWarning, KeyWarningListener } from './load-key-options.js';
export { credentialEnds } from './credential-end.js';
export type { CredentialEnd } from './credential-end.js';
export { daysLeft, expiryTier } from './credential-end.js';
export type { ExpiryTier } from './credential-end.js';
export { inspectKey, readInspectedFile } from './inspect-key.js';
export type { InspectedKey, InspectKeyOptions, KeyInspection } from './inspect-key.js';
