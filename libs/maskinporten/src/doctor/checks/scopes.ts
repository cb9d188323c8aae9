import { nearestName } from '../../basics/index.js';
import type { Hint, MaskinportenError } from '../../errors/index.js';
import { type Check, isScope, type Examination } from '../examination.js';
import { failed, good, skipped, words, type Complaint, type Finding, type Topic } from '../../findings/index.js';
import { KNOWN_SCOPES } from '../known-scopes.js';

const TOPIC: Topic = { id: 'scope', title: words('Scopes', 'Scopes') };

/** Asks for each scope by itself, because one that is wrong spoils a request for all. */
export async function checkScopes(examination: Examination): Promise<readonly Finding[]> {
  const { scopes = [] } = examination.setup;
  if (scopes.length === 0) {
    return [skipped(TOPIC, words('None were named: give them with --scope.', 'Ingen er oppgitt: gi dem med --scope.'))];
  }
  const findings: Finding[] = [];
  for (const scope of new Set(scopes)) findings.push(await checkScope(examination, scope));
  return findings;
}

async function checkScope(examination: Examination, scope: string): Promise<Finding> {
  if (!isScope(scope)) return failed(topicOf('?'), NOT_A_SCOPE);
  const { consumerOrg } = examination.setup;
  const topic = topicOf(scope);
  const answer = await examination.token(requestFor(scope, consumerOrg));
  if ('value' in answer) {
    const seconds = Math.round((answer.value.expiresAt.getTime() - examination.clock.wallMs()) / 1000);
    return good(topic, words(`Granted; tokens live ${seconds} seconds.`, `Tildelt; tokens varer ${seconds} sekunder.`));
  }
  const { error } = answer;
  const { mpCode, traceId } = error;
  return failed(topic, { ...(await complaintOf(examination, scope, error)), mpCode, traceId });
}

const requestFor = (scope: string, consumerOrg: string | undefined) => ({
  scopes: [scope],
  ...(consumerOrg === undefined ? {} : { consumerOrg }),
});

async function complaintOf(examination: Examination, scope: string, error: MaskinportenError): Promise<Complaint> {
  const { consumerOrg } = examination.setup;
  if (error.code === 'MP_SCOPE' && error.mpCode !== 'MP-201') return unknownScope(examination, scope);
  if (error.code === 'MP_NOT_GRANTED') return notGranted(scope, consumerOrg);
  if (error.code === 'MP_NOT_DELEGATED') return notDelegated(scope, consumerOrg ?? '');
  const ownOrganisation = error.code === 'MP_REQUEST' && consumerOrg !== undefined;
  return {
    kind: ownOrganisation ? 'consumer-org' : 'refused',
    cause: ownOrganisation
      ? words(
          `${consumerOrg} cannot be acted for with ${scope}: it is the organisation that owns the client, or the scope cannot be delegated.`,
          `${consumerOrg} kan ikke representeres med ${scope}: det er organisasjonen som eier klienten, eller scopet kan ikke delegeres.`,
        )
      : words(error.message, `Forespørselen om ${scope} feilet: ${error.message}`),
    fix: error.hint,
    field: error.failures[0]?.field ?? 'scope',
    actBy: error.actBy,
  };
}

/**
 * Maskinporten answers a misspelt scope and one that is not registered on the client alike (MP-200). A spelling that it
 * does give a token for is proof; a scope that is known to exist is not misspelt.
 */
async function unknownScope(examination: Examination, scope: string): Promise<Complaint> {
  const listed = await examination.listedScopes();
  if (listed?.includes(scope) === true) return notRegistered(scope, true);
  if (KNOWN_SCOPES.includes(scope)) return notRegistered(scope, false);
  const near = nearestName(scope, listed ?? KNOWN_SCOPES, NEAR);
  const candidates = new Set([scope.toLowerCase(), ...(near === undefined ? [] : [near])]);
  candidates.delete(scope);
  for (const candidate of candidates) {
    const answer = await examination.token({ scopes: [candidate] });
    if ('value' in answer || answer.error.code === 'MP_NOT_GRANTED') return misspelt(scope, candidate, true);
  }
  const meant = near ?? (scope === scope.toLowerCase() ? undefined : scope.toLowerCase());
  return meant === undefined ? notRegistered(scope, false) : misspelt(scope, meant, false);
}

