import { hash } from 'node:crypto';
import { compactVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../basics/index.js';
import { takeApart } from './compact-token.js';
import { consumerOf, type Consumer } from './consumer.js';
import type { IssuerKeys } from './issuer-keys.js';
import type { PublishedKeys } from './published-keys.js';
import { readClaims, type ClaimRules, type TokenFacts } from './token-claims.js';
import { TokenRefusal } from './token-refusal.js';

export interface TokenVerifierOptions extends ClaimRules {
  /** What `iss` must be, byte for byte. */
  readonly issuer: string;
  readonly keys: Pick<IssuerKeys, 'current' | 'find'>;
  readonly clock: Clock;
}

interface Remembered {
  readonly facts: TokenFacts;
  readonly keys: PublishedKeys;
}

/** Tokens live for minutes, so that this is many callers; each takes about two kilobytes. */
const MAX_REMEMBERED = 10_000;

/**
 * Judges access tokens of one Maskinporten. A token that was accepted is remembered by its digest until it expires or the
 * issuer changes its keys; a refusal is not, since the next one costs its sender as much as us.
 */
export class TokenVerifier {
  readonly #options: TokenVerifierOptions;
  readonly #remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED });

  constructor(options: TokenVerifierOptions) {
    this.#options = options;
  }

  /**
   * @param token compact form, without `Bearer`
   * @throws TokenRefusal
   */
  async verify(token: string): Promise<Consumer> {
    const digest = hash('sha256', token, 'base64url');
    return consumerOf(this.#recall(digest) ?? (await this.#judge(token, digest)));
  }

  #recall(digest: string): TokenFacts | undefined {
    const { keys, clock, clockToleranceMs } = this.#options;
    // Always asked, so that remembered tokens do not keep withdrawn keys alive.
    const current = keys.current();
    const found = this.#remembered.get(digest);
    if (found === undefined || found.keys !== current) return undefined;
    return clock.wallMs() - clockToleranceMs < found.facts.expiresAtMs ? found.facts : undefined;
  }

  async #judge(token: string, digest: string): Promise<TokenFacts> {
    const { issuer, keys, clock } = this.#options;
    const { alg, kid, claims } = takeApart(token);
    // Before the key: a token of another environment should not be blamed on its signature, and costs no fetch.
    if (claims['iss'] !== issuer) {
      throw new TokenRefusal('token_issuer', `iss must be ${issuer} – byte for byte, with its slash.`);
    }
    const found = await keys.find(kid);
    if (found === undefined) throw new TokenRefusal('token_signature', 'The issuer publishes no key with this kid.');
    if (found.key.alg !== undefined && found.key.alg !== alg) {
      throw new TokenRefusal('token_signature', 'alg is not the algorithm that this key is for.');
    }
    await compactVerify(token, found.key.key, { algorithms: [alg] }).catch(() => {
      throw new TokenRefusal('token_signature', 'The signature does not match.');
    });
    const facts = readClaims(claims, this.#options, clock.wallMs());
    this.#remembered.set(digest, { facts, keys: found.keys });
    return facts;
  }
}
