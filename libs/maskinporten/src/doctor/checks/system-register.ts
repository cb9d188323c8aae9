import type { MaskinportenErrorCode } from '../../errors/index.js';
import { type Check, outcomeOf, type Examination } from '../examination.js';
import { failed, good, skipped, words, type Complaint, type Finding, type Topic } from '../../findings/index.js';
import { failedCall } from './altinn-call.js';

export const SYSTEM: Topic = {
  id: 'system',
  title: words('Entry in the system register', 'Oppføring i systemregisteret'),
};

const NOT_ALLOWED: ReadonlySet<MaskinportenErrorCode> = new Set(['MP_SCOPE', 'MP_NOT_GRANTED']);

/** Is the system ours, and is this client in it? */
export async function checkSystem(examination: Examination): Promise<readonly Finding[]> {
  const { clientId = '' } = examination.setup;
  const systemId = examination.setup.altinn?.systemId;
  if (systemId === undefined) {
    return [skipped(SYSTEM, words('No system id is set.', 'System-id er ikke satt.'))];
  }
  const altinn = await examination.altinn();
  if ('error' in altinn) return [failedCall(SYSTEM, altinn.error)];
  const client = altinn.value;
  if (client === undefined) return [failed(SYSTEM, NO_PLATFORM)];
  const answer = await outcomeOf(() => client.register.get(systemId));
  if ('error' in answer) {
    if (!NOT_ALLOWED.has(answer.error.code)) return [failedCall(SYSTEM, answer.error)];
    return [
      skipped(
        SYSTEM,
        words(
          'The client may not read the register: it lacks altinn:authentication/systemregister.write.',
          'Klienten kan ikke lese registeret: den mangler altinn:authentication/systemregister.write.',
        ),
      ),
    ];
  }
  if (answer.value === undefined) return [failed(SYSTEM, unknownSystem(systemId))];
  if (!answer.value.clientIds.includes(clientId)) return [failed(SYSTEM, clientNotListed(systemId))];
  return [good(SYSTEM, words(`${systemId} has this client.`, `${systemId} har denne klienten.`))];
}

export const clientNotListed = (systemId: string): Complaint => ({
  kind: 'client-missing',
  cause: words(
    `The system ${systemId} does not have this client id, so Maskinporten finds no system user for any customer.`,
    `Systemet ${systemId} har ikke denne klient-id-en, så Maskinporten finner ingen systembruker for noen kunde.`,
  ),
  fix: words(
    'Add the client id to the entry in the system register of the same environment; a client can be in one system only.',
    'Legg klient-id-en til oppføringen i systemregisteret i samme miljø; en klient kan stå på ett system.',
  ),
  field: 'ALTINN_SYSTEM_ID',
  pitfall: 20,
});

const unknownSystem = (systemId: string): Complaint => ({
  kind: 'unknown',
  cause: words(
    `You have no system ${systemId} in this environment: it is not registered, was deleted, or belongs to another organisation.`,
    `Dere har ikke noe system ${systemId} i dette miljøet: det er ikke registrert, er slettet, eller tilhører en annen virksomhet.`,
  ),
  fix: words(
    'Check the spelling; the id starts with your organisation number and an underscore. Systems of the test environment and production are separate.',
    'Kontroller stavemåten; id-en begynner med organisasjonsnummeret deres og en understrek. Systemer i testmiljøet og produksjon er adskilt.',
  ),
  field: 'ALTINN_SYSTEM_ID',
});

const NO_PLATFORM: Complaint = {
  kind: 'no-platform',
  cause: words('The address of Altinn’s platform is missing.', 'Adressen til Altinns plattform mangler.'),
  fix: words(
    'Set ALTINN_PLATFORM_URL, or MASKINPORTEN_ENVIRONMENT, which gives it.',
    'Sett ALTINN_PLATFORM_URL, eller MASKINPORTEN_ENVIRONMENT, som gir den.',
  ),
  field: 'ALTINN_PLATFORM_URL',
};

export const systemRegister: Check = { ...SYSTEM, needs: ['client', 'destinations'], run: checkSystem };
