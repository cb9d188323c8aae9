import type { MaskinportenError } from '../errors/index.js';

/** Requests for a system user pass through Altinn, so they are slower and fail apart from the plain ones. */
export type RequestKind = 'plain' | 'system-user';

/** What happened on the way to the token endpoint, for logs, metrics and health. Nothing secret. Durations in milliseconds. */
export type EndpointEvent =
  | {
      readonly type: 'attempt-failed';
      readonly kind: RequestKind;
      readonly scopes: readonly string[];
      readonly error: MaskinportenError;
      readonly attempt: number;
      readonly willRetry: boolean;
    }
  | {
      readonly type: 'key-fallback';
      readonly fromKid?: string;
      readonly toKid?: string;
      readonly error: MaskinportenError;
    }
  | {
      readonly type: 'circuit';
      readonly kind: RequestKind;
      readonly state: 'open' | 'closed';
      readonly retryAfterMs?: number;
    }
  | { readonly type: 'clock-offset'; readonly offsetMs: number };
