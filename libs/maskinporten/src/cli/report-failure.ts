import { isMaskinportenError, type ActBy, type MaskinportenError } from '../errors/index.js';
import type { Cli } from './cli.js';
import { CommandFailure, type ExitCode, UsageError } from './exit.js';
import type { Text } from './language.js';

/** Who has to do something, in words. */
export const WHO_ACTS: Readonly<Record<ActBy, Text>> = {
  you: { en: 'you', nb: 'du' },
  'api-owner': { en: 'the owner of the API', nb: 'API-eieren' },
  customer: { en: 'the customer', nb: 'kunden' },
  digdir: { en: 'Digdir', nb: 'Digdir' },
};

/** Tells why a command could not do what it was asked to. With `--json` that is the document on stdout. */
export function reportFailure(cli: Cli, error: unknown): ExitCode {
  if (error instanceof UsageError) {
    tell(cli, { code: 'USAGE', message: cli.text(error.text) }, [
      cli.text(error.text),
      cli.text({ en: 'Run it with --help to see how it is used.', nb: 'Kjør med --help for å se hvordan den brukes.' }),
    ]);
    return 2;
  }
  if (error instanceof CommandFailure) {
    tell(cli, { code: 'FAILED', message: cli.text(error.text) }, [cli.text(error.text)]);
    return 1;
  }
  if (isMaskinportenError(error)) {
    tell(cli, { ...error.toJSON(), hint: cli.text(error.hint) }, maskinportenLines(cli, error));
    return 1;
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  tell(cli, { code: 'UNEXPECTED', message }, [message]);
  return 1;
}

/** Cause, fix and who must act. */
function maskinportenLines(cli: Cli, error: MaskinportenError): string[] {
  const { failures, message, hint, actBy } = error;
  const facts = [error.code, error.mpCode, error.traceId === undefined ? undefined : `trace ${error.traceId}`];
  const causes =
    failures.length === 1 && failures[0]?.reason === message
      ? [message]
      : failures.map(({ field, reason }) => `${field} ${reason}`);
  return [
    `${cli.style(['bold', 'red'], cli.text({ en: 'Failed', nb: 'Feilet' }))} (${facts.filter((fact) => fact !== undefined).join(', ')})`,
    ...causes.map((cause) => `  ${label(cli, { en: 'Cause', nb: 'Årsak' })}${cause}`),
    `  ${label(cli, { en: 'Fix', nb: 'Løsning' })}${cli.text(hint)}`,
    `  ${label(cli, { en: 'Who acts', nb: 'Hvem' })}${cli.text(WHO_ACTS[actBy])}`,
  ];
}

const label = (cli: Cli, text: Text): string => cli.style('bold', `${cli.text(text)}:`.padEnd(11));

function tell(cli: Cli, error: object, lines: readonly string[]): void {
  if (cli.json) cli.report({ error }, () => []);
  else cli.note(lines.join('\n'));
}
