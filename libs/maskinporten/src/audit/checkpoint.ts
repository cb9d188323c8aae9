import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { configurationError } from '../errors/index.js';
import type { AuditHead } from './chain.js';

const FORMAT = 'maskinporten-audit-checkpoint-1';

/**
 * A signed statement of how far a writer had come. Somebody who keeps copies of them outside the database notices when the
 * end of the log is cut off or rewritten.
 */
export interface AuditCheckpoint extends AuditHead {
  readonly at: string;
  /** First 16 hex digits of the SHA-256 of the public key (SPKI). */
  readonly keyId: string;
  /** Ed25519 in base64url. */
  readonly signature: string;
}

/** A PEM, or a key that is loaded. */
export type CheckpointKey = string | Buffer | KeyObject;

function keyError(reason: string): Error {
  return configurationError([{ field: 'audit.checkpointKey', code: 'MP_CONFIG', reason }]);
}

function loadKey(key: CheckpointKey, create: (pem: string | Buffer) => KeyObject): KeyObject {
  let loaded: KeyObject;
  try {
    loaded = typeof key === 'string' || Buffer.isBuffer(key) ? create(key) : key;
  } catch {
    // Node's message may quote what it read.
    throw keyError('the key of the audit log cannot be read as PEM');
  }
  if (loaded.asymmetricKeyType !== 'ed25519') throw keyError('the key of the audit log is not an Ed25519 key');
  return loaded;
}

function publicKeyOf(key: CheckpointKey): KeyObject {
  const loaded = loadKey(key, createPublicKey);
  return loaded.type === 'private' ? createPublicKey(loaded) : loaded;
}

const keyIdOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

/** What is signed: canonical JSON (RFC 8785), as for records. */
const signedText = ({ writer, seq, hash, at }: Omit<AuditCheckpoint, 'keyId' | 'signature'>): Buffer =>
  Buffer.from(JSON.stringify([FORMAT, writer, seq, hash, at]));

export class CheckpointSigner {
  readonly keyId: string;
  readonly #key: KeyObject;

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) unless it is a private Ed25519 key */
  constructor(key: CheckpointKey) {
    this.#key = loadKey(key, createPrivateKey);
    if (this.#key.type !== 'private') throw keyError('the key of the audit log is not a private key');
    this.keyId = keyIdOf(createPublicKey(this.#key));
  }

  sign(head: AuditHead, at: string): AuditCheckpoint {
    const { writer, seq, hash } = head;
    const statement = { writer, seq, hash, at };
    const signature = sign(null, signedText(statement), this.#key).toString('base64url');
    return Object.freeze({ ...statement, keyId: this.keyId, signature });
  }
}

export class CheckpointVerifier {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** @param keys public keys, or the private ones; several, because old checkpoints stay when a key is replaced */
  constructor(keys: readonly CheckpointKey[]) {
    this.#keys = new Map(
      keys.map((key) => {
        const publicKey = publicKeyOf(key);
        return [keyIdOf(publicKey), publicKey];
      }),
    );
  }

  isGenuine(checkpoint: AuditCheckpoint): boolean {
    const key = this.#keys.get(checkpoint.keyId);
    if (key === undefined) return false;
    return verify(null, signedText(checkpoint), key, Buffer.from(checkpoint.signature, 'base64url'));
  }
}
