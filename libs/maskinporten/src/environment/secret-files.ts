import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { withoutByteOrderMark, withoutLineBreak } from '../basics/index.js';
import { fileVariable } from './key-variables.js';
import { besides, unreadable, wrong, type VariableProblem } from './variable-problem.js';
import { isSet, type Variables } from './variables.js';

/**
 * Secrets of a client that are read from a mounted file when the variable with `_FILE` at its end names one. Keys are not
 * among them: their files are read by the module itself, which looks at them again when they change.
 */
export const CLIENT_SECRETS = [
  'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE',
  'MASKINPORTEN_PKCS12_PASSPHRASE',
  'ALTINN_SUBSCRIPTION_KEY',
] as const;

const MAX_SECRET_BYTES = 64 * 1024;

export interface SecretFilesResult<Given extends Variables> {
  /** The variables with each secret that a file holds in its own variable, and without the names of those files. */
  readonly variables: Given;
  readonly problems: readonly VariableProblem[];
}

/**
 * Reads secrets that were mounted as files. One line break at the end is not part of a secret, and a byte order mark
 * neither.
 *
 * @param names the secrets, without `_FILE`
 * @param path makes a relative path absolute
 * @example withSecretFiles(variables, CLIENT_SECRETS).variables['MASKINPORTEN_PKCS12_PASSPHRASE']
 */
export function withSecretFiles<Given extends Variables>(
  variables: Given,
  names: readonly string[],
  path = (file: string): string => file,
): SecretFilesResult<Given> {
  const read: Record<string, string | undefined> = {};
  const problems: VariableProblem[] = [];
  for (const name of names) {
    const variable = fileVariable(name);
    const file = variables[variable];
    if (!isSet(variables, variable) || typeof file !== 'string') continue;
    read[variable] = undefined;
    const outcome = isSet(variables, name) ? besides(variable, name) : secretIn(path(file.trim()), variable);
    if (typeof outcome === 'string') read[name] = outcome;
    else problems.push(outcome);
  }
  return { variables: { ...variables, ...read }, problems };
}

function secretIn(file: string, variable: string): string | VariableProblem {
  let content: string | undefined;
  try {
    content = contentOf(file);
  } catch {
    // What the file system says names the path, which may be the secret itself.
  }
  if (content === undefined) return unreadable(variable);
  const secret = withoutLineBreak(withoutByteOrderMark(content));
  return secret.trim() === '' ? wrong(variable, 'names a file that is empty', 'peker på en tom fil') : secret;
}

/** Undefined for what is not a regular file of a secret's size: a pipe would never end. */
function contentOf(file: string): string | undefined {
  const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(handle);
    return stat.isFile() && stat.size <= MAX_SECRET_BYTES ? readFileSync(handle, 'utf8') : undefined;
  } finally {
    closeSync(handle);
  }
}
