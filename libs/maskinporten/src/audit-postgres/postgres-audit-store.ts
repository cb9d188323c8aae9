import {
  AuditConflictError,
  SEALED_MEMBERS,
  checkSearch,
  cleanText,
  cursorOf,
  type AuditCheckpoint,
  type AuditHead,
  type AuditPage,
  type AuditRecord,
  type AuditScan,
  type AuditSearch,
  type AuditStore,
} from '../audit/index.js';
import type { AuditDatabase, Row } from './audit-database.js';
import { poolDatabase, type PostgresConnection, type PostgresPool } from './pool-database.js';
import { CHECKPOINT_COLUMNS, checkpointOf, checkpointRowOf, recordColumns, recordOf, rowOf } from './record-row.js';
import { RUNNING_ROLE_QUERY, checkRunningRole, isolationError } from './running-role.js';

const MEMBERS = [...SEALED_MEMBERS, 'hash'] as const;
const COLUMNS = recordColumns(MEMBERS);
const RECORDS = 'maskinporten_audit.records';
/** Rows that a scan reads at once. */
const PAGE = 2_000;
const PREPARE_EVERY_MS = 12 * 3_600_000;
const MONTHS_AHEAD = 2;

/**
 * The audit log in PostgreSQL, or in PGlite with {@link openPgliteAuditStore}. The tables are made by
 * {@link migrateAuditDatabase}, with a role that owns them; the one that writes can only insert and select.
 *
 * @example
 * MaskinportenAuditModule.forRoot({ store: new PostgresAuditStore({ connectionString }) });
 */
