import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { isRecord } from '../basics/index.js';
import { configurationError } from '../errors/index.js';

/** One key of the store: 32 bytes, from which everything is derived for each issuer. */
interface MasterKey {
  readonly kid: string;
  readonly secret: Buffer;
}

/** The key that seals for one issuer, and what names its entries. */
export interface IssuerKey {
  readonly kid: string;
  readonly seal: Uint8Array;
  readonly name: (text: string) => string;
}

const KEY_BYTES = 32;

/**
 * The sealing keys: the first one seals, all of them open. Test and production share nothing, because each issuer has keys
 * of its own (HKDF, RFC 5869).
 */
export class SealingKeys {
  readonly #masters: readonly MasterKey[];
  readonly #ofIssuer = new Map<string, readonly IssuerKey[]>();

  /**
   * @param key 32 bytes as base64 or base64url, or a JWK set of `oct` keys as JSON
   * @throws MaskinportenConfigurationError (`MP_CONFIG`); it does not quote the key
   */
  constructor(key: string) {
    const masters = parseKeys(typeof key === 'string' ? key.trim() : '');
    if (masters.length === 0 || masters.some(({ secret }) => secret.length !== KEY_BYTES)) {
      const reason = 'must be 32 bytes as base64 (openssl rand -base64 32), or a JWK set of such oct keys';
      throw configurationError([{ field: 'store.key', code: 'MP_CONFIG', reason }]);
    }
    this.#masters = masters;
  }

  /** The one that seals first. */
  of(issuer: string): readonly IssuerKey[] {
    const known = this.#ofIssuer.get(issuer);
    if (known !== undefined) return known;
    const keys = this.#masters.map(({ kid, secret }) => {
      const derive = (what: string): Buffer =>
        Buffer.from(hkdfSync('sha256', secret, '', `nestjs-maskinporten ${what} ${issuer}`, KEY_BYTES));
      const naming = derive('name');
      return {
        kid,
        seal: new Uint8Array(derive('seal')),
        name: (text: string) => createHmac('sha256', naming).update(text).digest('base64url'),
      };
    });
    this.#ofIssuer.set(issuer, keys);
    return keys;
  }
}

function parseKeys(text: string): MasterKey[] {
  if (!text.startsWith('{')) {
    if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return [];
    return [masterKey(Buffer.from(text, 'base64'))];
  }
  try {
    const json: unknown = JSON.parse(text);
    const list: unknown[] = isRecord(json) && Array.isArray(json['keys']) ? (json['keys'] as unknown[]) : [json];
    return list.map((jwk) => {
      const { kty, k, kid } = isRecord(jwk) ? jwk : {};
      const secret = Buffer.from(kty === 'oct' && typeof k === 'string' ? k : '', 'base64url');
      return masterKey(secret, typeof kid === 'string' && /^[\x21-\x7e]{1,64}$/.test(kid) ? kid : undefined);
    });
  } catch {
    return [];
  }
}

const masterKey = (secret: Buffer, kid?: string): MasterKey => ({
  kid: kid ?? createHash('sha256').update('kid').update(secret).digest('hex').slice(0, 16),
  secret,
});
