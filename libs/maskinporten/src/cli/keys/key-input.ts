import { isMaskinportenError } from '../../errors/index.js';
import { inspectKey, readInspectedFile, type KeyInspection, type KeySource } from '../../keys/index.js';
import type { Cli } from '../cli.js';
import { withoutLineBreak } from '../../basics/index.js';
import { inVariables, readKeySource, renameFields, withSecrets, type Variables } from '../settings.js';

/** A key that was read for a command, and what is known about it besides. */
export interface KeyInput {
  /** The path, or the variable it came from. */
  readonly name: string;
  readonly inspection: KeyInspection;
  /** Everybody on the machine may read the file. */
  readonly readableByOthers: boolean;
  /** Under which kid it is registered, as the environment says. */
  readonly kid?: string;
  readonly registeredAt?: string;
}

export interface KeyInputOptions {
  /** Default: the key of the environment. */
  readonly file: string | undefined;
  readonly passphraseFile: string | undefined;
  readonly envFile: string | undefined;
}

interface RawKey extends Omit<KeyInput, 'inspection'> {
  readonly bytes: Buffer;
  readonly certificates?: Buffer;
}

/**
 * Reads the key that a command was given, with the passphrase of `--passphrase-file`, of the environment, or typed in a
 * terminal; never one from the command line, which every process of the machine can see.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) with the reason when it cannot be read.
 */
export async function readKeyInput(cli: Cli, options: KeyInputOptions): Promise<KeyInput> {
  const variables = await cli.environment(options.envFile);
  const { bytes, certificates, ...known } = await rawKey(cli, options.file, variables);
  try {
    const passphrases = await passphrasesOf(cli, options, variables);
    const inspection = await openWithAny(cli, known.name, passphrases, async (passphrase) =>
      inspectKey(bytes, { passphrase, certificates }),
    );
    return { ...known, inspection };
  } catch (error) {
    throw options.file === undefined ? inVariables(error, variables) : inFile(error);
  } finally {
    bytes.fill(0);
  }
}

async function rawKey(cli: Cli, file: string | undefined, variables: Variables): Promise<RawKey> {
  if (file !== undefined) return { name: file, ...(await readInspectedFile(cli.path(file)).catch(rethrowInFile)) };
  const source = readKeySource(variables, (path) => cli.path(path));
  const known = await knownOf(source);
  if ('file' in source) {
    try {
      return { name: source.file, ...(await readInspectedFile(source.file)), ...known };
    } catch (error) {
      throw inVariables(error, variables);
    }
  }
  const [name, text] =
    'jwk' in source ? ['MASKINPORTEN_CLIENT_JWK', source.jwk] : ['MASKINPORTEN_PRIVATE_KEY', pemOf(source)];
  const bytes = Buffer.from(typeof text === 'string' ? text : JSON.stringify(text));
  return { name, bytes, readableByOthers: false, ...known };
}

const pemOf = (source: KeySource): string => ('pem' in source ? source.pem.toString() : '');

async function knownOf(source: KeySource): Promise<Pick<RawKey, 'kid' | 'registeredAt' | 'certificates'>> {
  const kid = 'kid' in source ? source.kid : undefined;
  const registeredAt = 'registeredAt' in source ? source.registeredAt : undefined;
  const chain = 'certificateChain' in source ? source.certificateChain : undefined;
  const file = 'certificateFile' in source ? source.certificateFile : undefined;
  const certificates = file === undefined ? chain : (await readInspectedFile(file)).bytes;
  return {
    ...(kid === undefined ? {} : { kid }),
    ...(registeredAt === undefined ? {} : { registeredAt: String(registeredAt) }),
    ...(certificates === undefined ? {} : { certificates: Buffer.from(certificates) }),
  };
}

async function passphrasesOf(
  cli: Cli,
  { passphraseFile }: KeyInputOptions,
  variables: Variables,
): Promise<readonly string[]> {
  if (passphraseFile !== undefined) {
    return [withoutLineBreak(await cli.readText(passphraseFile))];
  }
  const { MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: key, MASKINPORTEN_PKCS12_PASSPHRASE: pkcs12 } = withSecrets(
    variables,
    (path) => cli.path(path),
  );
  return [...new Set([pkcs12, key].filter((value) => value !== undefined))];
}

/** Without a passphrase first: most files need none. Then every one that is set, then the user at the terminal. */
async function openWithAny(
  cli: Cli,
  name: string,
  passphrases: readonly string[],
  open: (passphrase: string | undefined) => Promise<KeyInspection>,
): Promise<KeyInspection> {
  let refusal: unknown;
  for (const passphrase of [undefined, ...passphrases]) {
    try {
      return await open(passphrase);
    } catch (error) {
      if (!isAboutPassphrase(error)) throw error;
      refusal = error;
    }
  }
  const { askSecret } = cli.io;
  if (askSecret === undefined || passphrases.length > 0) throw refusal;
  return open(await askSecret(cli.text({ en: `Passphrase of ${name}: `, nb: `Passord for ${name}: ` })));
}

function isAboutPassphrase(error: unknown): boolean {
  return isMaskinportenError(error) && error.failures.some(({ field }) => field === 'key.passphrase');
}

/** A file that was named on the command line has no settings. */
const inFile = (error: unknown): unknown => renameFields(error, (field) => field.replace(/^key\./, ''));

function rethrowInFile(error: unknown): never {
  throw inFile(error);
}
