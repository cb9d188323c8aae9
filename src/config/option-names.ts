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

/** Says a failure of the module in the words of whoever sets the variables. */
export function settingFailure({ field, reason }: Failure): SettingFailure {
  const [name = '', index] = field.split(/[[\]]/);
  const variable = VARIABLE_OF[name] ?? VARIABLE_OF[name.split('.').slice(0, 2).join('.')];
  if (variable === undefined) return { variable: field, reason };
  return { variable, reason: index === undefined ? reason : `(entry ${Number(index) + 1}) ${reason}` };
}
