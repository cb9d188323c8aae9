import { createHash, randomUUID } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { ownMembers } from '../basics/index.js';
import { configurationError } from '../errors/index.js';
import { TokenStoreRefusal, type TokenStore } from '../tokens/index.js';
import { SealingKeys, type IssuerKey } from './sealing-keys.js';

/** A client of node-redis 5 or 6, of ioredis 5 or 6, or of iovalkey: the one way to send any command. */
export type RedisConnection =
  | { sendCommand(args: string[]): Promise<unknown>; readonly call?: undefined }
  | { call(command: string, ...args: string[]): Promise<unknown> };

export interface RedisTokenStoreOptions {
  /** Not closed by the store: it is the application's. */
  readonly connection: RedisConnection;
  /**
   * Seals the tokens: 32 bytes as base64, or a JWK set of `oct` keys as JSON, of which the first seals and all open.
   * Secret.
   */
  readonly key: string;
  /** Milliseconds that a command may take. Default 50. */
  readonly timeoutMs?: number | undefined;
}

/** Compare and delete, so that nobody takes another one's lock away. */
const UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
const MAX_TIMEOUT_MS = 10_000;
/** Milliseconds that the start waits for Redis; the service runs without it (F-90). */
const START_MS = 1_000;

/**
 * Tokens in Redis or Valkey, shared by the replicas of a service. Values are sealed (JWE, AES-256-GCM) for their entry,
 * issuer, client and end; the names of entries are HMACs. Who can read it reads nothing (T-60), who can write to it causes
 * misses and nothing else (T-61).
 *
 * @example
 * MaskinportenModule.forRoot({ …, tokens: { store: await RedisTokenStore.connect('rediss://redis:6379', { key }) } })
 * @example
 * new RedisTokenStore({ connection: existingClient, key })
 */
export class RedisTokenStore implements TokenStore {
  readonly timeoutMs: number;
  readonly #send: (args: string[]) => Promise<unknown>;
  readonly #keys: SealingKeys;
  #close: () => Promise<void> = () => Promise.resolve();

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) when the key, the connection or the time-out is wrong */
  constructor(given: RedisTokenStoreOptions) {
    const { connection, key, timeoutMs = 50 } = ownMembers(given);
    if (!Number.isFinite(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
      refuse('store.timeoutMs', `must be a number of milliseconds between 1 and ${MAX_TIMEOUT_MS}`);
    }
    this.timeoutMs = timeoutMs;
    this.#keys = new SealingKeys(key);
    this.#send = senderOf(connection);
  }

  /**
   * Connects with `@redis/client`, an optional peer. A Redis that is down is no error: the store is used when it is there.
   *
   * @param url `redis://` or, with TLS, `rediss://`
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the address or the key is wrong
   */
  static async connect(url: string, options: Omit<RedisTokenStoreOptions, 'connection'>): Promise<RedisTokenStore> {
    if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
      refuse('store.url', 'must be an address such as rediss://redis.example.no:6379');
    }
    const { createClient } = await import('@redis/client');
    const client = createClient({
      url,
      // Commands fail at once while there is no connection, and those that were given up do not pile up.
      disableOfflineQueue: true,
      commandsQueueMaxLength: 1_000,
      pingInterval: 10_000,
      socket: { connectTimeout: START_MS, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2_000) },
    });
    // Without a listener an error ends the process; what it means is seen by the next command.
    client.on('error', () => undefined);
    const store = new RedisTokenStore({ ...ownMembers(options), connection: client });
    store.#close = async () => client.destroy();
    let timer: NodeJS.Timeout | undefined;
    const started = new Promise((resolve) => {
      timer = setTimeout(resolve, START_MS);
    });
    await Promise.race([client.connect().catch(() => undefined), started]);
    clearTimeout(timer);
    return store;
  }

  async get(key: string): Promise<string | null> {
    const { issuer, keys } = this.#of(key);
    for (const each of keys) {
      const name = nameOf(each, key);
      const sealed = await this.#send(['GET', name]).catch(notText);
      if (sealed === null || sealed === undefined) continue;
      try {
        return await open(typeof sealed === 'string' ? sealed : '', key, issuer, keys);
      } catch {
        await this.#send(['DEL', name]).catch(() => undefined);
        throw new TokenStoreRefusal('A stored value was not sealed by this service for its entry; it was deleted.');
      }
    }
    return null;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    const { issuer, clientId, keys } = this.#of(key);
    const [first] = keys as [IssuerKey];
    const sealed = await new CompactEncrypt(Buffer.from(value))
      .setProtectedHeader({
        alg: 'dir',
        enc: 'A256GCM',
        kid: first.kid,
        digest: digestOf(key),
        iss: issuer,
        client_id: clientId,
        exp: Math.ceil((Date.now() + ttlMs) / 1_000),
      })
      .encrypt(first.seal);
    await this.#send(['SET', nameOf(first, key), sealed, 'PX', String(Math.max(1, Math.floor(ttlMs)))]);
  }

  async delete(key: string): Promise<void> {
    await this.#send(['DEL', ...this.#of(key).keys.map((each) => nameOf(each, key))]);
  }

  async lock(key: string, ttlMs: number): Promise<string | null> {
    const owner = randomUUID();
    const answer = await this.#send(['SET', this.#lockOf(key), owner, 'NX', 'PX', String(ttlMs)]);
    return answer === null ? null : owner;
  }

  async unlock(key: string, owner: string): Promise<void> {
    await this.#send(['EVAL', UNLOCK, '1', this.#lockOf(key), owner]);
  }

  /** Closes the connection that `connect` made. */
  async close(): Promise<void> {
    const close = this.#close;
    // Several clients may have one store, and each closes it.
    this.#close = () => Promise.resolve();
    await close();
  }

  #of(key: string): { readonly issuer: string; readonly clientId: string; readonly keys: readonly IssuerKey[] } {
    const [issuer, clientId] = JSON.parse(key) as [string, string];
    return { issuer, clientId, keys: this.#keys.of(issuer) };
  }

  #lockOf(key: string): string {
    return `${nameOf(this.#of(key).keys[0] as IssuerKey, key)}:lock`;
  }
}

