// Keys on an HSM or smart card, through PKCS#11. Needs the optional peer `pkcs11js`.
export { pkcs11Signer } from './pkcs11-signer.js';
export type { Pkcs11Signer } from './pkcs11-signer.js';
export type { Pkcs11SignerOptions } from './pkcs11-options.js';
