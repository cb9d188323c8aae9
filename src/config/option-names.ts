import type { Failure } from 'nestjs-maskinporten';
import type { SettingFailure } from './environment-error.js';
import type { Environment } from './environment.js';

const VARIABLE_OF: Readonly<Record<string, keyof Environment>> = {
  environment: 'MASKINPORTEN_ENVIRONMENT',
  issuer: 'MASKINPORTEN_ISSUER',
  tokenEndpoint: 'MASKINPORTEN_TOKEN_ENDPOINT',
  clientId: 'MASKINPORTEN_CLIENT_ID',
  destinations: 'MASKINPORTEN_DESTINATIONS',
  'altinn.platformUrl': 'ALTINN_PLATFORM_URL',
  'altinn.systemId': 'ALTINN_SYSTEM_ID',
  'altinn.subscriptionKey': 'ALTINN_SUBSCRIPTION_KEY',
  'altinn.rights': 'ALTINN_SUBSCRIPTION_KEY',
  key: 'MASKINPORTEN_PRIVATE_KEY_FILE',
  'key.pem': 'MASKINPORTEN_PRIVATE_KEY',
  'key.file': 'MASKINPORTEN_PRIVATE_KEY_FILE',
  'key.jwk': 'MASKINPORTEN_CLIENT_JWK',
  'key.kid': 'MASKINPORTEN_KID',
  'key.passphrase': 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE',
  'key.certificateFile': 'MASKINPORTEN_CERTIFICATE_FILE',
  'key.certificateChain': 'MASKINPORTEN_CERTIFICATE_FILE',
  'key.registeredAt': 'MASKINPORTEN_KEY_REGISTERED_AT',
};

/** A PKCS#12 file has variables of its own, and is one more key file to the module. */
const PKCS12_VARIABLE_OF: typeof VARIABLE_OF = {
  key: 'MASKINPORTEN_PKCS12_FILE',
  'key.file': 'MASKINPORTEN_PKCS12_FILE',
  'key.passphrase': 'MASKINPORTEN_PKCS12_PASSPHRASE',
};

/** Says a failure of the module in the words of whoever sets the variables. */
export function settingFailure({ field, reason }: Failure, environment?: Environment): SettingFailure {
  const variables =
    environment?.MASKINPORTEN_PKCS12_FILE === undefined ? VARIABLE_OF : { ...VARIABLE_OF, ...PKCS12_VARIABLE_OF };
  const [name = '', index] = field.split(/[[\]]/);
  const variable = variables[name] ?? variables[name.split('.').slice(0, 2).join('.')];
  if (variable === undefined) return { variable: field, reason };
  return { variable, reason: index === undefined ? reason : `(entry ${Number(index) + 1}) ${reason}` };
}
