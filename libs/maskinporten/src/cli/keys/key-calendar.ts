import { readFile } from 'node:fs/promises';
import { errorCode } from '../../basics/index.js';
import { calendar, type CalendarEvent } from './calendar.js';
import type { Cli } from '../cli.js';
import { CommandFailure, UsageError } from '../exit.js';
import { nameOf, type KeyReport } from './key-report.js';
import { writeNewFile } from './write-new-file.js';

/**
 * Writes the ends of keys and certificates to a calendar file.
 *
 * @throws UsageError when no end is known.
 * @throws CommandFailure when the file cannot be written, or something else than a calendar is there.
 */
export async function writeKeyCalendar(cli: Cli, path: string, reports: readonly KeyReport[]): Promise<void> {
  const events = reports.flatMap((report) => eventsOf(cli, report));
  if (events.length === 0) {
    throw new UsageError({
      en: 'Nothing to put in a calendar: the file has no certificate, so say with --registered-at when the key was uploaded.',
      nb: 'Ikke noe å legge i kalenderen: filen har ikke noe sertifikat, så si med --registered-at når nøkkelen ble lastet opp.',
    });
  }
  try {
    await writeNewFile(path, calendar(events, new Date(cli.io.now())), { mode: 0o644, force: await isCalendar(path) });
  } catch (error) {
    const code = errorCode(error) ?? '?';
    throw new CommandFailure({
      en:
        code === 'EEXIST'
          ? `${path} exists and is not a calendar: it is left as it is.`
          : `${path} cannot be written (${code}).`,
      nb:
        code === 'EEXIST'
          ? `${path} finnes og er ikke en kalender: den er ikke rørt.`
          : `Kan ikke skrive ${path} (${code}).`,
    });
  }
}

/** One that an earlier run wrote may be replaced. */
async function isCalendar(path: string): Promise<boolean> {
  try {
    return (await readFile(path, 'latin1')).startsWith('BEGIN:VCALENDAR');
  } catch {
    return false;
  }
}

function eventsOf(cli: Cli, { key, kid, ends }: KeyReport): CalendarEvent[] {
  const name = kid ?? key.thumbprint ?? '?';
  const [leaf] = key.chain;
  return ends.map(({ what, endsAt }) => {
    const isCertificate = what === 'certificate' && leaf !== undefined;
    return {
      id: isCertificate ? `certificate ${leaf.fingerprint256}` : `registered-key ${key.thumbprint ?? name}`,
      at: endsAt,
      summary: cli.text(
        isCertificate
          ? { en: 'Maskinporten: the certificate ends', nb: 'Maskinporten: sertifikatet går ut' }
          : { en: `Maskinporten: key ${name} ends`, nb: `Maskinporten: nøkkelen ${name} går ut` },
      ),
      description: cli.text(
        isCertificate
          ? {
              en: `Order and install a new enterprise certificate before this moment.\n${nameOf(leaf.subject)}\nSerial number ${leaf.serialNumber}`,
              nb: `Bestill og ta i bruk et nytt virksomhetssertifikat før dette.\n${nameOf(leaf.subject)}\nSerienummer ${leaf.serialNumber}`,
            }
          : {
              en: `The public key was registered one year before. Register it again or rotate: npx nestjs-maskinporten keys rotate\nkid ${name}`,
              nb: `Den offentlige nøkkelen ble registrert ett år før. Registrer den på nytt eller bytt: npx nestjs-maskinporten keys rotate\nkid ${name}`,
            },
      ),
    };
  });
}
