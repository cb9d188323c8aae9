// What a file holds that keys or certificates come in: PEM, JWK, PKCS#12, DER.
export { KeyFailure } from './key-failure.js';
export { SecretBytes } from './secret-bytes.js';
export { readKeyFile } from './key-file.js';
export type { KeyFileContent } from './key-file.js';
export { jwkBundle, readKeyBundle } from './key-bundle.js';
export type { BundleKey, KeyBundle } from './key-bundle.js';
export { chooseKey } from './choose-key.js';
export type { KeyMaterial } from './choose-key.js';
export { checkRsa } from './private-key.js';
export { checkKid } from './key-id.js';
export { jwkThumbprint } from './key-id.js';
export { DIGEST_OF, isSigningAlgorithm } from './signing-algorithm.js';
export type { SigningAlgorithm } from './signing-algorithm.js';
export { readCertificates, usageOf } from './read-certificates.js';
export type { CertificateUsage } from './certificate-usage.js';