const nameOf = (each: IssuerKey, key: string): string => `mp:1:${each.name(key)}`;

/** A list or a hash in the place of an entry was planted; it must not look like a Redis that is away (T-61). */
function notText(error: unknown): string {
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return '';
  throw error;
}

const digestOf = (key: string): string => createHash('sha256').update(key).digest('base64url');

/** @throws when it was not sealed with one of our keys, for this entry, or has ended (F-95, F-98) */
async function open(sealed: string, key: string, issuer: string, keys: readonly IssuerKey[]): Promise<string> {
  const { plaintext, protectedHeader } = await compactDecrypt(
    sealed,
    ({ kid }) => {
      const found = keys.find((each) => each.kid === kid);
      if (found === undefined) throw new Error('unknown kid');
      return found.seal;
    },
    { keyManagementAlgorithms: ['dir'], contentEncryptionAlgorithms: ['A256GCM'] },
  );
  const [, clientId] = JSON.parse(key) as [string, string];
  const { digest, iss, client_id: client, exp } = protectedHeader as Record<string, unknown>;
  if (digest !== digestOf(key) || iss !== issuer || client !== clientId) throw new Error('another entry');
  if (typeof exp !== 'number' || exp * 1_000 <= Date.now() - 1_000) throw new Error('ended');
  return Buffer.from(plaintext).toString();
}

function senderOf(connection: RedisConnection): (args: string[]) => Promise<unknown> {
  const client = connection as Partial<Record<'call' | 'sendCommand', unknown>> | undefined;
  if (typeof client?.call === 'function') {
    const ioredis = client as { call(command: string, ...args: string[]): Promise<unknown> };
    return async ([command = '', ...args]) => ioredis.call(command, ...args);
  }
  if (typeof client?.sendCommand === 'function') {
    const nodeRedis = client as { sendCommand(args: string[]): Promise<unknown> };
    return async (args) => nodeRedis.sendCommand(args);
  }
  return refuse('store.connection', 'must be a client of node-redis, ioredis or iovalkey');
}

function refuse(field: string, reason: string): never {
  throw configurationError([{ field, code: 'MP_CONFIG', reason }]);
}
