// Keys in AWS Key Management Service. Needs the optional peer `@aws-sdk/client-kms`.
export { awsKmsSigner } from './aws-kms-signer.js';
export type { AwsKmsSigner } from './aws-kms-signer.js';
export type { AwsKmsSignerOptions } from './aws-kms-options.js';
