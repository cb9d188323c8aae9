import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand, type SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { beforeDeadline, ownMembers } from '../basics/index.js';
import { createError, isMaskinportenError } from '../errors/index.js';
import { jwkThumbprint, type SigningAlgorithm } from '../key-files/index.js';
import { SignerHealth, type MaskinportenSigner } from '../keys/index.js';
import { checkOptions, type AwsKmsSettings, type AwsKmsSignerOptions } from './aws-kms-options.js';
import { keyError, kmsError } from './kms-error.js';

/** The attempts of the SDK within our deadline. Token requests have retries of their own, each with a new grant. */
const SDK_ATTEMPTS = 2;

const MARGIN_MS = 250;

const ALGORITHMS: Readonly<Record<SigningAlgorithm, { readonly kms: SigningAlgorithmSpec; readonly hash: string }>> = {
  RS256: { kms: 'RSASSA_PKCS1_V1_5_SHA_256', hash: 'sha256' },
  RS384: { kms: 'RSASSA_PKCS1_V1_5_SHA_384', hash: 'sha384' },
  RS512: { kms: 'RSASSA_PKCS1_V1_5_SHA_512', hash: 'sha512' },
};

/**
 * A key in AWS KMS. Grants are hashed here and signed there: neither the key nor the grant crosses the line. The public
 * half is fetched once, at start, and every signature is verified with it before it is used.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) for wrong options, a key that is not an RSA signing key or not the
 *   registered one, and for credentials that KMS does not take.
 * @throws TokenEndpointUnavailableError (`MP_NETWORK`, `MP_TIMEOUT`, `MP_THROTTLED`, `MP_UPSTREAM`) when KMS is away.
 *
 * @example
 * const signer = await awsKmsSigner({ keyId: 'alias/maskinporten', config: { region: 'eu-north-1' } });
 * MaskinportenModule.forRoot({ environment: 'test', clientId: '…', key: { signer } });
 */
export async function awsKmsSigner(given: AwsKmsSignerOptions): Promise<AwsKmsSigner> {
  // Own members only: what a polluted prototype adds is not configuration (T-66).
  const options = ownMembers(given);
  const settings = checkOptions(options);
  const client = options.client ?? makeClient(options);
  const own = options.client === undefined;
  try {
    const key = await findKey(client, settings);
    const registered = options.publicKey === undefined ? undefined : readPublicKey(options.publicKey);
    if (registered?.equals(key.publicKey) === false)
      throw keyError('the key is not the one whose public half is given');
    const { certificateChain } = options;
    const kid = options.kid ?? (certificateChain === undefined ? await jwkThumbprint(key.publicKey) : undefined);
    return new AwsKmsSigner(client, { ...settings, ...key, own, kid, certificateChain });
  } catch (error) {
    if (own) client.destroy();
    throw isMaskinportenError(error) ? error : kmsError(error);
  }
}

/** Made by `awsKmsSigner`. */
export class AwsKmsSigner implements MaskinportenSigner {
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly maxWaiting: number;
  readonly health: SignerHealth;
  declare readonly kid?: string;
  declare readonly certificateChain?: string | Buffer;
  readonly #client: KMSClient;
  readonly #ownsClient: boolean;
  readonly #keyArn: string;
  readonly #deadlineMs: number;
  readonly #closing = new AbortController();

  /** @internal */
  constructor(
    client: KMSClient,
    made: AwsKmsSettings & {
      readonly publicKey: KeyObject;
      readonly keyArn: string;
      readonly own: boolean;
      readonly kid: string | undefined;
      readonly certificateChain: string | Buffer | undefined;
    },
  ) {
    this.#client = client;
    this.#ownsClient = made.own;
    this.#keyArn = made.keyArn;
    this.alg = made.alg;
    this.publicKey = made.publicKey;
    this.#deadlineMs = made.timeoutMs;
    // Ours comes first, because it knows what was waited for; the one outside is for signers that forget theirs.
    this.timeoutMs = Math.min(made.timeoutMs + MARGIN_MS, 60_000);
    this.concurrency = made.concurrency;
    this.maxWaiting = made.maxWaiting;
    // The end of an id tells keys apart; the account number in an ARN is nobody's business.
    this.health = new SignerHealth(`aws-kms:${made.keyId.replace(/^.*[:/]/, '').slice(-16)}`);
    if (made.kid !== undefined) this.kid = made.kid;
    if (made.certificateChain !== undefined) this.certificateChain = made.certificateChain;
  }

