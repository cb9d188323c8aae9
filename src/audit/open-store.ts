import { readFile } from 'node:fs/promises';
import { Logger } from '@nestjs/common';
import { isMaskinportenError, type AuditStore } from 'nestjs-maskinporten';
import { EnvironmentError, isPostgresUrl, type Environment } from '../config/index.js';
import { IN_MEMORY, makeDataDirectory, wrongDirectory, ensureCluster } from './data-directory.js';
import { OpeningAuditStore } from './opening-audit-store.js';

/** Code of a system or database error; undefined for anything else. */
export const errorCode = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;

/**
 * Opens the store that the settings name. A database that does not answer is no reason not to start: calls on behalf of
 * others are refused until it does (F-133). One that is set up wrongly is. A store that is made for the first time may still
 * be opening when it is returned: it fails only when it cannot be made.
 *
 * @throws EnvironmentError
 */
export async function openStore(environment: Environment): Promise<AuditStore> {
  const connectionString = await databaseUrl(environment);
  return connectionString === undefined ? openEmbedded(environment) : openPostgres(connectionString, environment);
}

/** @throws EnvironmentError when a file cannot be read, or holds something else than an address */
const databaseUrl = async ({ DATABASE_URL, DATABASE_URL_FILE }: Environment): Promise<string | undefined> =>
  DATABASE_URL?.reveal() ?? addressIn('DATABASE_URL_FILE', DATABASE_URL_FILE);

const ownersUrl = async (environment: Environment): Promise<string | undefined> =>
  environment.DATABASE_MIGRATION_URL?.reveal() ??
  addressIn('DATABASE_MIGRATION_URL_FILE', environment.DATABASE_MIGRATION_URL_FILE);

async function addressIn(variable: string, file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const content = await readFile(file, 'utf8').catch(() => {
    throw wrong(variable, 'names a file that cannot be read');
  });
  if (!isPostgresUrl(content.trim())) throw wrong(variable, 'names a file whose content is not postgresql://…');
  return content.trim();
}

/**
 * Makes the tables, or brings them up to date, as the role that owns them; the role of the service is allowed to insert
 * and select.
 *
 * @returns the names of the migrations that were made
 * @throws EnvironmentError
 */
export async function migrateDatabase(environment: Environment): Promise<readonly string[]> {
  const [owner, service] = await Promise.all([ownersUrl(environment), databaseUrl(environment)]);
  if (owner === undefined) {
    throw wrong('DATABASE_MIGRATION_URL', 'is missing: it is the address of the role that owns the tables');
  }
  const runningRole = service === undefined ? '' : decodeURIComponent(new URL(service).username);
  if (runningRole === '') throw wrong('DATABASE_URL', 'is missing, or names no role: that is who may write the log');
  const { migrateAuditDatabase } = await import('nestjs-maskinporten/audit-postgres');
  try {
    return await migrateAuditDatabase({ connectionString: owner, runningRole });
  } catch (error) {
    throw wrongSetup(error, 'DATABASE_MIGRATION_URL') ?? error;
  }
}

async function openPostgres(connectionString: string, environment: Environment): Promise<AuditStore> {
  if ((await ownersUrl(environment)) !== undefined) {
    const migrations = await migrateDatabase(environment).catch(goOnWithout);
    if (migrations.length > 0) logger.log({ message: 'tables of the audit log made', migrations });
  }
  const { PostgresAuditStore } = await import('nestjs-maskinporten/audit-postgres');
  const store = new PostgresAuditStore({ connectionString });
  try {
    await store.latestHead();
    await store.check();
  } catch (error) {
    const variable = environment.DATABASE_URL === undefined ? 'DATABASE_URL_FILE' : 'DATABASE_URL';
    const refusal = roleRefusal(error, variable) ?? wrongSetup(error, variable);
    if (refusal !== undefined) {
      await store.close();
      throw refusal;
    }
    goOnWithout(error);
  }
  return store;
}

async function openEmbedded({ AUDIT_DATA_DIR: path }: Environment): Promise<AuditStore> {
  // Loaded here, so that a service with a database of its own does without it.
  const [{ PGlite }, { openPgliteAuditStore }] = await Promise.all([
    import('@electric-sql/pglite'),
    import('nestjs-maskinporten/audit-postgres'),
  ]);
  if (path === IN_MEMORY) return openPgliteAuditStore(await PGlite.create());
  return OpeningAuditStore.open(async (signal, onSlow) => {
    const folder = await makeDataDirectory(path);
    // The folder is locked when this is called.
    const create = async (locked: string) => {
      await ensureCluster(locked, signal, onSlow);
      return PGlite.create(locked);
    };
    try {
      return await openPgliteAuditStore({ folder, PGlite: { create } });
    } catch (error) {
      signal.throwIfAborted();
      if (isMaskinportenError(error, 'MP_CONFIG')) throw wrongDirectory(error.failures[0]?.reason ?? error.message);
      logger.error({
        message: 'embedded database cannot be opened',
        error: error instanceof Error ? error.message : '',
      });
      throw wrongDirectory('holds a database that cannot be opened: name another folder, and keep this one');
    }
  });
}

const logger = new Logger('Audit');

const NO_TABLES =
  'names a database without the tables of the audit log: set DATABASE_MIGRATION_URL once, or run dist/migrate-audit.js';

/** SQLSTATEs that no waiting mends, and what to do. */
const WRONG_SETUP: Readonly<Record<string, string>> = {
  '28P01': 'is refused by the database: user or password is wrong',
  '28000': 'is refused by the database: the user may not connect',
  '3D000': 'names a database that does not exist',
  '3F000': NO_TABLES,
  '42P01': NO_TABLES,
  '42883': NO_TABLES,
  '42501': 'names a role that may not use the tables of the audit log (or, as the owner, make them)',
};

/** The library's own check of who is connected (F-155). */
function roleRefusal(error: unknown, variable: string): EnvironmentError | undefined {
  if (!isMaskinportenError(error, 'MP_CONFIG')) return undefined;
  const { field = '', reason = error.message } = error.failures[0] ?? {};
  return wrong(
    variable,
    field === 'audit.isolation' ? `names a database whose isolation ${reason}` : `names a role that ${reason}`,
  );
}

/** Why the service must not start; undefined when the database may come back as it is. */
function wrongSetup(error: unknown, variable: string): EnvironmentError | undefined {
  if (error instanceof EnvironmentError) return error;
  const code = errorCode(error) ?? '';
  // The library's own check of who migrates.
  if (code === 'MP_CONFIG') {
    return wrong(variable, 'must be another role than the service runs as: an owner can change what it has written');
  }
  const reason = WRONG_SETUP[code];
  return reason === undefined ? undefined : wrong(variable, reason);
}

function goOnWithout(error: unknown): readonly string[] {
  if (error instanceof EnvironmentError) throw error;
  logger.error({ message: 'the database of the audit log does not answer', errorCode: errorCode(error) ?? 'UNKNOWN' });
  return [];
}

const wrong = (variable: string, reason: string): EnvironmentError => new EnvironmentError([{ variable, reason }]);
