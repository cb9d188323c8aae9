/** Variables of the command `nestjs-maskinporten`, which may stand in one `.env` with those of a service. */
const COMMAND_VARIABLES: ReadonlySet<string> = new Set([
  'MASKINPORTEN_ADMIN_CLIENT_ID',
  'MASKINPORTEN_ADMIN_KID',
  'MASKINPORTEN_ADMIN_PRIVATE_KEY',
  'MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE',
  'MASKINPORTEN_ADMIN_PRIVATE_KEY_PASSPHRASE',
  'MASKINPORTEN_ADMIN_PRIVATE_KEY_PASSPHRASE_FILE',
  'MASKINPORTEN_ADMIN_PKCS12_FILE',
  'MASKINPORTEN_ADMIN_PKCS12_PASSPHRASE',
  'MASKINPORTEN_ADMIN_PKCS12_PASSPHRASE_FILE',
  'MASKINPORTEN_ADMIN_CERTIFICATE_FILE',
  'MASKINPORTEN_SELF_SERVICE_URL',
  'MASKINPORTEN_NEW_KEY_PASSPHRASE',
  'MASKINPORTEN_NEW_KEY_PASSPHRASE_FILE',
]);

/** Whether a service that finds the variable may take it for the command's own instead of a mistyped one. */
export const isCommandVariable = (name: string): boolean => COMMAND_VARIABLES.has(name);
