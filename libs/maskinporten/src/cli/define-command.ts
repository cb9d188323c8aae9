import type { ArgumentsCamelCase, Argv, CommandModule } from 'yargs';
import type { Cli } from './cli.js';
import type { ExitCode } from './exit.js';
import type { Text } from './language.js';

/** Options that every command has. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly lang: string | undefined;
  readonly 'env-file': string | undefined;
}

export interface CommandDefinition<Options> {
  /** As yargs writes it: `jwk [file]`. */
  readonly command: string;
  readonly describe: Text;
  readonly build?: (yargs: Argv<GlobalOptions>) => Argv<Options>;
  /** @returns the exit code */
  readonly run: (options: ArgumentsCamelCase<Options>) => Promise<ExitCode>;
}

/** What `runCli` reads after a command has run. */
export class Outcome {
  exitCode: ExitCode = 0;
}

/** A command as yargs takes it. Its file exports a function of `Cli` and `Outcome` that returns this. */
export type Command = (cli: Cli, outcome: Outcome) => CommandModule<GlobalOptions, object>;

/**
 * Makes a command of its parts.
 *
 * @example
 * export const hello = defineCommand((cli) => ({
 *   command: 'hello <name>',
 *   describe: { en: 'Greet somebody', nb: 'Hils på noen' },
 *   build: (yargs) => yargs.positional('name', { type: 'string', demandOption: true }),
 *   run: async ({ name }) => {
 *     cli.report({ name }, () => [`Hello ${name}`]);
 *     return 0;
 *   },
 * }));
 */
export function defineCommand<Options>(define: (cli: Cli) => CommandDefinition<Options>): Command {
  return (cli, outcome) => {
    const { command, describe, build, run } = define(cli);
    const module: CommandModule<GlobalOptions, Options> = {
      command,
      describe: cli.text(describe),
      handler: async (options) => {
        outcome.exitCode = await run(options);
      },
      ...(build === undefined ? {} : { builder: build }),
    };
    // The options of a command are its own business: yargs hands them from the builder to the handler.
    return module as unknown as CommandModule<GlobalOptions, object>;
  };
}

/** Commands under one word: `keys generate`, `keys inspect`. */
export function defineGroup(name: string, describe: Text, commands: readonly Command[]): Command {
  return (cli, outcome) => ({
    command: name,
    describe: cli.text(describe),
    builder: (yargs: Argv<GlobalOptions>) => {
      for (const command of commands) yargs.command(command(cli, outcome));
      return yargs.demandCommand(1, 1, cli.text(WHICH), cli.text(WHICH));
    },
    handler: () => {},
  });
}

/** A command that does something by itself, with others under its word: `token`, `token explain`. */
export function withCommands(own: Command, others: readonly Command[]): Command {
  return (cli, outcome) => {
    const { command, describe = '', ...module } = own(cli, outcome);
    return {
      command,
      describe,
      builder: (yargs: Argv<GlobalOptions>) => {
        yargs.command({ ...module, command: '$0', describe });
        for (const other of others) yargs.command(other(cli, outcome));
        return yargs;
      },
      handler: () => {},
    };
  };
}

export const WHICH: Text = { en: 'Say which command.', nb: 'Si hvilken kommando.' };
