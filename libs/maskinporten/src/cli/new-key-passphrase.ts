import type { Cli } from './cli.js';
import { withSecrets, type Variables } from './settings.js';

const NAME = 'MASKINPORTEN_NEW_KEY_PASSPHRASE';

/**
 * The passphrase of the key that is to be registered, from its variable or from the file that `…_FILE` names.
 *
 * @throws UsageError when the file cannot be read.
 */
export const newKeyPassphrase = (cli: Cli, variables: Variables): string | undefined =>
  withSecrets(variables, (path) => cli.path(path), [NAME])[NAME];
