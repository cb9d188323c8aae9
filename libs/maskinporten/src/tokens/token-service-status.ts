import type { ClockState, MetadataStatus } from '../issuer/index.js';
import type { CredentialEnd } from '../keys/index.js';
import type { TokenStoreStatus } from './shared-tokens.js';
import type { CircuitBreaker, ConnectionStatus, RequestKind } from '../token-endpoint/index.js';

/** How often something happened since the service was made. */
export interface TokenCounts {
  /** A usable token was in the cache. */
  readonly hits: number;
  /** A caller waited for a request, its own or one that was already under way. */
  readonly waits: number;
  /** A new token was asked for in the background, before the old one ended. */
  readonly refreshes: number;
  /** A usable token was dropped because the cache was full. */
  readonly evictions: number;
  /** A listener of token events threw (F-138). */
  readonly listenerFailures: number;
}

/**
 * What a token service knows about itself, for health reports and metrics. Reading it costs no I/O, and nothing in it is
 * secret. Milliseconds where the name says so.
 */
export interface TokenServiceStatus {
  readonly clientId: string;
  readonly issuer: MetadataStatus & { readonly identifier: string };
  readonly clock: { readonly state: ClockState; readonly offsetMs: number };
  readonly circuits: Readonly<Record<RequestKind, CircuitBreaker['state']>>;
  readonly key: {
    readonly kid?: string;
    /** Names the key; changes when another one takes over. */
    readonly identity: string;
    readonly ends: readonly CredentialEnd[];
    /** True when the first key was refused and another one signs in its place. */
    readonly fallback: boolean;
    /** Key files whose new content could not be taken; the keys loaded before are in use. */
    readonly reloadFailures: readonly { readonly field: string; readonly reason: string }[];
  };
  /** Token requests in flight, and those that wait for a connection. */
  readonly connections: ConnectionStatus;
  readonly cachedTokens: number;
  readonly counts: TokenCounts;
  /** The shared token store, when there is one. */
  readonly store?: TokenStoreStatus;
}
