import type { AuditCheckpoint, AuditStore, AuditVerification } from '../../audit/index.js';
import { errorCode } from '../../basics/index.js';
import { isMaskinportenError } from '../../errors/index.js';
import type { Cli } from '../cli.js';
import { defineCommand } from '../define-command.js';
import { CommandFailure, UsageError } from '../exit.js';

export const auditVerify = defineCommand((cli) => ({
  command: 'verify',
  describe: {
    en: 'Check that the audit log is what was written, and say where it is not',
    nb: 'Kontroller at revisjonsloggen er det som ble skrevet, og si hvor den ikke er det',
  },
  build: (yargs) =>
    yargs
      .option(
        'database',
        cli.option({
          en: 'postgresql://… or the folder of a PGlite that is not in use; default: DATABASE_URL(_FILE), else AUDIT_DATA_DIR',
          nb: 'postgresql://… eller mappen til en PGlite som ikke er i bruk; standard: DATABASE_URL(_FILE), ellers AUDIT_DATA_DIR',
        }),
      )
      .option(
        'checkpoint-key',
        cli.option({
          en: 'PEM of the Ed25519 key that signs checkpoints, public or private; the file may hold several',
          nb: 'PEM med Ed25519-nøkkelen som signerer kontrollpunkter, offentlig eller privat; filen kan ha flere',
        }),
      )
      .option(
        'against',
        cli.option({
          en: 'File with checkpoints that were kept elsewhere, one JSON object per line; a log of the service will do',
          nb: 'Fil med kontrollpunkter som er tatt vare på et annet sted, ett JSON-objekt per linje; tjenestens logg holder',
        }),
      )
      .option(
        'signed-since',
        cli.option({
          en: 'Date since when checkpoints are signed; what was opened before needs none',
          nb: 'Dato kontrollpunkter er signert fra; det som ble åpnet før, trenger ingen',
        }),
      ),
  run: async ({ database, checkpointKey, against, signedSince, envFile }) => {
    const variables = await cli.environment(typeof envFile === 'string' ? envFile : undefined);
    const where = database ?? (await placeIn(cli, variables));
    if (where === undefined || where === '') {
      throw new UsageError({
        en: 'Say where the log is: --database, or DATABASE_URL or AUDIT_DATA_DIR in the environment.',
        nb: 'Si hvor loggen er: --database, eller DATABASE_URL eller AUDIT_DATA_DIR i miljøet.',
      });
    }
    const checkpointKeys = checkpointKey === undefined ? [] : pemsIn(await cli.readText(checkpointKey));
    const copies = against === undefined ? undefined : await readCopies(cli, against);
    const since = signedSince === undefined ? undefined : readDate(signedSince);
    const [{ verifyAuditLog }, store] = await Promise.all([import('../../audit/index.js'), openLog(cli, where)]);
    try {
      const result = await verifyAuditLog(store, {
        ...(checkpointKeys.length === 0 ? {} : { checkpointKeys }),
        ...(copies === undefined ? {} : { copies }),
        ...(since === undefined ? {} : { signedSince: since }),
      });
      cli.report(result, () => linesOf(cli, result, checkpointKeys.length > 0));
      return result.findingCount === 0 ? 0 : 1;
    } catch (error) {
      if (isMaskinportenError(error)) throw new UsageError({ en: error.message, nb: error.message });
      throw cannotRead(error);
    } finally {
      // What could be read has been read; a driver's message may quote the connection string.
      await store.close().catch(() => undefined);
    }
  },
}));

/** As the service finds its log. */
async function placeIn(cli: Cli, variables: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  const file = variables['DATABASE_URL_FILE'];
  const url = variables['DATABASE_URL'] || (file ? (await cli.readText(file)).trim() : undefined);
  return url || variables['AUDIT_DATA_DIR'];
}

/** Each PEM of a file on its own; a file without any is left for the key's own check to refuse. */
function pemsIn(text: string): string[] {
  return text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [text];
}

async function readCopies(cli: Cli, file: string): Promise<AuditCheckpoint[]> {
  const copies = checkpointsIn(await cli.readText(file));
  if (copies.length > 0) return copies;
  throw new UsageError({ en: `${file} holds no checkpoint.`, nb: `${file} inneholder ingen kontrollpunkter.` });
}

const MEMBERS = ['writer', 'hash', 'at', 'keyId', 'signature'] as const satisfies readonly (keyof AuditCheckpoint)[];

/**
 * The checkpoints in a file of lines. Lines that are something else are passed over: the file may be the log of the
 * service, which has a line for each checkpoint.
 */
