import { fileVariable, KEY_VARIABLES } from './key-variables.js';
import { CLIENT_SECRETS } from './secret-files.js';
import { isSet, type Variables } from './variables.js';

const VARIABLE_OF: Readonly<Record<string, string>> = {
  environment: 'MASKINPORTEN_ENVIRONMENT',
  issuer: 'MASKINPORTEN_ISSUER',
  tokenEndpoint: 'MASKINPORTEN_TOKEN_ENDPOINT',
  clientId: 'MASKINPORTEN_CLIENT_ID',
  destinations: 'MASKINPORTEN_DESTINATIONS',
  'http.maxConnections': 'MASKINPORTEN_MAX_CONNECTIONS',
  'tokens.maxEntries': 'MASKINPORTEN_MAX_ENTRIES',
  'http.allowInsecureHosts': 'MASKINPORTEN_ALLOW_INSECURE_HOSTS',
  'altinn.platformUrl': 'ALTINN_PLATFORM_URL',
  'altinn.systemId': 'ALTINN_SYSTEM_ID',
  'altinn.subscriptionKey': 'ALTINN_SUBSCRIPTION_KEY',
  'altinn.rights': 'ALTINN_SUBSCRIPTION_KEY',
  'key.pem': 'MASKINPORTEN_PRIVATE_KEY',
  'key.jwk': 'MASKINPORTEN_CLIENT_JWK',
  'key.kid': 'MASKINPORTEN_KID',
  'key.certificateFile': 'MASKINPORTEN_CERTIFICATE_FILE',
  'key.certificateChain': 'MASKINPORTEN_CERTIFICATE_FILE',
  'key.registeredAt': 'MASKINPORTEN_KEY_REGISTERED_AT',
};

/**
 * The variable that an option of the library came from: what the one who set it knows it as.
 *
 * @param variables those that are set, on which it depends when an option has several. Default: none.
 * @returns undefined for an option that no variable stands for
 * @example variableOf('key.passphrase', variables) // 'MASKINPORTEN_PKCS12_PASSPHRASE' beside MASKINPORTEN_PKCS12_FILE
 */
export function variableOf(optionPath: string, variables: Variables = {}): string | undefined {
  const parts = optionPath.replaceAll(/\[\d+\]/g, '').split('.');
  const paths = [parts.slice(0, 2).join('.'), parts[0] ?? ''];
  const name = keyVariable(paths[0] ?? '', variables) ?? paths.map((path) => VARIABLE_OF[path]).find(Boolean);
  const mounted =
    CLIENT_SECRETS.some((secret) => secret === name) && name !== undefined ? fileVariable(name) : undefined;
  return mounted !== undefined && isSet(variables, mounted) ? mounted : name;
}

/** A PKCS#12 file has variables of its own, and is one more key file to the module. */
function keyVariable(path: string, variables: Variables): string | undefined {
  if (path === 'key.passphrase') {
    return isSet(variables, 'MASKINPORTEN_PKCS12_FILE')
      ? 'MASKINPORTEN_PKCS12_PASSPHRASE'
      : 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE';
  }
  if (path !== 'key' && path !== 'key.file') return undefined;
  const files = KEY_VARIABLES.filter((name) => name.endsWith('_FILE'));
  return files.find((name) => isSet(variables, name)) ?? 'MASKINPORTEN_PRIVATE_KEY_FILE';
}
