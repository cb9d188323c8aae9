// What certificates say: who issued whom, until when, to which organisation and in which environment.
export { endOf, orderChain, startOf } from './certificate-chain.js';
export { certificateHolder, certificateOrganisation } from './certificate-organisation.js';
export type { CertificateHolder } from './certificate-organisation.js';
export { certificateEnvironment } from './certificate-environment.js';
