import { isFinal, type AltinnClient, type SystemUserKey } from '../../altinn/index.js';
import type { Hint } from '../../errors/index.js';
import { type Check, outcomeOf, type Examination } from '../examination.js';
import { failed, good, skipped, words, type Complaint, type Finding, type Topic } from '../../findings/index.js';
import { failedCall } from './altinn-call.js';
import { SYSTEM, clientNotListed } from './system-register.js';

export const SYSTEM_USER: Topic = {
  id: 'system-user',
  title: words('System user of the customer', 'Systembruker hos kunden'),
};

/** The one spelling of a key: a reference that is the organisation's own number is the default one. */
export const keyOf = ({ organisation, externalRef }: SystemUserKey): { organisation: string; externalRef?: string } =>
  externalRef === undefined || externalRef === organisation ? { organisation } : { organisation, externalRef };

/** Does the customer have a system user for the system, and does Maskinporten find it too? */
export async function checkSystemUser(examination: Examination): Promise<readonly Finding[]> {
  const { customer, altinn: settings } = examination.setup;
  const systemId = settings?.systemId;
  if (customer === undefined) {
    return [
      skipped(
        SYSTEM_USER,
        words('No customer was named: give --organisation.', 'Ingen kunde er oppgitt: gi --organisation.'),
      ),
    ];
  }
  if (systemId === undefined) {
    return [skipped(SYSTEM_USER, words('No system id is set.', 'System-id er ikke satt.'))];
  }
  const altinn = await examination.altinn();
  if ('error' in altinn) return [failedCall(SYSTEM_USER, altinn.error)];
  const client = altinn.value;
  if (client === undefined) return [];
  const key = keyOf(customer);
  const found = await outcomeOf(() => client.systemUsers.find(systemId, key));
  // Asked as the system user itself: a grant for it is what every call will need.
  const token = await examination.token({ scopes: [examination.probe], systemUser: key });
  const refused = 'error' in token && token.error.code === 'MP_SYSTEMUSER_MISSING';
  if ('error' in found) {
    if (refused) return [failed(SYSTEM_USER, missing(key, undefined))];
    return 'value' in token ? [present(key)] : [failedCall(SYSTEM_USER, found.error)];
  }
  if (found.value === undefined) return [failed(SYSTEM_USER, missing(key, await requestOf(client, systemId, key)))];
  if (refused) return [failed(SYSTEM, clientNotListed(systemId))];
  return [present(key)];
}

const present = ({ organisation, externalRef }: SystemUserKey): Finding =>
  good(
    SYSTEM_USER,
    words(
      `${organisation} has one${externalRef === undefined ? '' : ` with the reference ${externalRef}`}.`,
      `${organisation} har en${externalRef === undefined ? '' : ` med referansen ${externalRef}`}.`,
    ),
  );

type RequestState = 'pending' | 'rejected' | undefined;

async function requestOf(client: AltinnClient, systemId: string, key: SystemUserKey): Promise<RequestState> {
  const answer = await outcomeOf(
    async () =>
      (await client.requests.findByKey('standard', systemId, key)) ??
      (await client.requests.findByKey('agent', systemId, key)),
  );
  if ('error' in answer || answer.value === undefined) return undefined;
  const { status } = answer.value;
  if (!isFinal(status)) return 'pending';
  return status === 'Rejected' || status === 'Denied' ? 'rejected' : undefined;
}

const STEPS: Readonly<Record<'none' | 'pending' | 'rejected', readonly [cause: Hint, fix: Hint]>> = {
  none: [
    words(
      'There is no system user and no request for one: it was never approved, was deleted, or was made with another reference.',
      'Det finnes ingen, og ingen forespørsel: den ble aldri godkjent, er slettet, eller ble laget med en annen referanse.',
    ),
    words(
      'Send the customer a request for a system user and let it be approved; if there is one with a reference, give --external-ref.',
      'Send kunden en forespørsel om systembruker og få den godkjent; finnes det en med referanse, oppgi --external-ref.',
    ),
  ],
  pending: [
    words('A request for one waits for the customer.', 'En forespørsel om en venter på kunden.'),
    words(
      'Somebody at the customer who may delegate the rights has to approve the request in Altinn.',
      'Noen hos kunden som kan delegere rettighetene, må godkjenne forespørselen i Altinn.',
    ),
  ],
  rejected: [
    words('The customer rejected the request for one.', 'Kunden avviste forespørselen om en.'),
    words(
      'Ask the customer why; then delete the request and send a new one.',
      'Spør kunden hvorfor; slett så forespørselen og send en ny.',
    ),
  ],
};

function missing({ organisation, externalRef }: SystemUserKey, state: RequestState): Complaint {
  const [cause, fix] = STEPS[state ?? 'none'];
  const who = externalRef === undefined ? organisation : `${organisation} (${externalRef})`;
  return {
    kind: state ?? 'missing',
    cause: words(`${who}: ${cause.en}`, `${who}: ${cause.nb}`),
    fix,
    field: 'systemUser',
    actBy: 'customer',
    pitfall: 21,
  };
}

export const systemUser: Check = { ...SYSTEM_USER, needs: ['client', 'system'], run: checkSystemUser };
