import { generateKeyPair } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jwkThumbprint } from '../../key-files/index.js';
import type { Cli } from '../cli.js';
import { defineCommand } from '../define-command.js';
import { CommandFailure } from '../exit.js';
import { checkUploadableKid, publicJwk } from './public-jwk.js';
import { exists, writeNewFile } from './write-new-file.js';
import { errorCode } from '../../basics/index.js';

const PRIVATE_FILE = 'private-key.pem';
const PUBLIC_FILE = 'public-jwk.json';
const SIZES = [2048, 3072, 4096] as const;

export const keysGenerate = defineCommand((cli) => ({
  command: 'generate',
  describe: {
    en: `Make a key pair: ${PRIVATE_FILE} stays here, ${PUBLIC_FILE} is uploaded to Digdir`,
    nb: `Lag et nøkkelpar: ${PRIVATE_FILE} blir her, ${PUBLIC_FILE} lastes opp hos Digdir`,
  },
  build: (yargs) =>
    yargs
      .option('size', {
        type: 'number',
        choices: SIZES,
        default: 3072,
        describe: cli.text({ en: 'Bits of the RSA key', nb: 'Antall bit i RSA-nøkkelen' }),
      })
      .option(
        'kid',
        cli.option({
          en: 'Key id to register it under (default: the RFC 7638 thumbprint)',
          nb: 'Nøkkel-id den skal registreres med (standard: RFC 7638-tommelavtrykket)',
        }),
      )
      .option('out', {
        type: 'string',
        default: '.',
        requiresArg: true,
        describe: cli.text({ en: 'Folder for the two files', nb: 'Mappe for de to filene' }),
      })
      .option('force', cli.flag({ en: 'Replace files that are there', nb: 'Erstatt filer som finnes fra før' })),
  run: async ({ size, kid, out, force }) => {
    checkUploadableKid(kid);
    const folder = cli.path(out);
    const privateKeyFile = join(folder, PRIVATE_FILE);
    const publicJwkFile = join(folder, PUBLIC_FILE);
    for (const file of force ? [] : [privateKeyFile, publicJwkFile]) {
      if (await exists(file)) throw fileExists(file);
    }
    cli.progress(cli.text({ en: 'Making the key …', nb: 'Lager nøkkelen …' }));
    const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: size });
    const jwk = publicJwk(publicKey, { kid: kid ?? (await jwkThumbprint(publicKey)), alg: 'RS256' });
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
      // The public half first: when it cannot be written, a private key that was there is not lost.
      await writeNewFile(publicJwkFile, `${JSON.stringify(jwk, undefined, 2)}\n`, { mode: 0o644, force });
      await writeNewFile(privateKeyFile, String(pem), { mode: 0o600, force }).catch(async (error: unknown) => {
        // It belongs to no key that is there.
        await rm(publicJwkFile, { force: true });
        throw error;
      });
    } catch (error) {
      throw cannotWrite(folder, error);
    }
    cli.report({ kid: jwk.kid, alg: jwk.alg, size, privateKeyFile, publicJwkFile, jwk }, () =>
      linesOf(cli, { size, kid: jwk.kid, privateKeyFile, publicJwkFile }),
    );
    return 0;
  },
}));

function fileExists(file: string): CommandFailure {
  return new CommandFailure({
    en: `${file} exists and is left as it is. Give another folder with --out, or --force to replace it.`,
    nb: `${file} finnes og er ikke rørt. Oppgi en annen mappe med --out, eller --force for å erstatte den.`,
  });
}

function cannotWrite(folder: string, error: unknown): CommandFailure {
  const code = errorCode(error) ?? '?';
  return new CommandFailure({
    en: `Nothing can be written to ${folder} (${code}).`,
    nb: `Kan ikke skrive til ${folder} (${code}).`,
  });
}

interface Made {
  readonly size: number;
  readonly kid: string;
  readonly privateKeyFile: string;
  readonly publicJwkFile: string;
}

function linesOf(cli: Cli, { size, kid, privateKeyFile, publicJwkFile }: Made): string[] {
  const bold = (text: string): string => cli.style('bold', text);
  const today = new Date(cli.io.now()).toISOString().slice(0, 10);
  return [
    `${cli.style('green', '✔')} RSA ${size}, kid ${bold(kid)}`,
    '',
    `  ${bold(privateKeyFile)}`,
    `    ${cli.text({ en: 'the private key, readable by you alone: keep it secret', nb: 'den private nøkkelen, lesbar bare for deg: hold den hemmelig' })}`,
    `  ${bold(publicJwkFile)}`,
    `    ${cli.text({ en: 'the public key: upload it to the client in Digdir self-service', nb: 'den offentlige nøkkelen: last den opp på klienten i selvbetjeningen hos Digdir' })}`,
    '',
    cli.text({
      en: 'After the upload (it takes up to two minutes to work, and the key lives one year):',
      nb: 'Etter opplastingen (det tar opptil to minutter før den virker, og nøkkelen varer ett år):',
    }),
    `  MASKINPORTEN_PRIVATE_KEY_FILE=${privateKeyFile}`,
    `  MASKINPORTEN_KID=${kid}`,
    `  MASKINPORTEN_KEY_REGISTERED_AT=${today}`,
  ];
}
