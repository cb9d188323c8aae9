// The audit log in PostgreSQL and PGlite. Needs `pg` and `node-pg-migrate`.
export { PostgresAuditStore } from './postgres-audit-store.js';
export type { PgPool, PostgresConnection, PostgresPool } from './pool-database.js';
export type { AuditDatabase } from './audit-database.js';
export { migrateAuditDatabase } from './migrate-audit-database.js';
export type { AuditMigration } from './migrate-audit-database.js';
export { openAuditStore } from './open-audit-store.js';
export { openPgliteAuditStore } from './pglite-audit-store.js';
export type { PgliteFolder, PgliteLike } from './pglite-audit-store.js';
