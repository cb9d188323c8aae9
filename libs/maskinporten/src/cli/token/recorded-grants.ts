import type { MaskinportenSigner, SigningKey } from '../../keys/index.js';

/** A grant that was signed, without its signature: with it, it could be used. */
export interface SignedGrant {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Looks at what a key is given to sign, which is what is sent, byte for byte. */
export class RecordedGrants {
  readonly #grants: SignedGrant[] = [];

  get all(): readonly SignedGrant[] {
    return this.#grants;
  }

  /** A key source that signs with `key`. */
  signer(key: SigningKey): MaskinportenSigner {
    const { kid, alg, publicKey, x5c } = key;
    return {
      alg,
      ...(kid === undefined ? {} : { kid }),
      ...(publicKey === undefined ? {} : { publicKey }),
      ...(x5c === undefined ? {} : { certificateChain: x5c.map(pemOf).join('') }),
      sign: async (data, { signal }) => {
        this.#record(Buffer.from(data).toString('latin1'));
        return key.sign(data, { signal });
      },
    };
  }

  #record(signingInput: string): void {
    const [header = '', claims = ''] = signingInput.split('.');
    // The self-test of a key signs something else.
    if (claims !== '') this.#grants.push({ header: decode(header), claims: decode(claims) });
  }
}

const decode = (part: string): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>;

const pemOf = (der: string): string =>
  `-----BEGIN CERTIFICATE-----\n${der.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
