import { ISSUER_PRESETS, environmentOfHost, mixedEnvironments, type EnvironmentName } from '../../issuer/index.js';
import { checkIssuerUrl, insecureHosts } from '../../http/index.js';
import type { Check } from '../examination.js';
import { failed, good, words, type Finding, type Topic } from '../../findings/index.js';
import type { DoctorSetup } from '../setup.js';
import { NAMES, otherEnvironment } from '../environment-names.js';

/** The issuer is the audience of every grant; the same topic when the server is asked about it. */
export const AUDIENCE: Topic = { id: 'audience', title: words('Issuer and audience', 'Issuer og audience') };

const FIELD = 'MASKINPORTEN_ISSUER';

/** The issuer as it is written, before anything is sent: environments that are mixed, and a slash too few or too many. */
export function checkIssuerSetting({ environment, issuer, tokenEndpoint, http }: DoctorSetup): Finding {
  const written = issuer ?? (environment === undefined ? undefined : ISSUER_PRESETS[environment].issuer);
  if (written === undefined) {
    return failed(AUDIENCE, {
      kind: 'missing',
      cause: words('There is neither an environment nor an issuer.', 'Det er verken angitt miljø eller issuer.'),
      fix: words('Set MASKINPORTEN_ENVIRONMENT to test or prod.', 'Sett MASKINPORTEN_ENVIRONMENT til test eller prod.'),
      field: 'MASKINPORTEN_ENVIRONMENT',
    });
  }
  const verdict = checkIssuerUrl(written, insecureHosts(http?.allowInsecureHosts));
  if ('reason' in verdict) {
    return failed(AUDIENCE, {
      kind: 'malformed',
      cause: words(`The issuer ${verdict.reason}.`, `Issueren er ikke en gyldig adresse (${verdict.reason}).`),
      fix: words(
        `Write the issuer as Digdir does: ${ISSUER_PRESETS.test.issuer} or ${ISSUER_PRESETS.prod.issuer}`,
        `Skriv issueren slik Digdir gjør: ${ISSUER_PRESETS.test.issuer} eller ${ISSUER_PRESETS.prod.issuer}`,
      ),
      field: FIELD,
    });
  }
  for (const { issuer: known } of Object.values(ISSUER_PRESETS)) {
    if (new URL(known).host === verdict.url.host && written !== known) return misspelt(written, known);
  }
  const addresses = { [FIELD]: written, MASKINPORTEN_TOKEN_ENDPOINT: tokenEndpoint };
  const entries = Object.entries(addresses).flatMap(([field, url]) => (url === undefined ? [] : [{ field, url }]));
  const [mixed] = mixedEnvironments(environment, entries);
  const stranger = entries.find(({ field }) => field === mixed?.field);
  if (stranger !== undefined)
    return mixedUp(stranger.field, environmentOfHost(new URL(stranger.url).hostname) ?? 'test');
  return good(AUDIENCE, words(`The audience will be ${written}`, `Audience blir ${written}`));
}

/** Both with a slash at the end, or one without: nothing else may differ. */
export function misspelt(written: string, right: string): Finding {
  const slash = written.replace(/\/$/, '') === right.replace(/\/$/, '');
  if (!slash) {
    return failed(AUDIENCE, {
      kind: 'not-issuer',
      cause: words(
        `${written} is not what Maskinporten calls itself, so every grant would have the wrong audience.`,
        `${written} er ikke det Maskinporten kaller seg, så alle grants ville fått feil audience.`,
      ),
      fix: words(
        `Set the issuer to ${right} – it is the issuer and not the token endpoint.`,
        `Sett issueren til ${right} – det er issueren, ikke token-endepunktet.`,
      ),
      field: FIELD,
      pitfall: 1,
    });
  }
  const few = right.endsWith('/');
  return failed(AUDIENCE, {
    kind: 'slash',
    cause: few
      ? words(
          `The slash at the end is missing: ${written} is another audience than ${right}`,
          `Skråstreken til slutt mangler: ${written} er en annen audience enn ${right}`,
        )
      : words(
          `There is a slash too much at the end: ${written} is another audience than ${right}`,
          `Det er en skråstrek for mye til slutt: ${written} er en annen audience enn ${right}`,
        ),
    fix: words(`Write the issuer exactly so: ${right}`, `Skriv issueren nøyaktig slik: ${right}`),
    field: FIELD,
    pitfall: 2,
  });
}

function mixedUp(field: string, environment: EnvironmentName): Finding {
  const found = NAMES[environment];
  const other = NAMES[otherEnvironment(environment)];
  return failed(AUDIENCE, {
    kind: 'environment',
    cause: words(
      `${field} belongs to ${found.en}, and the rest of the configuration to ${other.en}: the audience would be of the wrong environment.`,
      `${field} hører til ${found.nb}, og resten av oppsettet til ${other.nb}: audience ville blitt for feil miljø.`,
    ),
    fix: words(
      'Use one environment throughout: set MASKINPORTEN_ENVIRONMENT and remove the addresses that it already gives.',
      'Bruk ett miljø hele veien: sett MASKINPORTEN_ENVIRONMENT, og fjern adressene som følger av det.',
    ),
    field,
    pitfall: 1,
  });
}

export const issuerSetting: Check = { ...AUDIENCE, run: ({ setup }) => [checkIssuerSetting(setup)] };