/** Letters that may differ between a scope and the one that was meant. */
const NEAR = 3;

function misspelt(scope: string, right: string, proven: boolean): Complaint {
  const wrongCase = scope.toLowerCase() === right.toLowerCase();
  const sure = proven
    ? words(`the client has ${right}`, `klienten har ${right}`)
    : words(`you probably mean ${right}`, `det skal trolig være ${right}`);
  return {
    kind: wrongCase ? 'wrong-case' : 'misspelt',
    cause: wrongCase
      ? words(
          `${scope} is written with wrong capital and small letters: ${sure.en}.`,
          `${scope} er skrevet med feil store og små bokstaver: ${sure.nb}.`,
        )
      : words(`${scope} is misspelt: ${sure.en}.`, `${scope} er feilskrevet: ${sure.nb}.`),
    fix: words(`Write ${right}`, `Skriv ${right}`),
    field: 'scope',
    pitfall: 3,
  };
}

const notRegistered = (scope: string, exists: boolean): Complaint => ({
  kind: 'not-registered',
  cause: exists
    ? words(
        `${scope} exists, but is not registered on the client.`,
        `${scope} finnes, men er ikke registrert på klienten.`,
      )
    : words(
        `${scope} is not registered on the client (or does not exist under this name).`,
        `${scope} er ikke registrert på klienten (eller finnes ikke under dette navnet).`,
      ),
  fix: words(
    'Add the scope to the client in Digdir self-service, letter for letter.',
    'Legg scopet til på klienten i selvbetjeningen hos Digdir, bokstav for bokstav.',
  ),
  field: 'scope',
  pitfall: 4,
});

function notGranted(scope: string, consumerOrg: string | undefined): Complaint {
  const who: Hint =
    consumerOrg === undefined
      ? words('Your organisation', 'Organisasjonen deres')
      : words(`The organisation ${consumerOrg}`, `Organisasjonen ${consumerOrg}`);
  return {
    kind: 'not-granted',
    cause: words(
      `${who.en} has not been granted ${scope} by the owner of the API.`,
      `${who.nb} har ikke fått tilgang til ${scope} fra API-eieren.`,
    ),
    fix:
      consumerOrg === undefined
        ? words(
            'Ask the owner of the API to grant the scope to your organisation number; if you act for a customer by delegation, give --consumer-org.',
            'Be API-eieren gi organisasjonsnummeret deres tilgang til scopet; handler dere for en kunde ved delegering, oppgi --consumer-org.',
          )
        : words(
            'The customer has to be granted the scope by the owner of the API before it can delegate it.',
            'Kunden må få tilgang til scopet fra API-eieren før den kan delegere det.',
          ),
    field: 'scope',
    actBy: 'api-owner',
    pitfall: 5,
  };
}

const notDelegated = (scope: string, consumerOrg: string): Complaint => ({
  kind: 'not-delegated',
  cause: words(
    `${consumerOrg} has not delegated ${scope} to your organisation.`,
    `${consumerOrg} har ikke delegert ${scope} til organisasjonen deres.`,
  ),
  fix: words(
    'The customer delegates the scope to you in Altinn, under API access; it works at once.',
    'Kunden delegerer scopet til dere i Altinn, under API-tilganger; det virker med en gang.',
  ),
  field: 'consumer_org',
  actBy: 'customer',
  pitfall: 6,
});

const NOT_A_SCOPE: Complaint = {
  kind: 'malformed',
  cause: words(
    'A scope has a space, a quote or another character that no scope has.',
    'Et scope har mellomrom, anførselstegn eller et annet tegn som ingen scopes har.',
  ),
  fix: words('Give one scope at a time, without quotes.', 'Oppgi ett scope om gangen, uten anførselstegn.'),
  field: 'scope',
  pitfall: 3,
};

const topicOf = (scope: string): Topic => ({ ...TOPIC, title: words(`Scope ${scope}`, `Scope ${scope}`) });

export const scopes: Check = { ...TOPIC, needs: ['client'], run: checkScopes };
