/**
 * What a record tells of; `inbound` is a call that somebody made to the application with a token. `opened`, `closed`, `gap` and `conflict` are the writer's own: start, orderly end, records it
 * lost, and the end of its chain before, because something else was found on that.
 */
export type AuditKind =
  'opened' | 'closed' | 'gap' | 'conflict' | 'token' | 'delegation' | 'call-intent' | 'call-outcome' | 'inbound';

/** Who did what for whom. All of it is optional, because no kind of record has all of it. */
export interface AuditFacts {
  /** The request of the application (or its job) that this belongs to. */
  readonly requestId?: string;
  /** Links the intent of an outgoing call with its outcome. */
  readonly callId?: string;
  /** Who called the application. */
  readonly caller?: string;
  /** Name of the Maskinporten client. */
  readonly client?: string;
  /** Organisation number on whose behalf. Of an inbound call: the consumer; `caller` is its supplier, if it has one. */
  readonly organisation?: string;
  readonly scopes?: readonly string[];
  readonly method?: string;
  readonly host?: string;
  /** The path with `{names}` in place of values; never a query. */
  readonly pathTemplate?: string;
  /** HTTP status of the answer. */
  readonly status?: number;
  /** The `MP_…` code of what went wrong. */
  readonly errorCode?: string;
  /** Whole milliseconds. */
  readonly durationMs?: number;
  /** Of the grant: Digdir and the API's owner can look it up. */
  readonly jti?: string;
  readonly kid?: string;
  /** Of a delegation: `allowed`, or the code of the refusal. Of an inbound call: `accepted`, or that code. Of a token: `obtained` or `refused`. */
  readonly decision?: string;
  readonly externalRef?: string;
  /** The client of an agent whose right was asked for. Of an inbound call: the owner of the system user. */
  readonly party?: string;
  readonly resource?: string;
  readonly action?: string;
  /** Who answered the question of the right: `pdp`, … */
  readonly source?: string;
}

/** What is given to {@link AuditLog.write}. */
export interface AuditEntry extends AuditFacts {
  readonly kind: Exclude<AuditKind, 'opened' | 'closed' | 'gap' | 'conflict'>;
  /** When it happened. Default: now; also instead of a time outside the years 1 to 9998. */
  readonly at?: Date;
}

/** What is stored: an entry with its place in the chain of its writer. */
export interface AuditRecord extends AuditFacts {
  /** UUID of the process start that wrote it. */
  readonly writer: string;
  /** 1, 2, 3 … of this writer. */
  readonly seq: number;
  /** Hash of the record before, 64 zeros for the first. */
  readonly previous: string;
  /** SHA-256 over everything else in the record, in hex. */
  readonly hash: string;
  readonly kind: AuditKind;
  /** UTC with milliseconds, as `Date.toISOString()` writes it. */
  readonly at: string;
  /** Version of the rules that the application decided by. */
  readonly rulebookVersion?: string;
  /** `gap`: how many records were lost here. */
  readonly lost?: number;
  /**
   * `opened`: the writer that was opened before this one, and how far it had come. `conflict`: the chain that this process
   * wrote before, and what it wrote there last; what comes after that is not its own.
   */
  readonly earlierWriter?: string;
  readonly earlierSeq?: number;
  readonly earlierHash?: string;
}

type Sealed = Exclude<keyof AuditRecord, 'hash'>;

/**
 * Everything that the hash covers, in the order in which it is hashed. The order is part of the format: new members go
 * to the end, together with a new version.
 */
export const SEALED_MEMBERS = [
  'writer',
  'seq',
  'previous',
  'kind',
  'at',
  'requestId',
  'callId',
  'caller',
  'client',
  'organisation',
  'scopes',
  'method',
  'host',
  'pathTemplate',
  'status',
  'errorCode',
  'durationMs',
  'jti',
  'kid',
  'decision',
  'externalRef',
  'party',
  'resource',
  'action',
  'source',
  'rulebookVersion',
  'lost',
  'earlierWriter',
  'earlierSeq',
  'earlierHash',
] as const satisfies readonly Sealed[];

/** Fails to compile when a member of a record would not be covered by its hash. */
export type EveryMemberIsSealed = Exclude<Sealed, (typeof SEALED_MEMBERS)[number]> extends never ? true : never;
export const everyMemberIsSealed: EveryMemberIsSealed = true;
