import type { MaskinportenError } from '../errors/index.js';
import type { EndpointEvent, RequestKind } from '../token-endpoint/index.js';

/**
 * What happened inside the token service, for logs, metrics, audit and health. No event carries a secret.
 * Listeners run synchronously; one that throws is counted and ignored (F-138).
 */
export type TokenEvent =
  | EndpointEvent
  | {
      readonly type: 'token-obtained';
      readonly scopes: readonly string[];
      readonly kind: RequestKind;
      /** On whose behalf: of the system user, else `consumer_org`. */
      readonly organisation?: string;
      readonly jti: string;
      readonly kid?: string;
      readonly attempts: number;
      readonly elapsedMs: number;
      /** Seconds the server promised; absent when it promised nothing. */
      readonly expiresInSeconds?: number;
      readonly background: boolean;
    }
  | {
      readonly type: 'token-refused';
      readonly scopes: readonly string[];
      readonly kind: RequestKind;
      /** On whose behalf: of the system user, else `consumer_org`. */
      readonly organisation?: string;
      /** With `jti` and `kid` (its first eight characters) of the last grant that was signed, if one was. */
      readonly error: MaskinportenError;
      readonly background: boolean;
    }
  | {
      /** The shared token store cannot be used, or can again. Tokens are given all the same. */
      readonly type: 'token-store';
      readonly state: 'available' | 'unavailable';
      readonly reason: string | undefined;
    }
  | {
      /** The cache was full, so a token went that could still be used. */
      readonly type: 'token-evicted';
      readonly scopes: readonly string[];
      readonly maxEntries: number;
    }
  | {
      /** Another key signs: its file has changed, or its `activeFrom` has come. */
      readonly type: 'key-changed';
      readonly reason: 'reloaded' | 'scheduled';
      readonly fromKid?: string;
      readonly toKid?: string;
    }
  | {
      /** A changed key file could not be taken; the key that was loaded before goes on signing. */
      readonly type: 'key-reload-failed';
      readonly field: string;
      readonly error: MaskinportenError;
    }
  | { readonly type: 'security'; readonly what: string; readonly detail: string }
  | { readonly type: 'warning'; readonly field: string; readonly reason: string };

export type TokenEventListener = (event: TokenEvent) => void;
