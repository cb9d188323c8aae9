import { inspect } from 'node:util';

/** What a token is made of; only the token service calls this. */
export interface TokenParts {
  readonly value: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date;
  readonly kid?: string;
  readonly jti: string;
}

/**
 * An access token. `value` is the only way to the secret: printing, inspecting, serialising or cloning the object shows
 * everything else. Use it at once and do not keep it: the service caches it and knows when it ends.
 *
 * @example
 * const token = await tokens.getToken('altinn:broker.read');
 * await fetch(url, { headers: { authorization: `Bearer ${token.value}` } });
 */
export class MaskinportenToken {
  readonly #value: string;
  /** Scopes it was granted for. */
  readonly scopes: readonly string[];
  readonly #expiresAtMs: number;
  /** Key id that signed the grant. */
  declare readonly kid?: string;
  /** `jti` of the grant that obtained it, for the audit trail. */
  readonly jti: string;

  constructor(parts: TokenParts) {
    this.#value = parts.value;
    this.scopes = Object.freeze([...parts.scopes]);
    this.#expiresAtMs = parts.expiresAt.getTime();
    if (parts.kid !== undefined) this.kid = parts.kid;
    this.jti = parts.jti;
    Object.freeze(this);
  }

  get value(): string {
    return this.#value;
  }

  /** When the server will stop accepting it, by this machine's clock. */
  get expiresAt(): Date {
    return new Date(this.#expiresAtMs);
  }

  toString(): string {
    return `MaskinportenToken(${this.scopes.join(' ')})`;
  }

  toJSON(): Record<string, unknown> {
    return { scopes: this.scopes, expiresAt: this.expiresAt.toISOString(), kid: this.kid, jti: this.jti };
  }

  [inspect.custom](): string {
    return `MaskinportenToken ${JSON.stringify(this)}`;
  }
}