  /**
   * @throws TokenEndpointUnavailableError while KMS is away, slow or throttles.
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when KMS does not let this service use the key.
   * @throws OperationAbortedError (`MP_ABORTED`) when `signal` fires, or after `close`.
   */
  async sign(
    data: Uint8Array,
    { alg, signal }: { readonly alg: SigningAlgorithm; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    const { kms, hash } = ALGORITHMS[alg];
    // The digest and not the data: KMS takes at most 4096 bytes, and a grant with a certificate chain is longer.
    const command = new SignCommand({
      KeyId: this.#keyArn,
      Message: createHash(hash).update(data).digest(),
      MessageType: 'DIGEST',
      SigningAlgorithm: kms,
    });
    const stop = AbortSignal.any([signal, this.#closing.signal]);
    try {
      const { Signature } = await beforeDeadline((abortSignal) => this.#client.send(command, { abortSignal }), {
        ms: this.#deadlineMs,
        signal: stop,
        late: tooLate,
      });
      if (Signature === undefined)
        throw createError('MP_UPSTREAM', { message: 'AWS KMS gave no signature.', field: 'awsKms' });
      this.health.succeeded();
      return Signature;
    } catch (error) {
      if (stop.aborted)
        throw createError('MP_ABORTED', { message: 'AWS KMS: the caller stopped waiting, or the signer was closed.' });
      const known = isMaskinportenError(error) ? error : kmsError(error);
      this.health.failed(known);
      throw known;
    }
  }

  /** Ends signatures under way, and the connections unless they belong to a client that was given. */
  close(): Promise<void> {
    this.#closing.abort();
    if (this.#ownsClient) this.#client.destroy();
    return Promise.resolve();
  }
}

function makeClient({ config }: AwsKmsSignerOptions): KMSClient {
  return new KMSClient({ maxAttempts: SDK_ATTEMPTS, ...config });
}

/** Named as the SDK names it when a request takes too long. */
const tooLate = (): Error => Object.assign(new Error('deadline'), { name: 'TimeoutError' });

/** The public half and the full name of the key. An alias that is pointed elsewhere later changes nothing until a restart. */
async function findKey(
  client: KMSClient,
  { keyId, alg, timeoutMs }: AwsKmsSettings,
): Promise<{ publicKey: KeyObject; keyArn: string }> {
  const found = await beforeDeadline(
    (abortSignal) => client.send(new GetPublicKeyCommand({ KeyId: keyId }), { abortSignal }),
    { ms: timeoutMs, late: tooLate },
  );
  if (found.KeyUsage !== 'SIGN_VERIFY') throw keyError('the key is not for signing (SIGN_VERIFY)');
  if (found.SigningAlgorithms?.includes(ALGORITHMS[alg].kms) !== true) {
    throw keyError(`the key does not sign with ${ALGORITHMS[alg].kms}: Maskinporten takes RSA keys only`);
  }
  if (found.PublicKey === undefined) throw keyError('KMS did not tell the public half of the key');
  const publicKey = createPublicKey({ key: Buffer.from(found.PublicKey), format: 'der', type: 'spki' });
  if (publicKey.asymmetricKeyType !== 'rsa') throw keyError('the key is not an RSA key');
  return { publicKey, keyArn: found.KeyId ?? keyId };
}

function readPublicKey(publicKey: KeyObject | string | Buffer): KeyObject {
  try {
    return typeof publicKey === 'string' || Buffer.isBuffer(publicKey) ? createPublicKey(publicKey) : publicKey;
  } catch {
    throw createError('MP_CONFIG', {
      message: 'AWS KMS: publicKey is not a public key in PEM form.',
      field: 'awsKms.publicKey',
    });
  }
}
