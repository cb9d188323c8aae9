import type { KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../key-files/index.js';
import type { ConcurrencyGate } from './concurrency-gate.js';

/**
 * A key that can sign grants. What the header of a grant needs is here; the key material never is.
 * `kid` wins over `x5c`: a client with registered keys must be named by `kid`, a certificate client must not be.
 */
export interface SigningKey {
  readonly alg: SigningAlgorithm;
  /** Identifier under which the public key is registered on the client; when present the header carries it. */
  readonly kid?: string;
  /** Certificate chain for the header, leaf first, standard base64 DER; present only when there is no `kid`. */
  readonly x5c?: readonly string[];
  /** Names this key and the way it is presented; part of the cache key. Not secret. */
  readonly identity: string;
  /** RFC 7638 SHA-256 thumbprint of the public key, when the public key is known. */
  readonly thumbprint?: string;
  readonly publicKey?: KeyObject;
  /** When the public key was uploaded; registered keys live one year from then. */
  readonly registeredAt?: Date;
  /** Does not sign before this moment, unless every other key has been refused. */
  readonly activeFrom?: Date;
  /** Start of validity of the leaf certificate, when there is one. */
  readonly certificateNotBefore?: Date;
  /** End of validity of the leaf certificate, when there is one. */
  readonly certificateNotAfter?: Date;
  /** Organisation number in the leaf certificate, when there is one. */
  readonly certificateOrganisation?: string;
  /** Where its signatures wait for their turn, for a key that is somewhere else. Default: the gate of the process. */
  readonly gate?: ConcurrencyGate;
  /** Whether the certificate is from a Norwegian issuer's production or test family; undefined for other issuers. */
  readonly certificateEnvironment?: 'test' | 'prod';
  /**
   * Signs `data` (the JWS signing input). Does not take a slot of the signing gate itself: call it inside
   * `signingGate.run`, together with building `data`, so that an assertion is as young as possible when it is sent.
   *
   * @throws SigningCredentialError (`MP_SIGNATURE`) when the key refuses or gives something else than a signature.
   * @throws TokenEndpointUnavailableError (`MP_UPSTREAM`, `MP_TIMEOUT`) when a remote signer fails or is silent.
   * @throws OperationAbortedError (`MP_ABORTED`) when `signal` fires first.
   */
  sign(data: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>;
}
