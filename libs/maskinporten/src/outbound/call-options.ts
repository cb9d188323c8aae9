import type { TokenRequest, TokenRequestInput } from '../grants/index.js';
import type { ClientTokenRequest } from './token-context.js';
import type { Destination } from '../issuer/index.js';

/** What one call may say for itself, in axios's or fetch's options under `maskinporten`. */
export interface CallExtras {
  /** Repeat the call once with a fresh token after a 401 also when its method is POST or PATCH. Default false. */
  readonly replayUnsafe?: boolean;
  /**
   * Path as logs, `CallObserver`s and the audit log show it: `/claims/{orgno}`. No query, and no number of six digits or
   * more. Default: the path with numbers and ids replaced by `{id}`.
   */
  readonly pathTemplate?: string;
  /** Client that asks for the token; default: the context's, then the instance's own. */
  readonly client?: string;
}

/** A token request for this call alone (it wins over the context), extras for it, or both. */
export type CallOptions =
  TokenRequestInput | (ClientTokenRequest & CallExtras) | (CallExtras & { readonly scopes?: never });

/** What holds for every call of one attached instance, unless the call or the context says otherwise. */
export interface InstanceDefaults extends Omit<TokenRequest, 'scopes'> {
  /** Scopes for calls that have neither a context nor a request of their own. Without it such calls are refused. */
  readonly scopes?: TokenRequest['scopes'];
  readonly client?: string;
  readonly replayUnsafe?: boolean;
  /** Exactly these origins may receive tokens from this instance. Default: the destinations of the client. */
  readonly destinations?: readonly Destination[];
  /**
   * Milliseconds from the call to its complete answer, waiting for a token included; for an answer that is streamed, to
   * its head. 0, -1 and Infinity mean no limit. Default 30,000.
   */
  readonly deadlineMs?: number;
  /**
   * Largest answer that is buffered, in decoded bytes, unless the call sets `maxContentLength`. What is streamed
   * (`responseType: 'stream'`, `response.body` of fetch) is limited by `maxContentLength` only. 0, -1 and Infinity mean no
   * limit, in both. Default 20 MiB.
   */
  readonly maxResponseBytes?: number;
}

export const DEFAULT_DEADLINE_MS = 30_000;
export const DEFAULT_MAX_RESPONSE_BYTES = 20 * 1024 * 1024;
