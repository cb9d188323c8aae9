import { readFile } from 'node:fs/promises';
import { withoutByteOrderMark, isRecord } from '../../basics/index.js';
import { createError, isMaskinportenError } from '../../errors/index.js';
import { loadSigningKey, type KeySource, type SigningKey } from '../../keys/index.js';
import type { Cli } from '../cli.js';
import { UsageError } from '../exit.js';
import { withSecrets, type Variables } from '../settings.js';
import { publicJwk, type PublicJwk } from './public-jwk.js';

/** The key of a file, ready to sign, and its public half ready to be registered. */
export interface NewKey {
  readonly jwk: PublicJwk;
  readonly source: KeySource;
}

export interface NewKeyOptions {
  readonly file: string;
  readonly kid: string | undefined;
  /** The passphrase is in `MASKINPORTEN_NEW_KEY_PASSPHRASE`, or in the file that `…_FILE` names. */
  readonly variables: Variables;
}

const PASSPHRASE = 'MASKINPORTEN_NEW_KEY_PASSPHRASE';

/**
 * Reads a private key of any form. Without `--kid`, and without one of its own, it is named by its thumbprint, as `keys
 * generate` does.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) with the reason; `failures[].field` is the file's.
 * @throws UsageError when the file of the passphrase cannot be read.
 */
export async function readNewKey(cli: Cli, { file, kid, variables }: NewKeyOptions): Promise<NewKey> {
  const { [PASSPHRASE]: passphrase } = withSecrets(variables, (path) => cli.path(path), [PASSPHRASE]);
  const source = { file: cli.path(file), watch: false, ...(passphrase === undefined ? {} : { passphrase }) };
  const given = kid === undefined ? source : { ...source, kid };
  const key = await loadSigningKey(given).catch((error: unknown) => {
    if (kid === undefined && isAboutKid(error)) return undefined;
    throw error;
  });
  if (key?.kid !== undefined) return { jwk: jwkOf(key, key.kid), source: { ...source, kid: key.kid } };
  const unnamed = await loadSigningKey({ ...source, kid: 'unnamed' });
  const thumbprint = unnamed.thumbprint ?? '';
  return { jwk: jwkOf(unnamed, thumbprint), source: { ...source, kid: thumbprint } };
}

/** As `readNewKey`, and for a public JWK as `keys generate` writes it. */
export async function readPublicHalf(cli: Cli, options: NewKeyOptions): Promise<PublicJwk> {
  const jwk = await readPublicJwk(cli, options.file);
  if (jwk === undefined) return (await readNewKey(cli, options)).jwk;
  const { kty, n, e, alg = 'RS256', kid = options.kid } = jwk;
  const name = options.kid ?? kid;
  const isWhole = kty === 'RSA' && typeof n === 'string' && typeof e === 'string' && typeof name === 'string';
  if (!isWhole || (alg !== 'RS256' && alg !== 'RS384' && alg !== 'RS512')) {
    throw new UsageError({
      en: `${options.file} is not the public JWK of an RSA key with n, e, kid and, if any, alg RS256, RS384 or RS512.`,
      nb: `${options.file} er ikke offentlig JWK for en RSA-nøkkel med n, e, kid og eventuelt alg RS256, RS384 eller RS512.`,
    });
  }
  return { kty: 'RSA', use: 'sig', alg, kid: name, e, n };
}

/** @returns undefined when the file is anything else than one public JWK, alone or in a set. */
async function readPublicJwk(cli: Cli, file: string): Promise<Record<string, unknown> | undefined> {
  let content: unknown;
  try {
    content = JSON.parse(withoutByteOrderMark(await readFile(cli.path(file), 'utf8'))) as unknown;
  } catch {
    // What it is instead, or why it cannot be read, is for the reader of keys to say.
    return undefined;
  }
  const keys: unknown = isRecord(content) && Array.isArray(content['keys']) ? content['keys'] : [content];
  const [only, ...more] = Array.isArray(keys) ? (keys as readonly unknown[]) : [];
  return more.length === 0 && isRecord(only) && !('d' in only) ? only : undefined;
}

const isAboutKid = (error: unknown): boolean =>
  isMaskinportenError(error) && error.failures.length === 1 && error.failures[0]?.field === 'key.kid';

function jwkOf({ publicKey, alg }: SigningKey, kid: string): PublicJwk {
  if (publicKey === undefined) throw createError('MP_CONFIG', { message: 'The key has no public half.', field: 'key' });
  return publicJwk(publicKey, { kid, alg });
}
