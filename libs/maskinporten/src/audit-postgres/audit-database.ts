/** One row, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** What the store needs of a database; PostgreSQL and PGlite both have it. */
export interface AuditDatabase {
  /** Settles in bounded time, whatever happens to the connection. */
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Row[] }>;
  close(): Promise<void>;
}
