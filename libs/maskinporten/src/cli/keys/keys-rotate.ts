import type { RotationProgress, RotationResult } from '../../self-service/index.js';
import type { Cli } from '../cli.js';
import { defineCommand } from '../define-command.js';
import { administrationOptions, isToBeApplied } from './command-options.js';
import { UsageError } from '../exit.js';
import { planDocument, planLines, PLAN_ONLY, settingsLines } from './key-set-text.js';

export const keysRotate = defineCommand((cli) => ({
  command: 'rotate <new-key>',
  describe: {
    en: 'Put a new key in the place of an old one: publish, wait two minutes, prove, and only then take the old one away',
    nb: 'Sett en ny nøkkel i stedet for en gammel: registrer, vent to minutter, bevis, og ta først da bort den gamle',
  },
  build: (yargs) =>
    administrationOptions(
      cli,
      yargs
        .positional('new-key', {
          type: 'string',
          demandOption: true,
          describe: cli.text({
            en: 'The new private key, of any form (passphrase: MASKINPORTEN_NEW_KEY_PASSPHRASE)',
            nb: 'Den nye private nøkkelen, i hvilken form som helst (passord: MASKINPORTEN_NEW_KEY_PASSPHRASE)',
          }),
        })
        .option('scope', {
          type: 'string',
          demandOption: true,
          requiresArg: true,
          describe: cli.text({
            en: 'A scope of the client, to get a token that proves the new key',
            nb: 'Et scope klienten har, for å hente et token som beviser at den nye nøkkelen virker',
          }),
        })
        .option(
          'old-kid',
          cli.option({
            en: 'Key id of the key that goes (default: MASKINPORTEN_KID)',
            nb: 'Nøkkel-id til nøkkelen som skal bort (standard: MASKINPORTEN_KID)',
          }),
        )
        .option(
          'keep-old',
          cli.flag({
            en: 'End with both keys registered; switch your services, then run it again without',
            nb: 'Slutt med begge nøklene registrert; la tjenestene bytte, og kjør på nytt uten',
          }),
        ),
    ),
  run: async (options) => {
    const apply = isToBeApplied(options);
    const { newKey: file, scope, kid, clientId, drop, keepOld, envFile } = options;
    const [{ openAdministration }, { readNewKey }, { proveKey, rotateKey }, { tokenServiceConfig }] = await Promise.all(
      [
        import('./administration.js'),
        import('./published-key.js'),
        import('../../self-service/index.js'),
        import('../settings.js'),
      ],
    );
    const variables = await cli.environment(envFile);
    const oldKid = options.oldKid ?? variables['MASKINPORTEN_KID']?.trim();
    if (oldKid === undefined || oldKid === '') throw oldKidMissing();
    const { jwk, source } = await readNewKey(cli, { file, kid, variables });
    const administration = await openAdministration(cli, variables, { clientId });
    const { api, clientId: client, settings } = administration;
    const config = tokenServiceConfig({ ...settings, clientId: client, key: source });
    const { wait } = cli.io;
    let reached: RotationProgress['step'] | undefined;
    try {
      const result = await rotateKey({
        api,
        clientId: client,
        newKey: jwk,
        oldKid,
        drop,
        keepOld,
        apply,
        nowMs: cli.io.now,
        prove: async () => proveKey({ config, scope }),
        onProgress: (progress) => {
          reached = progress.step;
          cli.progress(cli.text(progressText(progress)));
        },
        ...(wait === undefined ? {} : { wait: async (ms: number) => wait(ms) }),
      });
      const { publish, remove, waitMs, applied } = result;
      cli.report(
        {
          clientId: client,
          newKid: jwk.kid,
          oldKid,
          applied,
          publish: planDocument(publish),
          waitSeconds: Math.ceil(waitMs / 1000),
          remove: remove === undefined ? null : planDocument(remove),
        },
        () => linesOf(cli, { client, newKid: jwk.kid, oldKid, keepOld, result }),
      );
      return 0;
    } catch (error) {
      if (reached === 'wait' || reached === 'prove') cli.note(cli.text(BOTH_REGISTERED));
      throw error;
    } finally {
      await administration.close();
    }
  },
}));

