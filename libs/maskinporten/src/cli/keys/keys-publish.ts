import { defineCommand } from '../define-command.js';
import { administrationOptions, isToBeApplied } from './command-options.js';

export const keysPublish = defineCommand((cli) => ({
  command: 'publish <file>',
  describe: {
    en: 'Register a key on the client through Digdir’s self-service API, beside those that are there',
    nb: 'Registrer en nøkkel på klienten gjennom selvbetjenings-API-et hos Digdir, ved siden av dem som er der',
  },
  build: (yargs) =>
    administrationOptions(
      cli,
      yargs
        .positional('file', {
          type: 'string',
          demandOption: true,
          describe: cli.text({
            en: 'The public JWK that keys generate made, or a private key of any form',
            nb: 'Den offentlige JWK-en fra keys generate, eller en privat nøkkel i hvilken form som helst',
          }),
        })
        .option(
          'renew',
          cli.flag({
            en: 'Give a key that is registered already a new year',
            nb: 'Gi en nøkkel som allerede er registrert, et nytt år',
          }),
        ),
    ),
  run: async (options) => {
    const apply = isToBeApplied(options);
    const { file, kid, clientId, drop, renew, envFile } = options;
    const [
      { openAdministration },
      { readPublicHalf },
      { planDocument, planLines, settingsLines, PLAN_ONLY },
      { publishKey },
    ] = await Promise.all([
      import('./administration.js'),
      import('./published-key.js'),
      import('./key-set-text.js'),
      import('../../self-service/index.js'),
    ]);
    const variables = await cli.environment(envFile);
    const key = await readPublicHalf(cli, { file, kid, variables });
    const administration = await openAdministration(cli, variables, { clientId });
    try {
      cli.progress(cli.text({ en: 'Asking Digdir self-service …', nb: 'Spør selvbetjeningen hos Digdir …' }));
      const { api, clientId: client } = administration;
      const { plan, applied } = await publishKey({ api, clientId: client, key, drop, renew, apply, nowMs: cli.io.now });
      cli.report({ clientId: client, kid: key.kid, applied, ...planDocument(plan) }, () => [
        cli.text({ en: `Keys of ${client}:`, nb: `Nøklene til ${client}:` }),
        ...planLines(cli, plan),
        '',
        ...outcome(),
      ]);

      function outcome(): string[] {
        if (!plan.changes) {
          return [
            cli.text({ en: 'They are as they should be: nothing to do.', nb: 'De er som de skal: ingenting å gjøre.' }),
          ];
        }
        if (!applied) return [cli.text(PLAN_ONLY)];
        return [
          `${cli.style('green', '✔')} ${cli.text({
            en: 'Done. A new key works within two minutes.',
            nb: 'Gjort. En ny nøkkel virker innen to minutter.',
          })}`,
          ...settingsLines(plan, key.kid, cli.io.now()),
        ];
      }
      return 0;
    } finally {
      await administration.close();
    }
  },
}));
