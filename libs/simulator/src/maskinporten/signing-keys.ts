import { type KeyObject, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { type JWK, calculateJwkThumbprint, exportJWK } from 'jose';

const generate = promisify(generateKeyPair);

/** Maskinporten's tokens carry signatures of 384 bytes (protocol reference §1.4). */
const MODULUS_BITS = 3072;

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JWK;
}

async function makeSigningKey(modulusLength: number): Promise<SigningKey> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength });
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, privateKey, publicKey, jwk: { ...jwk, use: 'sig', alg: 'RS256', kid } };
}

/** An issuer's own keys: it signs with the newest and publishes all. They exist in memory only. */
export class SigningKeys {
  readonly #modulusLength: number;
  #keys: readonly SigningKey[] = [];

  constructor(modulusLength = MODULUS_BITS) {
    this.#modulusLength = modulusLength;
  }

  get current(): SigningKey {
    const [newest] = this.#keys;
    if (newest === undefined) throw new Error('The simulator has no signing key yet.');
    return newest;
  }

  find(kid: string): SigningKey | undefined {
    return this.#keys.find((key) => key.kid === kid);
  }

  jwks(): { keys: readonly JWK[] } {
    return { keys: this.#keys.map(({ jwk }) => jwk) };
  }

  /** Signs with a new key from now on; says its `kid`. With `dropOld` the earlier keys are no longer published. */
  async rotate({ dropOld = false }: { dropOld?: boolean } = {}): Promise<string> {
    const next = await makeSigningKey(this.#modulusLength);
    this.#keys = dropOld ? [next] : [next, ...this.#keys];
    return next.kid;
  }
}
