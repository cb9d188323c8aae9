import { nearestName } from '../basics/index.js';
import { isCommandVariable } from './command-variables.js';
import { isServiceLink } from './service-link.js';
import { unknown, type VariableProblem } from './variable-problem.js';
import { isSet, type Variables } from './variables.js';

/** Every variable of a client that is understood, NAIS's names among them. */
export const CLIENT_VARIABLES = [
  'MASKINPORTEN_ENVIRONMENT',
  'MASKINPORTEN_ISSUER',
  'MASKINPORTEN_ALLOW_INSECURE_HOSTS',
  'MASKINPORTEN_TOKEN_ENDPOINT',
  'MASKINPORTEN_CLIENT_ID',
  'MASKINPORTEN_PRIVATE_KEY_FILE',
  'MASKINPORTEN_PRIVATE_KEY',
  'MASKINPORTEN_KID',
  'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE',
  'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE_FILE',
  'MASKINPORTEN_CERTIFICATE_FILE',
  'MASKINPORTEN_KEY_REGISTERED_AT',
  'MASKINPORTEN_PKCS12_FILE',
  'MASKINPORTEN_PKCS12_PASSPHRASE',
  'MASKINPORTEN_PKCS12_PASSPHRASE_FILE',
  'MASKINPORTEN_CLIENT_JWK',
  'MASKINPORTEN_CLIENT_JWK_FILE',
  'MASKINPORTEN_WELL_KNOWN_URL',
  // For those who receive tokens. `MASKINPORTEN_SCOPES` is not read: each handler says which scopes it needs.
  'MASKINPORTEN_JWKS_URI',
  'MASKINPORTEN_SCOPES',
  'MASKINPORTEN_DESTINATIONS',
  'MASKINPORTEN_MAX_CONNECTIONS',
  'MASKINPORTEN_MAX_ENTRIES',
  'ALTINN_PLATFORM_URL',
  'ALTINN_SYSTEM_ID',
  'ALTINN_SUBSCRIPTION_KEY',
  'ALTINN_SUBSCRIPTION_KEY_FILE',
] as const;

/** Letters in which a misspelled name may differ. */
const MAX_EDITS = 4;

/**
 * Variables whose names begin with `MASKINPORTEN_` and that nobody reads: not a client, not the command, and not made by
 * Kubernetes for a Service called `maskinporten`.
 *
 * @param own further names that the application reads itself
 */
export function unknownVariables(variables: Variables, own: readonly string[] = []): (VariableProblem & Guess)[] {
  const known: readonly string[] = [...CLIENT_VARIABLES, ...own];
  const isKnown = (name: string): boolean =>
    known.includes(name) || isCommandVariable(name) || isServiceLink(name, variables[name]);
  return Object.keys(variables)
    .filter((name) => name.startsWith('MASKINPORTEN_') && isSet(variables, name) && !isKnown(name))
    .map((name) => {
      const guess = nearestName(name, known, MAX_EDITS);
      const [en, nb] = guess === undefined ? ['', ''] : [`; did you mean ${guess}?`, `; mente du ${guess}?`];
      // The name itself may hold a secret, when somebody forgot the sign between name and value.
      const shown = /^\w{1,80}$/.test(name) ? name : 'MASKINPORTEN_…';
      return Object.assign(unknown(shown, `is not a setting${en}`, `er ikke en innstilling${nb}`), { guess });
    });
}

interface Guess {
  /** The known name that was probably meant. */
  readonly guess: string | undefined;
}
