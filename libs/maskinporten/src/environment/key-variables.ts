/** Where a client's key can be; only one of them may be set. */
export const KEY_VARIABLES = [
  'MASKINPORTEN_PRIVATE_KEY',
  'MASKINPORTEN_PRIVATE_KEY_FILE',
  'MASKINPORTEN_PKCS12_FILE',
  'MASKINPORTEN_CLIENT_JWK',
  'MASKINPORTEN_CLIENT_JWK_FILE',
] as const;

export type KeyVariable = (typeof KEY_VARIABLES)[number];

/** The variable that names a file with the value of `name`. */
export const fileVariable = <Name extends string>(name: Name): `${Name}_FILE` => `${name}_FILE`;
