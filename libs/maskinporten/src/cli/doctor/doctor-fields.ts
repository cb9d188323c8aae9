import type { Diagnosis } from '../../doctor/index.js';
import type { Finding } from '../../findings/index.js';
import { fileVariable, KEY_VARIABLES, variableOf } from '../../environment/index.js';
import type { Variables } from '../settings.js';

/** What the doctor calls the settings of a key, and the options behind those names. */
const OPTION_OF: Readonly<Record<string, string>> = {
  MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: 'key.passphrase',
  MASKINPORTEN_PRIVATE_KEY_FILE: 'key.file',
};

/** The same diagnosis with the variables that are set: a PKCS#12 file has a passphrase of its own, a secret its file. */
export function inVariablesThatAreSet({ healthy, cause, findings }: Diagnosis, variables: Variables): Diagnosis {
  const renamed = new Map(findings.map((finding) => [finding, withField(finding, variables)]));
  const shown = cause && (renamed.get(cause) ?? cause);
  return { healthy, ...(shown === undefined ? {} : { cause: shown }), findings: [...renamed.values()] };
}

function withField(finding: Finding, variables: Variables): Finding {
  const { field } = finding;
  const name = field === undefined ? undefined : setName(field, variables);
  return name === undefined || name === field ? finding : { ...finding, field: name };
}

function setName(field: string, variables: Variables): string | undefined {
  const isSet = (name: string): boolean => (variables[name] ?? '').trim() !== '';
  if (field === 'MASKINPORTEN_PRIVATE_KEY') {
    // The usual name of the key stays, unless it came from a variable of another kind.
    return KEY_VARIABLES.find((name) => isSet(name) && !name.startsWith(field)) ?? field;
  }
  const option = OPTION_OF[field];
  if (option !== undefined) return variableOf(option, variables);
  return isSet(fileVariable(field)) ? fileVariable(field) : field;
}
