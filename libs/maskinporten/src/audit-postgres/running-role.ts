import { configurationError } from '../errors/index.js';
import type { Row } from './audit-database.js';

/**
 * Whether the one who is connected, or a role that it can become, can change what it has written: as a superuser, as an
 * owner, by a privilege on a table, or through the files of the server. With NOINHERIT one can still become it; who may
 * make roles can become every other one before PostgreSQL 16. A trigger can change what is about to be inserted.
 */
export const RUNNING_ROLE_QUERY = `
  SELECT current_setting('transaction_isolation') AS isolation, EXISTS (
    SELECT FROM pg_roles r JOIN pg_roles m ON pg_has_role(r.oid, m.oid, 'MEMBER')
    WHERE r.rolname IN (current_user, session_user) AND (
      m.rolsuper OR m.rolcreaterole
      OR m.rolname IN ('pg_write_all_data', 'pg_write_server_files', 'pg_execute_server_program')
      OR m.oid = (SELECT datdba FROM pg_database WHERE datname = current_database())
      OR m.oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'maskinporten_audit')
      OR EXISTS (
        SELECT FROM pg_class c
        WHERE c.relnamespace = to_regnamespace('maskinporten_audit') AND c.relkind IN ('r', 'p')
          AND (c.relowner = m.oid OR has_table_privilege(m.oid, c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
            OR has_any_column_privilege(m.oid, c.oid, 'UPDATE')))
    )) AS can_change`;

/**
 * @param row of {@link RUNNING_ROLE_QUERY}
 * @throws MaskinportenConfigurationError (`MP_CONFIG`)
 */
export function checkRunningRole(row: Row | undefined): void {
  if (row?.['can_change'] !== false) {
    const reason =
      'can change what it has written: it is a superuser, an owner, a member of one, or may make roles, update or delete; ' +
      'use a role that can insert and select only';
    throw configurationError([{ field: 'audit.runningRole', code: 'MP_CONFIG', reason }]);
  }
  if (row['isolation'] !== 'read committed') throw isolationError();
}

export const isolationError = (): Error =>
  configurationError([
    {
      field: 'audit.isolation',
      code: 'MP_CONFIG',
      reason: 'must be read committed on the connections of the audit log (default_transaction_isolation)',
    },
  ]);
