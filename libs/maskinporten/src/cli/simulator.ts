import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cli } from './cli.js';
import { defineCommand } from './define-command.js';
import { CommandFailure } from './exit.js';

const PACKAGE = 'maskinporten-simulator';

export const simulator = defineCommand((cli) => ({
  command: 'simulator',
  describe: {
    en: `Start ${PACKAGE}, a local Maskinporten with Altinn for development and tests`,
    nb: `Start ${PACKAGE}, et lokalt Maskinporten med Altinn for utvikling og test`,
  },
  build: (yargs) =>
    yargs
      .option(
        'port',
        cli.option({ en: 'Port of the issuer; 0 picks a free one', nb: 'Port for utstederen; 0 tar en ledig' }),
      )
      .option('config', cli.option({ en: 'Configuration as a JSON file', nb: 'Oppsett som JSON-fil' })),
  run: async ({ port, config, json, '--': rest }) => {
    const program = await programOf(cli);
    const code = await cli.io.runNode([
      program,
      ...(port === undefined ? [] : ['--port', port]),
      ...(config === undefined ? [] : ['--config', config]),
      ...(json ? ['--json'] : []),
      ...(Array.isArray(rest) ? rest.map(String) : []),
    ]);
    return code === 0 || code === 2 ? code : 1;
  },
}));

/** The program of the package that the project has installed, found as Node finds packages: in this folder or one above. */
async function programOf(cli: Cli): Promise<string> {
  for (let folder = cli.io.cwd, last = ''; folder !== last; last = folder, folder = dirname(folder)) {
    const home = join(folder, 'node_modules', PACKAGE);
    const manifest = await readFile(join(home, 'package.json'), 'utf8').catch(() => undefined);
    if (manifest !== undefined) {
      const { bin } = JSON.parse(manifest) as { bin: Readonly<Record<string, string>> };
      return join(home, bin[PACKAGE] ?? '');
    }
  }
  throw new CommandFailure({
    en: `${PACKAGE} is not installed here. Install it with: npm install --save-dev ${PACKAGE}`,
    nb: `${PACKAGE} er ikke installert her. Installer den med: npm install --save-dev ${PACKAGE}`,
  });
}