const oldKidMissing = (): UsageError =>
  new UsageError({
    en: 'Say which key goes: --old-kid, or MASKINPORTEN_KID.',
    nb: 'Si hvilken nøkkel som skal bort: --old-kid, eller MASKINPORTEN_KID.',
  });

function progressText(progress: RotationProgress): { en: string; nb: string } {
  switch (progress.step) {
    case 'publish':
      return { en: 'Registering the new key …', nb: 'Registrerer den nye nøkkelen …' };
    case 'wait': {
      const left = clock(progress.remainingMs);
      return {
        en: `Waiting until Maskinporten knows the new key: ${left} left. It is safe to stop: run it again to continue.`,
        nb: `Venter til Maskinporten kjenner den nye nøkkelen: ${left} igjen. Det er trygt å stoppe: kjør på nytt for å fortsette.`,
      };
    }
    case 'prove':
      return { en: 'Getting a token with the new key …', nb: 'Henter et token med den nye nøkkelen …' };
    case 'remove':
      return { en: 'Taking the old key away …', nb: 'Tar bort den gamle nøkkelen …' };
    case 'done':
    default:
      return { en: 'Done', nb: 'Ferdig' };
  }
}

function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

interface Rotated {
  readonly client: string;
  readonly newKid: string;
  readonly oldKid: string;
  readonly keepOld: boolean;
  readonly result: RotationResult;
}

function linesOf(cli: Cli, { client, newKid, oldKid, keepOld, result }: Rotated): string[] {
  const { publish, remove, waitMs, applied } = result;
  const step = (number: number, en: string, nb: string): string => `${number}. ${cli.text({ en, nb })}`;
  const lines = [
    cli.style('bold', cli.text({ en: `Rotation of the key of ${client}`, nb: `Bytte av nøkkelen til ${client}` })),
    step(1, 'Register the new key', 'Registrer den nye nøkkelen'),
    ...planLines(cli, publish),
    step(
      2,
      `Wait until Maskinporten knows it: ${clock(waitMs)}`,
      `Vent til Maskinporten kjenner den: ${clock(waitMs)}`,
    ),
    step(3, `Get a token with ${newKid}`, `Hent et token med ${newKid}`),
    step(4, 'Take the old key away', 'Ta bort den gamle nøkkelen'),
    ...(remove === undefined ? [`  ${cli.text(keepOld ? OLD_STAYS : OLD_IS_GONE)}`] : planLines(cli, remove)),
    '',
  ];
  if (!applied) {
    return [...lines, cli.text(BEFORE), cli.text(PLAN_ONLY)];
  }
  const done = keepOld
    ? {
        en: `Done: ${newKid} works, and ${oldKid} is still registered.`,
        nb: `Ferdig: ${newKid} virker, og ${oldKid} er fortsatt registrert.`,
      }
    : { en: `Done: ${newKid} works, and ${oldKid} is gone.`, nb: `Ferdig: ${newKid} virker, og ${oldKid} er borte.` };
  return [...lines, `${cli.style('green', '✔')} ${cli.text(done)}`, ...settingsLines(publish, newKid, cli.io.now())];
}

const BOTH_REGISTERED = {
  en: 'The new key is registered, but has not been shown to work. The old one is registered too and still works. Fix the cause and run it again.',
  nb: 'Den nye nøkkelen er registrert, men har ikke vist at den virker. Den gamle er også registrert og virker fortsatt. Rett årsaken og kjør på nytt.',
};
const OLD_STAYS = { en: 'It stays (--keep-old).', nb: 'Den blir (--keep-old).' };
const OLD_IS_GONE = { en: 'It is gone already.', nb: 'Den er allerede borte.' };
const BEFORE = {
  en: 'Services must have both keys before the old one goes, or switch between two runs: --keep-old in the first.',
  nb: 'Tjenestene må ha begge nøklene før den gamle tas bort, eller bytte mellom to kjøringer: --keep-old i den første.',
};
