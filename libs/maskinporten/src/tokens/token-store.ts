/**
 * Where the replicas of a service share their tokens. It saves requests and nothing depends on it: whatever goes wrong is
 * a miss. A store has to seal what it keeps, as `RedisTokenStore` does: a value holds an access token.
 */
export interface TokenStore {
  /** Milliseconds that a command may take. Default 50. */
  readonly timeoutMs?: number | undefined;
  /**
   * @param key JSON of issuer, client id and request. It can hold organisation numbers, so it must not be kept as it is.
   * @throws TokenStoreRefusal for a value that cannot be trusted
   */
  get(key: string): Promise<string | null>;
  /** @param ttlMs milliseconds after which the value must be gone */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** @returns the owner, to unlock with; null while another one has the lock */
  lock(key: string, ttlMs: number): Promise<string | null>;
  /** Does nothing when the lock is another one's by now. */
  unlock(key: string, owner: string): Promise<void>;
  close?(): Promise<void>;
}

/** A stored value that was not sealed by us, for this key, now. */
export class TokenStoreRefusal extends Error {}
