import type { Hint } from '../errors/index.js';
import { daysLeft, expiryTier, type CredentialEnd } from '../keys/index.js';
import { failed, good, skipped, warning, words, type Complaint, type Finding, type Topic } from './finding.js';

export const EXPIRY: Topic = { id: 'expiry', title: words('Expiry', 'Utløp') };

/** Certificate and registered key, each with its date; the ends are also in the status of a token service. */
export function expiryFindings(ends: readonly CredentialEnd[], nowMs: number): readonly Finding[] {
  if (ends.length === 0) {
    return [
      skipped(
        EXPIRY,
        words(
          'No date is known: set MASKINPORTEN_KEY_REGISTERED_AT to the day the key was uploaded, and you will get a warning in time.',
          'Ingen dato er kjent: sett MASKINPORTEN_KEY_REGISTERED_AT til dagen nøkkelen ble lastet opp, så får dere beskjed i tide.',
        ),
      ),
    ];
  }
  return ends.map((end) => checkEnd(end, nowMs));
}

function checkEnd(end: CredentialEnd, nowMs: number): Finding {
  const days = daysLeft(end.endsAt, nowMs);
  const tier = expiryTier(days);
  const date = end.endsAt.toISOString().slice(0, 10);
  if (tier === 'up') {
    return good(
      EXPIRY,
      end.what === 'certificate'
        ? words(
            `The certificate lasts until ${date} (${days} days).`,
            `Sertifikatet varer til ${date} (${days} dager).`,
          )
        : words(
            `The registered key lasts until ${date} (${days} days).`,
            `Den registrerte nøkkelen varer til ${date} (${days} dager).`,
          ),
    );
  }
  const complaint = end.what === 'certificate' ? certificate(days, date) : registeredKey(days, date);
  return tier === 'expired' && end.counts ? failed(EXPIRY, complaint) : warning(EXPIRY, complaint);
}

function certificate(days: number, date: string): Complaint {
  return {
    kind: days === 0 ? 'certificate-expired' : 'certificate-expires',
    cause:
      days === 0
        ? words(`The enterprise certificate expired on ${date}.`, `Virksomhetssertifikatet utløp ${date}.`)
        : words(
            `The enterprise certificate expires in ${counted(days).en}, on ${date}.`,
            `Virksomhetssertifikatet utløper om ${counted(days).nb}, ${date}.`,
          ),
    fix: words(
      'Order a new certificate from Buypass or Commfides now (delivery takes days), and put it in place of the old one.',
      'Bestill nytt sertifikat hos Buypass eller Commfides nå (levering tar dager), og bytt ut det gamle.',
    ),
    field: 'MASKINPORTEN_PRIVATE_KEY',
    pitfall: 15,
  };
}

function registeredKey(days: number, date: string): Complaint {
  return {
    kind: days === 0 ? 'key-expired' : 'key-expires',
    cause:
      days === 0
        ? words(
            `The registered key is past its year: it stopped working on ${date}.`,
            `Den registrerte nøkkelen er over ett år gammel: den sluttet å virke ${date}.`,
          )
        : words(
            `The registered key reaches its year in ${counted(days).en}, on ${date}, and stops working then.`,
            `Den registrerte nøkkelen fyller ett år om ${counted(days).nb}, ${date}, og slutter da å virke.`,
          ),
    fix: words(
      'Upload a new key beside the old one, wait two minutes, switch to it, then remove the old one; or post the same key again.',
      'Last opp en ny nøkkel ved siden av den gamle, vent to minutter, bytt til den, og fjern så den gamle; eller registrer samme nøkkel på nytt.',
    ),
    field: 'MASKINPORTEN_PRIVATE_KEY',
    pitfall: 16,
  };
}

const counted = (days: number): Hint => (days === 1 ? words('1 day', '1 dag') : words(`${days} days`, `${days} dager`));
