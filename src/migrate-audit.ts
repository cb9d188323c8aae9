import { migrateDatabase } from './audit/index.js';
import { readEnvironmentForMigration } from './config/index.js';
import { explainStartFailure } from './start-failure.js';

// Makes the tables of the audit log, or brings them up to date, and ends: for an init container or a job that has the
// owner's credentials, so that the service never does.
try {
  const done = await migrateDatabase(readEnvironmentForMigration(process.env));
  process.stdout.write(`${JSON.stringify({ message: 'tables of the audit log are up to date', migrations: done })}\n`);
} catch (error) {
  process.stderr.write(await explainStartFailure(error));
  process.exit(1);
}