export class PostgresAuditStore implements AuditStore {
  readonly #database: AuditDatabase;
  /** The embedded database is its owner's, and continues as a role that is not. */
  readonly #isEmbedded: boolean;
  #checked: Promise<void> | undefined;
  #preparedMs = 0;
  #preparing: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(connection: PostgresConnection | PostgresPool | { readonly database: AuditDatabase }) {
    this.#isEmbedded = isDatabase(connection);
    this.#database = isDatabase(connection) ? connection.database : poolDatabase(connection);
  }

  /**
   * Whether the one who is connected may write the log. Nothing is written before it was found out once, so that a
   * database that was away at the start does not make a difference (F-155).
   *
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when the role is a superuser, an owner, a member of one, or may
   *   make roles or change records, or when the isolation level is not *read committed*; errors of the database
   */
  check(): Promise<void> {
    if (this.#isEmbedded) return Promise.resolve();
    this.#checked ??= this.#rows(RUNNING_ROLE_QUERY)
      .then(([row]) => checkRunningRole(row))
      .catch((error: unknown) => {
        this.#checked = undefined;
        throw error;
      });
    return this.#checked;
  }

  async append(records: readonly AuditRecord[], checkpoint?: AuditCheckpoint): Promise<void> {
    await this.check();
    const values = [
      JSON.stringify(records.map(rowOf)),
      checkpoint === undefined ? null : JSON.stringify(checkpointRowOf(checkpoint)),
    ];
    const text = 'SELECT maskinporten_audit.append($1::text::jsonb, $2::text::jsonb) AS outcome';
    const outcome = (await this.#rows(text, values))[0]?.['outcome'];
    if (outcome === 'isolation') throw isolationError();
    if (outcome === 'opening') throw new AuditConflictError('opening', 'another writer was opened in between');
    if (outcome === 'chain')
      throw new AuditConflictError('chain', 'the batch does not continue the chain of its writer');
    this.#prepareMonths();
  }

  async latestHead(): Promise<AuditHead | undefined> {
    const [row] = await this.#rows(
      `SELECT writer, seq, hash FROM ${RECORDS} WHERE writer = maskinporten_audit.latest_writer() ORDER BY seq DESC LIMIT 1`,
    );
    if (row === undefined) return undefined;
    return { writer: String(row['writer']), seq: Number(row['seq']), hash: String(row['hash']) };
  }

  async find({ requestId }: { readonly requestId: string }): Promise<readonly AuditRecord[]> {
    const rows = await this.#rows(
      `WITH own AS (SELECT jti FROM ${RECORDS} WHERE request_id = $1 AND jti IS NOT NULL)
       SELECT ${COLUMNS} FROM ${RECORDS} r
       WHERE request_id = $1 OR (kind = 'token' AND jti IN (SELECT jti FROM own))
       ORDER BY r.at, writer, seq`,
      [cleanText(requestId) ?? ''],
    );
    return rows.map(toRecord);
  }

  async search(query: AuditSearch): Promise<AuditPage> {
    const { organisation, from, to, after, limit } = checkSearch(query);
    const position = after === undefined ? '' : 'AND (r.at, writer, seq) > ($5::timestamptz, $6::uuid, $7::bigint)';
    const rows = await this.#rows(
      `SELECT ${COLUMNS} FROM ${RECORDS} r
       WHERE organisation = $1 AND r.at >= $2::timestamptz AND r.at < $3::timestamptz ${position}
       ORDER BY r.at, writer, seq LIMIT $4::integer`,
      [organisation, from, to, limit + 1, ...(after === undefined ? [] : [after.at, after.writer, after.seq])],
    );
    const records = rows.slice(0, limit).map(toRecord);
    const last = records.at(-1);
    return { records, ...(rows.length > limit && last !== undefined ? { next: cursorOf(last) } : {}) };
  }

  async *records({ kind, writer, afterSeq = 0 }: AuditScan = {}): AsyncIterable<AuditRecord> {
    const fixed: [condition: string, value: unknown][] = [
      ...(kind === undefined ? [] : [['kind = ?', kind] as [string, unknown]]),
      ...(writer === undefined ? [] : [['writer = ?::uuid', writer] as [string, unknown]]),
      ...(writer === undefined ? [] : [['seq > ?::bigint', afterSeq] as [string, unknown]]),
    ];
    // The time is part of the key: two records with one number, which must not be, are both found.
    yield* this.#scan(RECORDS, COLUMNS, ['writer', 'seq', 'at'], fixed, toRecord);
  }

  async *checkpoints({ writer }: { readonly writer?: string } = {}): AsyncIterable<AuditCheckpoint> {
    const fixed: [string, unknown][] = writer === undefined ? [] : [['writer = ?::uuid', writer]];
    const key = ['writer', 'seq', 'key_id'];
    yield* this.#scan('maskinporten_audit.checkpoints', CHECKPOINT_COLUMNS, key, fixed, checkpointOf);
  }

  close(): Promise<void> {
    this.#closed ??= this.#preparing.then(() => this.#database.close());
    return this.#closed;
  }

  /** Page by page, each after the last row of the one before. */
  async *#scan<T>(
    table: string,
    columns: string,
    key: readonly string[],
    fixed: readonly [condition: string, value: unknown][],
    read: (row: Row) => T,
  ): AsyncIterable<T> {
    const names = key.map((column) => `r.${column}`).join(', ');
    const types = key.map((column) => TYPES[column] ?? 'text');
    let position: readonly unknown[] | undefined;
    for (;;) {
      const values: unknown[] = [];
      const place = (value: unknown): string => `$${values.push(value)}`;
      const conditions = fixed.map(([condition, value]) => condition.replace('?', () => place(value)));
      if (position !== undefined) {
        const places = position.map((value, index) => `${place(value)}::${types[index] ?? 'text'}`);
        conditions.push(`(${names}) > (${places.join(', ')})`);
      }
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
      const keys = key.map((column) => `r.${column}::text AS key_${column}`).join(', ');
      const rows = await this.#rows(
        `SELECT ${columns}, ${keys} FROM ${table} r ${where} ORDER BY ${names} LIMIT ${PAGE}`,
        values,
      );
      for (const row of rows) yield read(row);
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      position = key.map((column) => last[`key_${column}`]);
    }
  }

  async #rows(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return (await this.#database.query(text, values)).rows;
  }

  /** Partitions for the months to come, now and then; the default partition takes what has none. */
  #prepareMonths(): void {
    const now = Date.now();
    if (now - this.#preparedMs < PREPARE_EVERY_MS) return;
    this.#preparedMs = now;
    this.#preparing = this.#rows('SELECT maskinporten_audit.prepare_months($1)', [MONTHS_AHEAD]).then(
      () => undefined,
      () => undefined,
    );
  }
}

const TYPES: Readonly<Record<string, string>> = { writer: 'uuid', seq: 'bigint', at: 'timestamptz' };

const toRecord = (row: Row): AuditRecord => recordOf(row, MEMBERS);

const isDatabase = (connection: object): connection is { readonly database: AuditDatabase } =>
  Object.hasOwn(connection, 'database');
