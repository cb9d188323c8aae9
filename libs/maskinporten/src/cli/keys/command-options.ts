import type { Argv } from 'yargs';
import type { Cli } from '../cli.js';
import type { GlobalOptions } from '../define-command.js';
import { UsageError } from '../exit.js';
import type { Text } from '../language.js';

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
    .option(
      'passphrase-file',
      cli.option({
        en: 'File with the passphrase (else: environment, or asked for in a terminal)',
        nb: 'Fil med passordet (ellers: miljøvariabel, eller spørsmål i terminalen)',
      }),
    )
    .option('kid', cli.option({ en: 'Key id it is registered under', nb: 'Nøkkel-id den er registrert med' }));
}

export interface AdministrationOptions {
  readonly kid: string | undefined;
  readonly 'client-id': string | undefined;
  readonly drop: string | undefined;
  readonly apply: boolean;
  readonly 'dry-run': boolean | undefined;
}

/**
 * What `keys publish` and `keys rotate` take: the key's name, the client, a key that makes room, `--apply`, and
 * `--dry-run`, which is what happens without either. The help loads nothing of what the commands use.
 */
export function administrationOptions<Options>(cli: Cli, yargs: Argv<Options>): Argv<Options & AdministrationOptions> {
  return yargs
    .option(
      'kid',
      cli.option({
        en: 'Key id to register the key under (default: its own, else its thumbprint)',
        nb: 'Nøkkel-id nøkkelen registreres med (standard: dens egen, ellers tommelavtrykket)',
      }),
    )
    .option(
      'client-id',
      cli.option({
        en: 'The client (default: MASKINPORTEN_CLIENT_ID)',
        nb: 'Klienten (standard: MASKINPORTEN_CLIENT_ID)',
      }),
    )
    .option(
      'drop',
      cli.option({
        en: 'Key id of another key that makes room: a client has at most five',
        nb: 'Nøkkel-id til en annen nøkkel som gir plass: en klient har høyst fem',
      }),
    )
    .option('apply', cli.flag({ en: 'Do it', nb: 'Gjør det' }))
    .option('dry-run', {
      type: 'boolean',
      describe: cli.text({
        en: 'Only say what would be done (this is the default; --no-dry-run is --apply)',
        nb: 'Bare fortell hva som ville blitt gjort (dette er standard; --no-dry-run er --apply)',
      }),
    })
    .epilogue(cli.text(ADMINISTRATION_HELP));
}

const ADMINISTRATION_HELP: Text = {
  en: `Needs the administration client that servicedesk@digdir.no hands out, with the scopes idporten:dcr.read and idporten:dcr.write:
  MASKINPORTEN_ADMIN_CLIENT_ID, MASKINPORTEN_ADMIN_PKCS12_FILE and _PASSPHRASE (or MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE and _KID).
The client whose keys are changed is MASKINPORTEN_CLIENT_ID or --client-id. MASKINPORTEN_SELF_SERVICE_URL overrides the address of the API.`,
  nb: `Trenger administrasjonsklienten som servicedesk@digdir.no utleverer, med scopene idporten:dcr.read og idporten:dcr.write:
  MASKINPORTEN_ADMIN_CLIENT_ID, MASKINPORTEN_ADMIN_PKCS12_FILE og _PASSPHRASE (eller MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE og _KID).
Klienten som får nøklene endret, er MASKINPORTEN_CLIENT_ID eller --client-id. MASKINPORTEN_SELF_SERVICE_URL overstyrer adressen til API-et.`,
};

/** @throws UsageError when both were given. */
export function isToBeApplied({ apply, 'dry-run': dryRun }: Pick<AdministrationOptions, 'apply' | 'dry-run'>): boolean {
  if (apply && dryRun === true) {
    throw new UsageError({
      en: '--apply and --dry-run contradict each other.',
      nb: '--apply og --dry-run motsier hverandre.',
    });
  }
  return apply || dryRun === false;
}
