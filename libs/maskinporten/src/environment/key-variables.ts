import { readFileSync } from 'node:fs';
import { withoutUndefined } from '../basics/index.js';
import type { KeySource } from '../keys/index.js';
import { besides, missing, unreadable, type VariableProblem } from './variable-problem.js';
import { settingOf, type Variables } from './variables.js';

/** Where a client's key can be; only one of them may be set. */
export const KEY_VARIABLES = [
  'MASKINPORTEN_PRIVATE_KEY',
  'MASKINPORTEN_PRIVATE_KEY_FILE',
  'MASKINPORTEN_PKCS12_FILE',
  'MASKINPORTEN_CLIENT_JWK',
  'MASKINPORTEN_CLIENT_JWK_FILE',
] as const;

/** The variable that names a file with the value of `name`. */
export const fileVariable = <Name extends string>(name: Name): `${Name}_FILE` => `${name}_FILE`;

export interface KeyReading {
  /** Undefined when no variable names a key, or several do. */
  readonly key: KeySource | undefined;
  readonly problems: readonly VariableProblem[];
}

/**
 * Where the variables say that the key is; secrets in mounted files have been read already (`withSecretFiles`).
 *
 * @param path makes a relative path absolute
 */
export function readKeyVariables(variables: Variables, path = (file: string): string => file): KeyReading {
  const of = (name: string): string | undefined => settingOf(variables, name);
  const [name, ...others] = KEY_VARIABLES.filter((each) => of(each) !== undefined);
  if (name === undefined) return { key: undefined, problems: [NO_KEY] };
  if (others.length > 0) return { key: undefined, problems: others.map((other) => besides(other, name)) };
  const value = of(name) ?? '';
  const common = withoutUndefined({ kid: of('MASKINPORTEN_KID'), registeredAt: of('MASKINPORTEN_KEY_REGISTERED_AT') });
  if (name === 'MASKINPORTEN_CLIENT_JWK') return { key: { jwk: value, ...common }, problems: [] };
  // A PKCS#12 file holds its certificates and has a passphrase of its own; a JWK needs neither.
  const isPrivateKey = name.startsWith('MASKINPORTEN_PRIVATE_KEY');
  const certificate = isPrivateKey ? of('MASKINPORTEN_CERTIFICATE_FILE') : undefined;
  const passphrase = of(isPrivateKey ? 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE' : 'MASKINPORTEN_PKCS12_PASSPHRASE');
  if (name !== 'MASKINPORTEN_PRIVATE_KEY') {
    const certificateFile = certificate === undefined ? undefined : path(certificate);
    const sealed = name === 'MASKINPORTEN_CLIENT_JWK_FILE' ? {} : { passphrase, certificateFile };
    return { key: { file: path(value), ...common, ...withoutUndefined(sealed) }, problems: [] };
  }
  const certificateChain = certificate === undefined ? undefined : contentOf(path(certificate));
  return {
    // Whether it is PEM, a JWK or the base64 of either is found out where keys are loaded.
    key: { pem: value, ...common, ...withoutUndefined({ passphrase, certificateChain }) },
    problems: certificate !== undefined && certificateChain === undefined ? [UNREADABLE_CHAIN] : [],
  };
}

const UNREADABLE_CHAIN = unreadable('MASKINPORTEN_CERTIFICATE_FILE');
const NO_KEY = missing(
  'MASKINPORTEN_PRIVATE_KEY_FILE',
  'is missing: set it to the path of the private key (or set MASKINPORTEN_PRIVATE_KEY)',
  'mangler: sett den til stien til den private nøkkelen (eller sett MASKINPORTEN_PRIVATE_KEY)',
);

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
