import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import type { CliIo } from './cli-io.js';
import { Cli } from './cli.js';
import { COMMANDS } from './commands.js';
import { type Command, type GlobalOptions, Outcome, WHICH } from './define-command.js';
import { type ExitCode, UsageError } from './exit.js';
import { LANGUAGES, languageOf } from './language.js';
import { reportFailure } from './report-failure.js';

const MAX_WIDTH = 100;

/** @returns the exit code: 0 good, 1 a check failed, 2 wrong usage. Never throws for what a user can do wrong. */
export async function runCli(
  args: readonly string[],
  io: CliIo,
  commands: readonly Command[] = COMMANDS,
): Promise<ExitCode> {
  const cli = new Cli(io, { language: languageOf(args, io.env), json: wantsJson(args) });
  const outcome = new Outcome();
  const parser = makeParser(cli);
  for (const command of commands) parser.command(command(cli, outcome));
  try {
    // With a callback yargs hands its own texts over instead of printing them.
    await parser.parseAsync([...args], {}, (_error, _argv, output) => {
      if (output !== '') io.stdout.write(`${output}\n`);
    });
    return outcome.exitCode;
  } catch (error) {
    return reportFailure(cli, error);
  }
}

function makeParser(cli: Cli): Argv<GlobalOptions> {
  const parser = yargs();
  return parser
    .scriptName('nestjs-maskinporten')
    .usage('$0 <command>')
    .detectLocale(false)
    .locale(cli.language)
    .wrap(Math.min(cli.io.columns ?? MAX_WIDTH, MAX_WIDTH))
    .parserConfiguration({ 'parse-positional-numbers': false, 'populate--': true })
    .option('json', {
      type: 'boolean',
      default: false,
      global: true,
      describe: cli.text({ en: 'Print one JSON document', nb: 'Skriv ett JSON-dokument' }),
    })
    .option('lang', {
      type: 'string',
      choices: LANGUAGES,
      global: true,
      describe: cli.text({ en: 'Language of the texts', nb: 'Språket i tekstene' }),
    })
    .option('env-file', {
      type: 'string',
      global: true,
      requiresArg: true,
      describe: cli.text({
        en: 'File with settings, as `node --env-file` reads it; variables of the environment win',
        nb: 'Fil med innstillinger, slik `node --env-file` leser den; miljøvariabler går foran',
      }),
    })
    .help('help')
    .alias('help', 'h')
    .version(ownVersion())
    .check((argv) => {
      const repeated = repeatedOption(argv, parser);
      if (repeated === undefined) return true;
      throw new UsageError({
        en: `--${repeated} is given more than once.`,
        nb: `--${repeated} er oppgitt flere ganger.`,
      });
    }, true)
    .recommendCommands()
    .demandCommand(1, cli.text(WHICH))
    .strict()
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message: string | null, error: Error | undefined) => {
      // What a command throws arrives here too, with itself as the error.
      if (error !== undefined && error.name !== 'YError') throw error;
      const text = message ?? error?.message ?? '';
      throw new UsageError({ en: text, nb: text });
    });
}

/** yargs makes a list of an option that is given twice, whether it may be one or not. */
function repeatedOption(argv: Readonly<Record<string, unknown>>, parser: Argv): string | undefined {
  const { array } = (parser as Argv & { getOptions(): { readonly array: readonly string[] } }).getOptions();
  return Object.keys(argv).find((name) => !['_', '--', ...array].includes(name) && Array.isArray(argv[name]));
}

function ownVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Needed before parsing, since the error for a wrong command line has this form too. */
const wantsJson = (args: readonly string[]): boolean => args.includes('--json') && !args.includes('--no-json');
