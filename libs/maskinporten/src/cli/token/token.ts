import type { TokenRequest } from '../../grants/index.js';
import type { TokenEvent } from '../../tokens/index.js';
import type { Cli } from '../cli.js';
import { defineCommand } from '../define-command.js';
import { UsageError } from '../exit.js';
import { inVariables, readSettings } from '../settings.js';
import type { TokenClient } from './token-client.js';
import { sentLines, tokenDocument, tokenLines } from './token-report.js';

export const token = defineCommand((cli) => ({
  command: 'token',
  describe: {
    en: 'Get a token and tell its claims, its life and what was sent; the token itself only with --show',
    nb: 'Hent et token og fortell om claims, levetid og hva som ble sendt; selve tokenet bare med --show',
  },
  build: (yargs) =>
    yargs
      .option('scope', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: cli.text({ en: 'Scope to ask for; may be repeated', nb: 'Scope det spørres om; kan gjentas' }),
      })
      .option(
        'consumer-org',
        cli.option({
          en: 'Organisation that has delegated the scope to you',
          nb: 'Organisasjon som har delegert scopet til dere',
        }),
      )
      .option(
        'system-user',
        cli.option({
          en: 'Organisation whose system user you act as',
          nb: 'Organisasjon som eier systembrukeren dere bruker',
        }),
      )
      .option('external-ref', {
        type: 'string',
        requiresArg: true,
        implies: 'system-user',
        describe: cli.text({
          en: 'External reference the system user was made with',
          nb: 'Ekstern referanse systembrukeren ble laget med',
        }),
      })
      .option('resource', {
        type: 'string',
        array: true,
        describe: cli.text({ en: 'Audience restriction (absolute URI)', nb: 'Begrenset mottaker (absolutt URI)' }),
      })
      .option('exchange', {
        type: 'string',
        choices: ['altinn'] as const,
        requiresArg: true,
        describe: cli.text({ en: 'Swap it for an Altinn token', nb: 'Bytt det i et Altinn-token' }),
      })
      .option(
        'show',
        cli.flag({
          en: 'Print the token too: it is a secret',
          nb: 'Skriv ut tokenet også: det er en hemmelighet',
        }),
      ),
  run: async ({ envFile, show, ...asked }) => {
    const variables = await cli.environment(envFile);
    const settings = readSettings(variables, (path) => cli.path(path));
    const request = requestOf(asked);
    if (request.exchange !== undefined && settings.altinn.platformUrl === undefined) {
      throw new UsageError({
        en: 'ALTINN_PLATFORM_URL is missing: an issuer of your own has no Altinn platform to swap tokens at.',
        nb: 'ALTINN_PLATFORM_URL mangler: en egen issuer har ingen Altinn-plattform å bytte tokens hos.',
      });
    }
    const events: TokenEvent[] = [];
    // Loaded when it is used: the help and the other commands do without.
    const { createTokenClient } = await import('./token-client.js');
    const client = await createTokenClient(settings, variables, {
      exchange: request.exchange !== undefined,
      onEvent: (event) => events.push(event),
    });
    cli.progress(cli.text({ en: 'Asking Maskinporten …', nb: 'Spør Maskinporten …' }));
    try {
      const obtained = await client.tokens.getToken(request);
      const report = { token: obtained, grants: client.grants(), events, issuer: client.tokens.status, show };
      cli.report(tokenDocument(report), () => tokenLines(cli, report));
      return 0;
    } catch (error) {
      tellWhatWasSent(cli, client);
      throw inVariables(error, variables);
    } finally {
      noteWarnings(cli, events);
      await client.close();
    }
  },
}));

interface Asked {
  readonly scope: readonly string[];
  readonly consumerOrg: string | undefined;
  readonly systemUser: string | undefined;
  readonly externalRef: string | undefined;
  readonly resource: readonly string[] | undefined;
  readonly exchange: 'altinn' | undefined;
}

function requestOf({ scope, consumerOrg, systemUser, externalRef, resource, exchange }: Asked): TokenRequest {
  return {
    scopes: scope.flatMap((one) => one.split(/[\s,]+/)).filter((one) => one !== ''),
    ...(consumerOrg === undefined ? {} : { consumerOrg }),
    ...(systemUser === undefined
      ? {}
      : { systemUser: { organisation: systemUser, ...(externalRef === undefined ? {} : { externalRef }) } }),
    ...(resource === undefined ? {} : { resource }),
    ...(exchange === undefined ? {} : { exchange }),
  };
}

/** It is half of the answer to why it was refused. */
function tellWhatWasSent(cli: Cli, client: TokenClient): void {
  const last = client.grants().at(-1);
  if (last !== undefined && !cli.json) cli.note(sentLines(cli, last).join('\n'));
}

function noteWarnings(cli: Cli, events: readonly TokenEvent[]): void {
  for (const event of events) {
    if (event.type === 'warning' && !cli.json) cli.note(`${cli.style('yellow', '!')} ${event.reason}`);
    if (event.type === 'security') cli.note(`${cli.style('red', '!')} ${event.what}: ${event.detail}`);
  }
}