function checkpointsIn(text: string): AuditCheckpoint[] {
  return text.split('\n').flatMap((line) => {
    const start = line.indexOf('{');
    if (start === -1 || !line.includes('"signature"')) return [];
    try {
      const value = JSON.parse(line.slice(start)) as Partial<Record<keyof AuditCheckpoint, unknown>>;
      const isCheckpoint =
        MEMBERS.every((member) => typeof value[member] === 'string') && Number.isSafeInteger(value.seq);
      return isCheckpoint ? [value as AuditCheckpoint] : [];
    } catch {
      return [];
    }
  });
}

function readDate(text: string): Date {
  const date = new Date(text);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new UsageError({
    en: '--signed-since must be a date, as 2026-01-31.',
    nb: '--signed-since må være en dato, som 2026-01-31.',
  });
}

/** The database is loaded here and nowhere else: the other commands work without it. */
async function openLog(cli: Cli, where: string): Promise<AuditStore> {
  const isServer = /^postgres(?:ql)?:/.test(where);
  try {
    const { openAuditStore } = await import('../../audit-postgres/index.js');
    return await openAuditStore(isServer ? where : cli.path(where), cli.io.cwd);
  } catch (error) {
    const code = errorCode(error);
    if (isInUse(error)) {
      throw new UsageError({
        en: `The log is in use (${error.file}). Stop the service that has it, or verify a backup.`,
        nb: `Loggen er i bruk (${error.file}). Stopp tjenesten som har den, eller kontroller en sikkerhetskopi.`,
      });
    }
    if (code === 'ENOENT') {
      throw new UsageError({
        en: 'The folder of --database holds no database.',
        nb: 'Mappen i --database inneholder ingen database.',
      });
    }
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cannotRead(error);
    const packages = isServer ? 'pg node-pg-migrate' : 'pg node-pg-migrate @electric-sql/pglite';
    throw new CommandFailure({
      en: `What reads the database is not installed here. Install it with: npm install ${packages}`,
      nb: `Det som leser databasen, er ikke installert her. Installer det med: npm install ${packages}`,
    });
  }
}

/** A folder that another process has open: reading it would be writing into it (F-152). */
const isInUse = (error: unknown): error is { readonly file: string } =>
  errorCode(error) === 'FOLDER_IN_USE' && typeof error === 'object' && error !== null && 'file' in error;

/** Undefined table or schema, or not allowed to see it. */
const NO_LOG = new Set(['42P01', '3F000', '42501']);

/** Never the message: a driver may quote the connection string. */
function cannotRead(error: unknown): Error {
  const code = errorCode(error) ?? (error instanceof Error ? error.name : 'unknown');
  if (NO_LOG.has(code)) {
    return new CommandFailure({
      en: `There is no audit log in this database that this role may read (${code}).`,
      nb: `Det finnes ingen revisjonslogg i denne databasen som denne rollen kan lese (${code}).`,
    });
  }
  return new CommandFailure({
    en: `The database cannot be read (${code}).`,
    nb: `Databasen kan ikke leses (${code}).`,
  });
}

function linesOf(cli: Cli, result: AuditVerification, isSigned: boolean): string[] {
  const { records, writers, checkpoints, uncovered, findings, findingCount } = result;
  const counts = cli.text({
    en: `${records} records of ${writers} writers, ${checkpoints} checkpoints`,
    nb: `${records} poster fra ${writers} skrivere, ${checkpoints} kontrollpunkter`,
  });
  const found = findings.flatMap(({ kind, writer, seq, toSeq, detail, advice }) => [
    `${cli.style(['bold', 'red'], kind)}  ${writer} #${seq}${toSeq === undefined || toSeq === seq ? '' : `–${toSeq}`}`,
    `  ${detail}`,
    `  ${cli.style('dim', advice)}`,
  ]);
  const verdict =
    findingCount === 0
      ? cli.style('green', cli.text({ en: 'The log is what was written.', nb: 'Loggen er det som ble skrevet.' }))
      : cli.style(['bold', 'red'], cli.text({ en: `${findingCount} findings.`, nb: `${findingCount} funn.` }));
  return [counts, ...found, verdict, ...notes(cli, uncovered, isSigned)];
}

/** What the verdict does not cover. */
function notes(cli: Cli, uncovered: number, isSigned: boolean): string[] {
  const open = cli.text({
    en: `The last ${uncovered} records are covered by no checkpoint yet.`,
    nb: `De siste ${uncovered} postene er ikke dekket av noe kontrollpunkt ennå.`,
  });
  const unsigned = cli.text({
    en: 'Without --checkpoint-key, signatures were not checked.',
    nb: 'Uten --checkpoint-key ble ikke signaturene kontrollert.',
  });
  return [...(uncovered > 0 ? [open] : []), ...(isSigned ? [] : [unsigned])];
}
