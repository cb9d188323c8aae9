import type { Argv } from 'yargs';
import type { Cli } from './cli.js';
import type { GlobalOptions } from './define-command.js';

export interface KeyFileOptions extends GlobalOptions {
  readonly file: string | undefined;
  readonly 'passphrase-file': string | undefined;
  readonly kid: string | undefined;
}

/** What every command that reads a key takes. */
export function keyFileOptions(cli: Cli, yargs: Argv<GlobalOptions>): Argv<KeyFileOptions> {
  return yargs
    .positional('file', {
      type: 'string',
      describe: cli.text({
        en: 'PEM, DER, PKCS#12 or JWK file (default: the key of the environment)',
        nb: 'PEM-, DER-, PKCS#12- eller JWK-fil (standard: nøkkelen i miljøvariablene)',
      }),
    })
    .option('passphrase-file', {
      type: 'string',
      requiresArg: true,
      describe: cli.text({
        en: 'File with the passphrase (else: environment, or asked for in a terminal)',
        nb: 'Fil med passordet (ellers: miljøvariabel, eller spørsmål i terminalen)',
      }),
    })
    .option('kid', {
      type: 'string',
      requiresArg: true,
      describe: cli.text({ en: 'Key id it is registered under', nb: 'Nøkkel-id den er registrert med' }),
    });
}
