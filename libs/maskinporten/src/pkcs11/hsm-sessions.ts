import { createHash } from 'node:crypto';
import type { SigningAlgorithm } from '../key-files/index.js';
import { CK, type Cryptoki, type Handle } from './cryptoki.js';
import { HsmRefusal } from './hsm-protocol.js';

/** `CKM_RSA_PKCS`: the token pads and signs a DigestInfo that was made outside. */
const RSA_PKCS = 0x1;
/** Room for the signature of the largest RSA key that tokens make (16,384 bits). */
const SIGNATURE_ROOM = 2048;

/** How to sign with an algorithm: by the mechanism that hashes on the token, else with a DigestInfo (RFC 8017 §9.2). */
const ALGORITHMS: Readonly<Record<SigningAlgorithm, { readonly mechanism: number; hash: string; prefix: string }>> = {
  RS256: { mechanism: 0x40, hash: 'sha256', prefix: '3031300d060960864801650304020105000420' },
  RS384: { mechanism: 0x41, hash: 'sha384', prefix: '3041300d060960864801650304020205000430' },
  RS512: { mechanism: 0x42, hash: 'sha512', prefix: '3051300d060960864801650304020305000440' },
};

export interface HsmSessionsOptions {
  readonly slot: Handle;
  readonly key: Handle;
  /** Given when the key wants it before every signature (`CKA_ALWAYS_AUTHENTICATE`). */
  readonly pin: string | undefined;
}

/** The open sessions of a token: each signs one thing at a time, and who finds none free waits. */
export class HsmSessions {
  readonly #cryptoki: Cryptoki;
  readonly #options: HsmSessionsOptions;
  readonly #free: Handle[];
  readonly #waiting: ((session: Handle) => void)[] = [];
  readonly #hashesItself: ReadonlySet<SigningAlgorithm>;

  /** @throws HsmRefusal `mechanism` when the token has no way to make our signatures. */
  constructor(cryptoki: Cryptoki, options: HsmSessionsOptions, sessions: readonly Handle[]) {
    this.#cryptoki = cryptoki;
    this.#options = options;
    this.#free = [...sessions];
    const able = (mechanism: number): boolean => signsWith(cryptoki, options.slot, mechanism);
    const algorithms = Object.keys(ALGORITHMS) as SigningAlgorithm[];
    this.#hashesItself = new Set(algorithms.filter((alg) => able(ALGORITHMS[alg].mechanism)));
    if (this.#hashesItself.size < algorithms.length && !able(RSA_PKCS)) throw new HsmRefusal('mechanism', '');
  }

  async sign(alg: SigningAlgorithm, data: Uint8Array): Promise<Buffer> {
    const session = this.#free.pop() ?? (await new Promise<Handle>((resolve) => this.#waiting.push(resolve)));
    try {
      const { mechanism, input } = this.#plan(alg, data);
      this.#cryptoki.C_SignInit(session, { mechanism }, this.#options.key);
      if (this.#options.pin !== undefined) this.#cryptoki.C_Login(session, CK.contextSpecific, this.#options.pin);
      return await this.#cryptoki.C_SignAsync(session, input, Buffer.alloc(SIGNATURE_ROOM));
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(session);
      else next(session);
    }
  }

  #plan(alg: SigningAlgorithm, data: Uint8Array): { mechanism: number; input: Buffer } {
    const { mechanism, hash, prefix } = ALGORITHMS[alg];
    if (this.#hashesItself.has(alg)) return { mechanism, input: Buffer.from(data) };
    return {
      mechanism: RSA_PKCS,
      input: Buffer.concat([Buffer.from(prefix, 'hex'), createHash(hash).update(data).digest()]),
    };
  }
}

/** Some libraries describe mechanisms that the token does not offer: only those it lists count. */
function signsWith(cryptoki: Cryptoki, slot: Handle, mechanism: number): boolean {
  try {
    if (!cryptoki.C_GetMechanismList(slot).includes(mechanism)) return false;
    return (cryptoki.C_GetMechanismInfo(slot, mechanism).flags & CK.flagSign) !== 0;
  } catch {
    return false;
  }
}
