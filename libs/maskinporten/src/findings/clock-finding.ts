import type { ClockState } from '../issuer/index.js';
import { failed, good, warning, words, type Finding, type Topic } from './finding.js';

export const CLOCK: Topic = { id: 'clock', title: words('Clock', 'Klokke') };

/** Maskinporten accepts an `iat` this far from its own clock (Digdir, JWT grant). */
const ACCEPTED_MS = 10_000;

/** What was measured: `ServerClock` has it, and the status of a token service too. */
export interface MeasuredClock {
  readonly state: ClockState;
  /** Server time minus local time, in milliseconds. */
  readonly offsetMs: number;
}

export function clockFinding({ state, offsetMs }: MeasuredClock): Finding {
  const seconds = Math.round(Math.abs(offsetMs) / 1000);
  const far = state !== 'ok' && Math.abs(offsetMs) >= ACCEPTED_MS;
  if (state === 'ok') {
    return good(
      CLOCK,
      words('It agrees with Maskinporten to within two seconds.', 'Den stemmer med Maskinporten innen to sekunder.'),
    );
  }
  const [en, nb] = offsetMs > 0 ? ['behind', 'etter'] : ['ahead of', 'foran'];
  const help =
    state === 'refused'
      ? words(
          'This is too much to correct, so no token can be had.',
          'Det er for mye til å rette opp, så det kan ikke hentes noe token.',
        )
      : words(
          'The module signs with the time of Maskinporten meanwhile; other programs do not.',
          'Modulen signerer med Maskinportens tid imens; andre programmer gjør ikke det.',
        );
  return (far ? failed : warning)(CLOCK, {
    kind: 'skew',
    cause: words(
      `The clock of this machine is ${seconds} seconds ${en} Maskinporten's, which accepts ten. ${help.en}`,
      `Klokken på denne maskinen er ${seconds} sekunder ${nb} Maskinporten, som godtar ti. ${help.nb}`,
    ),
    fix: words('Turn on time synchronisation (NTP) on the machine.', 'Slå på tidssynkronisering (NTP) på maskinen.'),
    field: 'clock',
    pitfall: 7,
  });
}
