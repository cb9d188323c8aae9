import { KeyObject, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { type JWK, calculateJwkThumbprint, exportJWK } from 'jose';
import type { ConfigurationProblem } from '../kernel/index.js';

const generate = promisify(generateKeyPair);

/** Maskinporten's tokens carry signatures of 384 bytes (Digdir, well-known). */
const MODULUS_BITS = 3072;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JWK;
}

async function signingKeyOf(privateKey: KeyObject): Promise<SigningKey> {
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, privateKey, publicKey, jwk: { ...jwk, use: 'sig', alg: 'RS256', kid } };
}

/**
 * An issuer's own keys: it signs with the newest and publishes all. They exist in memory only. The first is made when
 * it is first needed, because a key takes most of a second of CPU and many simulators never sign.
 */
export class SigningKeys {
  readonly #modulusLength: number;
  /** Keys of the caller that are not in use yet, in the order of their use. */
  #given: readonly KeyObject[] = [];
  #keys: readonly SigningKey[] = [];
  /** Keys are made one after the other, so that nobody makes the same one twice or drops one that is being made. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(modulusLength = MODULUS_BITS) {
    this.#modulusLength = modulusLength;
  }

  /** What is wrong with keys that a caller wants used, by field. They have to be of the size that would be made. */
  problemsOf(given: readonly KeyObject[], field: string): readonly ConfigurationProblem[] {
    if (!Array.isArray(given)) return [{ field, reason: 'must be a list of keys' }];
    const reason = `must be a private RSA key of ${this.#modulusLength} bits that is not listed twice`;
    return given.flatMap((key: unknown, index) =>
      key instanceof KeyObject &&
      key.type === 'private' &&
      key.asymmetricKeyType === 'rsa' &&
      key.asymmetricKeyDetails?.modulusLength === this.#modulusLength &&
      !given.slice(0, index).some((earlier) => earlier instanceof KeyObject && earlier.equals(key))
        ? []
        : [{ field: `${field}[${index}]`, reason }],
    );
  }

  /** Takes the caller's keys into use: the first now, each other one when a rotation asks for a key. */
  async use(given: readonly KeyObject[]): Promise<void> {
    this.#given = given;
    if (given.length > 0) await this.current();
  }

  /** The key that signs. Made now if there is none; everybody who asks meanwhile gets the same one. */
  async current(): Promise<SigningKey> {
    return this.#keys[0] ?? this.#inTurn(async () => this.#keys[0] ?? this.#add());
  }

  /** A key that was never made has signed nothing. */
  find(kid: string): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid);
  }

  async jwks(): Promise<{ keys: readonly JWK[] }> {
    await this.current();
    return { keys: this.#keys.map(({ jwk }) => jwk) };
  }

  /** Signs with a new key from now on; says its `kid`. With `dropOld` the earlier keys are no longer published. */
  rotate({ dropOld = false }: { dropOld?: boolean } = {}): Promise<string> {
    return this.#inTurn(async () => {
      if (this.#keys.length === 0 && !dropOld) await this.#add();
      const next = await this.#add();
      if (dropOld) this.#keys = [next];
      return next.kid;
    });
  }

  /** Makes no more keys, and waits for one that is being made: the crypto library cannot stop half-way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#lastTurn;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async #add(): Promise<SigningKey> {
    if (this.#closed) throw new Error('The simulator is closed.');
    const [given, ...later] = this.#given;
    this.#given = later;
    const privateKey = given ?? (await generate('rsa', { modulusLength: this.#modulusLength })).privateKey;
    const key = await signingKeyOf(privateKey);
    this.#keys = [key, ...this.#keys];
    return key;
  }
}
