import type { KeyWarningListener } from './key-warning.js';
import type { SecretBytes } from '../key-files/index.js';

export interface LoadKeyOptions {
  /** What failures call the source: `failures[].field` becomes `key.pem`, `key[1].kid` … Default `key`. */
  readonly field?: string;
  /** Refuse a key file that others may read, instead of warning. Default false. */
  readonly strictFilePermissions?: boolean;
  /** Longest wait for one signature of a remote signer, in milliseconds. Default 3000. */
  readonly signerTimeoutMs?: number;
  /** Which environment the issuer belongs to; a certificate of the other one that is not sent is told as a warning. */
  readonly environment?: 'test' | 'prod' | undefined;
  /** Wall clock in milliseconds, for the validity of certificates. */
  readonly now?: () => number;
  readonly onWarning?: KeyWarningListener;
}

/** Options with their defaults, and where what is read is kept until it is wiped. */
export interface Loading extends Required<LoadKeyOptions> {
  readonly secrets: SecretBytes;
}
