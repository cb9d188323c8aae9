import { isPackageUrn, packageCode, type AltinnClient, type SystemUserKey } from '../../altinn/index.js';
import { type Check, outcomeOf, type Examination, type Outcome } from '../examination.js';
import {
  failed,
  good,
  skipped,
  warning,
  words,
  type Complaint,
  type Finding,
  type Topic,
} from '../../findings/index.js';
import type { ExaminedCustomer } from '../setup.js';
import { failedCall } from './altinn-call.js';
import { keyOf } from './system-user.js';

const TOPIC: Topic = { id: 'right', title: words('Right of the system user', 'Rettighet for systembrukeren') };

type Verdict = 'yes' | 'no' | { readonly unknown: string };

/** What is asked of Altinn. */
interface Question {
  readonly key: SystemUserKey;
  readonly resource: string;
  readonly action: string;
  readonly party: string;
}

/** May the system user use the resource? By the PDP where there is a subscription key, else as the system user itself. */
export async function checkRight(examination: Examination): Promise<readonly Finding[]> {
  const { customer, altinn: settings } = examination.setup;
  const systemId = settings?.systemId;
  if (customer?.resource === undefined) {
    return [
      skipped(TOPIC, words('No resource was named: give --resource.', 'Ingen ressurs er oppgitt: gi --resource.')),
    ];
  }
  if (systemId === undefined) return [skipped(TOPIC, words('No system id is set.', 'System-id er ikke satt.'))];
  const question = questionOf(customer, customer.resource);
  const altinn = await examination.altinn();
  if ('error' in altinn) return [failedCall(TOPIC, altinn.error)];
  const client = altinn.value;
  if (client === undefined) return [];
  const exact = settings?.subscriptionKey !== undefined && !isPackageUrn(question.resource);
  const verdict = await (exact ? byPdp(client, systemId, question) : byParties(client, question));
  if ('error' in verdict) {
    const { code } = verdict.error;
    return code === 'MP_SCOPE' || code === 'MP_NOT_GRANTED' ? [cannotAsk(exact)] : [failedCall(TOPIC, verdict.error)];
  }
  if (verdict.value === 'yes') return [allowed(question, exact)];
  if (verdict.value !== 'no') return [undecided(verdict.value.unknown)];
  const covered = await isAskedFor(client, systemId, question.resource);
  return [failed(TOPIC, covered ? missing(question) : notInSystem(question, systemId))];
}

/**
 * Altinn ignores resources that it does not know, so a misspelt one looks like a right that is missing
 * (Altinn, access management). A system user has at most what its system asks for; only what comes with a package is not listed there.
 */
async function isAskedFor(client: AltinnClient, systemId: string, resource: string): Promise<boolean> {
  const system = await outcomeOf(() => client.register.get(systemId));
  if ('error' in system || system.value === undefined) return true;
  const { rights, accessPackages } = system.value;
  if (isPackageUrn(resource)) return accessPackages.some((name) => packageCode(name) === packageCode(resource));
  return accessPackages.length > 0 || rights.some((entry) => entry.resource === resource);
}

function questionOf(customer: ExaminedCustomer, resource: string): Question {
  const { organisation, action = 'read', party = organisation } = customer;
  return { key: keyOf(customer), resource, action, party };
}

function byPdp(client: AltinnClient, systemId: string, { key, ...question }: Question): Promise<Outcome<Verdict>> {
  return outcomeOf(async () => {
    const systemUser = await client.systemUsers.find(systemId, key);
    if (systemUser === undefined) return { unknown: 'the system user is gone' };
    const decision = await client.pdp.authorize({ ...question, systemUserId: systemUser.id });
    if (decision.outcome === 'permit') return 'yes';
    return decision.outcome === 'no' ? 'no' : { unknown: decision.reason };
  });
}

function byParties(client: AltinnClient, { key, resource, party }: Question): Promise<Outcome<Verdict>> {
  return outcomeOf(async () => {
    const { parties } = await client.parties.withResource(key, resource);
    const found = parties.some(
      (entry) =>
        entry.organisation === party &&
        entry.hasAccess &&
        (!isPackageUrn(resource) || entry.accessPackages.includes(packageCode(resource))),
    );
    return found ? 'yes' : 'no';
  });
}

function allowed({ resource, action, party }: Question, exact: boolean): Finding {
  return good(
    TOPIC,
    exact
      ? words(`It may ${action} ${resource} for ${party}.`, `Den har ${action} på ${resource} for ${party}.`)
      : words(
          `It may use ${resource} for ${party}; which actions, only the PDP can tell.`,
          `Den kan bruke ${resource} for ${party}; hvilke handlinger vet bare PDP-en.`,
        ),
  );
}

const missing = ({ resource, action, party, key }: Question): Complaint => ({
  kind: 'missing',
  cause: words(
    `The system user of ${key.organisation} exists, but lacks the right to ${action} ${resource} for ${party}.`,
    `Systembrukeren til ${key.organisation} finnes, men mangler ${action} på ${resource} for ${party}.`,
  ),
  fix: words(
    'Send the customer a change request for the right and let it be approved; an agent has to add the client to its system user.',
    'Send kunden en endringsforespørsel om rettigheten og få den godkjent; en agent må legge klienten til systembrukeren.',
  ),
  field: 'systemUser',
  actBy: 'customer',
  pitfall: 22,
});

const notInSystem = ({ resource }: Question, systemId: string): Complaint => ({
  kind: 'not-in-system',
  cause: words(
    `The system ${systemId} does not ask for ${resource}, so no system user of it can have the right: the resource is misspelt, or was never added.`,
    `Systemet ${systemId} ber ikke om ${resource}, så ingen systembruker kan ha rettigheten: ressursen er feilskrevet, eller ble aldri lagt til.`,
  ),
  fix: words(
    'Copy the resource id from the documentation of the API (an app is app_{org}_{app}), and add it to the entry in the system register.',
    'Kopier ressurs-id-en fra dokumentasjonen til API-et (en app er app_{org}_{app}), og legg den til oppføringen i systemregisteret.',
  ),
  field: 'resource',
});

const undecided = (reason: string): Finding =>
  warning(TOPIC, {
    kind: 'undecided',
    cause: words(`Altinn gave no decision: ${reason}.`, `Altinn ga ingen avgjørelse: ${reason}.`),
    fix: words('Try again later; calls are denied meanwhile.', 'Prøv igjen senere; kall avvises imens.'),
    field: 'systemUser',
    actBy: 'digdir',
  });

function cannotAsk(exact: boolean): Finding {
  const scope = exact ? 'altinn:authorization/authorize' : 'altinn:accessmanagement/authorizedparties';
  return skipped(
    TOPIC,
    words(`The client may not ask: it lacks ${scope}.`, `Klienten kan ikke spørre: den mangler ${scope}.`),
  );
}

export const right: Check = { ...TOPIC, needs: ['client', 'system', 'system-user'], run: checkRight };
