import type { JsonWebKey, KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../key-files/index.js';

/** The state of a signer under a name of its own. `details` must hold nothing secret. */
export interface SignerHealthReporter {
  readonly name: string;
  report(): {
    readonly status: 'up' | 'degraded' | 'down';
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/**
 * A key that lives somewhere else – a KMS or an HSM – and signs on request.
 *
 * @example
 * const signer: MaskinportenSigner = {
 *   kid: 'my-registered-kid',
 *   sign: async (data, { signal }) => kms.signRsaSha256(data, { signal }),
 * };
 */
export interface MaskinportenSigner {
  /** Identifier of the registered public key. Either this or `certificateChain` is required. */
  readonly kid?: string;
  /** Default `RS256`. */
  readonly alg?: SigningAlgorithm;
  /** When given, every signature is verified with it before it is used, and the key's size is checked at start. */
  readonly publicKey?: KeyObject | string | Buffer;
  /** PEM certificates; sent as `x5c` when there is no `kid`. */
  readonly certificateChain?: string | Buffer;
  /** Longest wait for one signature, in milliseconds, from 1 to 60,000. Default 3000. */
  readonly timeoutMs?: number;
  /** Signatures asked for at the same time, from 1 to 64. Default 8. */
  readonly concurrency?: number;
  /** Signatures that may wait for their turn; the next one fails at once. From 0 to 10,000. Default 100. */
  readonly maxWaiting?: number;
  /** How the signer is, for the health report of an application; answers at once, from what is known. */
  readonly health?: SignerHealthReporter;
  /** Ends what the signer holds open. The Nest module calls it when the application has closed. */
  close?(): Promise<void>;
  /** Signs `data` (the bytes to be hashed and signed, not a digest) with RSASSA-PKCS1-v1_5. */
  sign(
    data: Uint8Array,
    options: { readonly alg: SigningAlgorithm; readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
}

/** When a key was, or will be, known to Maskinporten. ISO dates or `Date`s. */
export interface KeyDates {
  /** When the public key was uploaded; it lives one year from then. */
  readonly registeredAt?: Date | string;
  /** The key takes over at this moment; until then a later key in the list signs. Default: it signs at once. */
  readonly activeFrom?: Date | string;
}

export interface PemKeySource extends KeyDates {
  /** PKCS#8, PKCS#1 or encrypted PEM (or its base64); certificates in the same text are taken as the chain. */
  readonly pem: string | Buffer;
  readonly kid?: string;
  readonly passphrase?: string;
  /** PEM certificates in any order; sent as `x5c` when there is no `kid`. */
  readonly certificateChain?: string | Buffer;
}

export interface JwkKeySource extends KeyDates {
  /** Private RSA JWK, or a JWK set: object, JSON, or base64 of the JSON. */
  readonly jwk: JsonWebKey | string;
  /** Default: the JWK's own `kid`. In a set with several private keys it says which one signs. */
  readonly kid?: string;
}

/** What a PKCS#12 file may need besides its passphrase. */
export interface Pkcs12KeyOptions {
  /**
   * SHA-256 of the certificate whose key signs (hexadecimal, as `openssl x509 -fingerprint -sha256` prints it), for a
   * file that holds several. Default: the only key, or the only one whose certificate is for authentication.
   */
  readonly certificateFingerprint?: string;
  /** Take a file that has no MAC, so that nobody would notice if it was changed. Default false. */
  readonly allowMissingMac?: boolean;
}

export interface Pkcs12KeySource extends Pkcs12KeyOptions, KeyDates {
  /** The content of a .p12 or .pfx file, or its base64. */
  readonly pkcs12: Buffer | string;
  readonly passphrase?: string;
  readonly kid?: string;
}

export interface FileKeySource extends Pkcs12KeyOptions, KeyDates {
  /** Path of a PEM, JWK, PKCS#12 or DER file; the format is detected. */
  readonly file: string;
  readonly passphrase?: string;
  readonly kid?: string;
  /** Path of a PEM file with the certificate chain. */
  readonly certificateFile?: string;
  /**
   * Take a new key when the content of the files changes. Default true: looked at every 30,000 ms; another interval is
   * from 100 ms to a day.
   */
  readonly watch?: boolean | { readonly intervalMs: number };
}

export interface SignerKeySource extends KeyDates {
  readonly signer: MaskinportenSigner;
}

/** Where the private key comes from. */
export type KeySource = PemKeySource | JwkKeySource | Pkcs12KeySource | FileKeySource | SignerKeySource;
