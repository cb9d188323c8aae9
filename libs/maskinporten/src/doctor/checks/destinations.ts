import { checkDestination, mixedEnvironments, type EnvironmentName } from '../../issuer/index.js';
import { insecureHosts } from '../../http/index.js';
import type { Check } from '../examination.js';
import { failed, good, words, type Complaint, type Finding, type Topic } from '../../findings/index.js';
import type { DoctorSetup } from '../setup.js';

const TOPIC: Topic = { id: 'destinations', title: words('Destinations of tokens', 'Mottakere av tokens') };
const FIELD = 'MASKINPORTEN_DESTINATIONS';

/** Where tokens may go: well-formed, and of the same environment as the issuer (F-88). */
export function checkDestinations(
  { destinations = [], altinn, http }: Pick<DoctorSetup, 'destinations' | 'altinn' | 'http'>,
  environment: EnvironmentName | undefined,
): readonly Finding[] {
  const checked = destinations.map((entry) => checkDestination(entry, insecureHosts(http?.allowInsecureHosts)));
  const refused = checked.flatMap((verdict, index) =>
    'reason' in verdict ? [failed(TOPIC, malformed(index + 1, verdict.reason))] : [],
  );
  const origins = checked.flatMap((verdict) => ('origin' in verdict ? [verdict.origin] : []));
  const entries = [
    ...origins.map((url) => ({ field: FIELD, url })),
    ...(altinn?.platformUrl === undefined ? [] : [{ field: 'ALTINN_PLATFORM_URL', url: altinn.platformUrl }]),
  ];
  const mixed = mixedEnvironments(environment, entries).map(({ field }) =>
    failed(TOPIC, {
      kind: 'environment',
      cause: words(
        `${field} names a host of the other environment: its tokens are worth nothing there.`,
        `${field} peker på det andre miljøet: tokens herfra er ikke verdt noe der.`,
      ),
      fix: words('Use the address of the same environment as the issuer.', 'Bruk adressen i samme miljø som issueren.'),
      field,
    }),
  );
  if (refused.length + mixed.length > 0) return [...refused, ...mixed];
  const own = origins.join(', ');
  const preset = environment === undefined ? words('', '') : words("Altinn's hosts", 'Altinns adresser');
  const all = (name: string): string => [name, own].filter((part) => part !== '').join(', ');
  return [
    good(
      TOPIC,
      all(preset.en) === ''
        ? words('None besides the token endpoint.', 'Ingen utenom token-endepunktet.')
        : words(`${all(preset.en)}.`, `${all(preset.nb)}.`),
    ),
  ];
}

const malformed = (number: number, reason: string): Complaint => ({
  kind: 'malformed',
  cause: words(`Destination ${number} ${reason}.`, `Mottaker ${number} kan ikke brukes (${reason}).`),
  fix: words(
    'Write an exact origin: https://, the host, and the port if it is another than 443.',
    'Skriv nøyaktig adresse: https://, vertsnavn, og port hvis den ikke er 443.',
  ),
  field: FIELD,
});

export const destinations: Check = {
  ...TOPIC,
  run: (examination) => [...checkDestinations(examination.setup, examination.environment)],
};
