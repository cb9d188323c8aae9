import type { Argv } from 'yargs';
import type { Cli } from './cli.js';
import { UsageError } from './exit.js';

export interface DryRunOptions {
  readonly apply: boolean;
  readonly 'dry-run': boolean | undefined;
}

/** `--apply`, and `--dry-run`, which is what happens without either. */
export function withDryRun<Options>(cli: Cli, yargs: Argv<Options>): Argv<Options & DryRunOptions> {
  return yargs
    .option('apply', {
      type: 'boolean',
      default: false,
      describe: cli.text({ en: 'Do it', nb: 'Gjør det' }),
    })
    .option('dry-run', {
      type: 'boolean',
      describe: cli.text({
        en: 'Only tell what would be done (this is the default; --no-dry-run is --apply)',
        nb: 'Bare fortell hva som ville blitt gjort (dette er standard; --no-dry-run er --apply)',
      }),
    });
}

/** @throws UsageError when both were given. */
export function isToBeApplied({ apply, 'dry-run': dryRun }: DryRunOptions): boolean {
  if (apply && dryRun === true) {
    throw new UsageError({
      en: '--apply and --dry-run contradict each other.',
      nb: '--apply og --dry-run motsier hverandre.',
    });
  }
  return apply || dryRun === false;
}
