import type { Role } from './role.js';

/** The verdict of one check. */
export interface LoggedCheck {
  readonly check: string;
  /** `undefined`: not reached, because an earlier check that it builds on failed. */
  readonly ok: boolean | undefined;
  readonly detail?: string;
}

export interface LoggedRefusal {
  readonly error: string;
  readonly errorDescription?: string;
  readonly mpCode?: string;
  readonly traceId?: string;
}

/** One request to the simulator. It never holds an assertion, a signature or a token. */
export interface LogEntry {
  readonly id: number;
  /** ISO 8601, by the simulator's clock. */
  readonly at: string;
  readonly server: Role;
  /** `grant`: a token request. `call`: a request to an API that needs a token. `request`: anything else. */
  kind: 'grant' | 'call' | 'request';
  readonly method: string;
  /** Without the query string, which may hold what must not be logged. */
  readonly path: string;
  /** `undefined` while in flight, and when the connection was reset. */
  status?: number;
  durationMs?: number;
  clientId?: string;
  /** Decoded header of the grant or token. */
  header?: Readonly<Record<string, unknown>>;
  /** Decoded claims of the grant, or of the token for a call. */
  claims?: Readonly<Record<string, unknown>>;
  checks: readonly LoggedCheck[];
  refusal?: LoggedRefusal;
  /** `jti` of the access token that was issued or received. */
  tokenJti?: string;
  /** What the fault script did to this request. */
  fault?: string;
}

const LIMIT = 10_000;

/** The newest 10,000 requests, oldest first. */
export class RequestLog {
  readonly entries: LogEntry[] = [];
  #lastId = 0;

  begin(request: Pick<LogEntry, 'at' | 'server' | 'method' | 'path'>): LogEntry {
    this.#lastId += 1;
    const entry: LogEntry = { id: this.#lastId, ...request, kind: 'request', checks: [] };
    this.entries.push(entry);
    // Dropped in blocks: moving ten thousand references for each request would cost more than the request.
    if (this.entries.length >= LIMIT + 1000) this.entries.splice(0, 1000);
    return entry;
  }

  clear(): void {
    this.entries.length = 0;
  }
}
