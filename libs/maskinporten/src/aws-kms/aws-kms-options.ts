import type { KeyObject } from 'node:crypto';
import type { KMSClient, KMSClientConfig } from '@aws-sdk/client-kms';
import { isWholeNumber, notWholeNumber } from '../basics/index.js';
import { ConfigurationFailures } from '../errors/index.js';
import { isSigningAlgorithm, type SigningAlgorithm } from '../key-files/index.js';

export interface AwsKmsSignerOptions {
  /** Id, ARN or alias (`alias/maskinporten`) of an asymmetric RSA key for signing. An alias is followed once, at start. */
  readonly keyId: string;
  /** Default: none when there is a certificate chain (`x5c` is sent then), else the RFC 7638 thumbprint of the public key. */
  readonly kid?: string;
  /** Default `RS256`. */
  readonly alg?: SigningAlgorithm;
  /** PEM certificates of the key, leaf first or in any order. */
  readonly certificateChain?: string | Buffer;
  /** The public key that was registered, to be compared with the one that KMS has. */
  readonly publicKey?: KeyObject | string | Buffer;
  /** Region, endpoint, credentials: as the AWS SDK takes them. Default: what its own chain finds. */
  readonly config?: KMSClientConfig;
  /** A client that is there already; it is not closed with the signer. */
  readonly client?: KMSClient;
  /** Longest wait for one signature in milliseconds, the SDK's own retries included, from 50 to 60,000. Default 2500. */
  readonly timeoutMs?: number;
  /** Signatures asked for at the same time, from 1 to 64. Default 8. */
  readonly concurrency?: number;
  /** Signatures that may wait for their turn; the next one fails at once. Default 100. */
  readonly maxWaiting?: number;
}

/** The options with their defaults, checked. */
export interface AwsKmsSettings {
  readonly keyId: string;
  readonly alg: SigningAlgorithm;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly maxWaiting: number;
}

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists every wrong option. */
export function checkOptions(options: AwsKmsSignerOptions): AwsKmsSettings {
  const failures = new ConfigurationFailures();
  const { keyId, alg = 'RS256' } = options;
  if (typeof keyId !== 'string' || !/^[\w:/.-]{1,2048}$/.test(keyId)) {
    failures.add('awsKms.keyId', 'must be the id, the ARN or the alias (alias/…) of a key');
  }
  if (!isSigningAlgorithm(alg)) failures.add('awsKms.alg', 'must be RS256, RS384 or RS512');
  if (options.client !== undefined && options.config !== undefined) {
    failures.add('awsKms.config', 'must not be given together with client');
  }
  const whole = (
    name: 'timeoutMs' | 'concurrency' | 'maxWaiting',
    from: number,
    to: number,
    otherwise: number,
  ): number => {
    const value: unknown = options[name] ?? otherwise;
    if (isWholeNumber(value, from, to)) return value;
    failures.add(`awsKms.${name}`, notWholeNumber(from, to));
    return otherwise;
  };
  const settings: AwsKmsSettings = {
    keyId,
    alg,
    timeoutMs: whole('timeoutMs', 50, 60_000, 2500),
    concurrency: whole('concurrency', 1, 64, 8),
    maxWaiting: whole('maxWaiting', 0, 10_000, 100),
  };
  failures.throwIfAny();
  return settings;
}
