import type { KeySetPlan, PlannedKey } from '../../self-service/index.js';
import type { Cli } from '../cli.js';
import type { Text } from '../language.js';

/** What a plan looks like in `--json`. */
export const planDocument = ({ keys, changes }: KeySetPlan): object => ({ changes, keys });

/** One line for each key: what happens to it and why. */
export function planLines(cli: Cli, { keys }: KeySetPlan): string[] {
  const width = Math.max(...keys.map(({ kid }) => kid.length));
  return keys.map((key) => {
    const [mark, style] = MARKS[key.action];
    return `  ${cli.style(style, mark)} ${key.kid.padEnd(width)}  ${cli.text(wordsOf(key))}`;
  });
}

const MARKS = {
  add: ['+', 'green'],
  renew: ['↻', 'green'],
  keep: ['=', 'dim'],
  drop: ['-', 'red'],
} as const;

function wordsOf({ action, reason, expiresAt }: PlannedKey): Text {
  const day = expiresAt?.toISOString().slice(0, 10);
  switch (action) {
    case 'add':
      return { en: 'is added, for one year', nb: 'legges til, for ett år' };
    case 'renew':
      return reason === 'expired'
        ? { en: `had ended (${day}) and gets a new year`, nb: `var utløpt (${day}) og får et nytt år` }
        : { en: 'gets a new year', nb: 'får et nytt år' };
    case 'drop':
      return reason === 'expired'
        ? { en: `goes: it ended ${day}`, nb: `tas bort: den utløp ${day}` }
        : { en: 'goes: you named it', nb: 'tas bort: du nevnte den' };
    case 'keep':
    default:
      return day === undefined ? { en: 'stays', nb: 'blir' } : { en: `stays, until ${day}`, nb: `blir, til ${day}` };
  }
}

const YEAR_MS = 365 * 24 * 3600 * 1000;

/** The settings that go with a key that is in place now; a key lives one year from the day it was registered. */
export function settingsLines({ keys }: KeySetPlan, kid: string, nowMs: number): string[] {
  const key = keys.find((planned) => planned.kid === kid);
  const registeredMs = key?.action === 'keep' ? key.expiresAt && key.expiresAt.getTime() - YEAR_MS : nowMs;
  return [
    `  MASKINPORTEN_KID=${kid}`,
    ...(registeredMs === undefined
      ? []
      : [`  MASKINPORTEN_KEY_REGISTERED_AT=${new Date(registeredMs).toISOString().slice(0, 10)}`]),
  ];
}

export const PLAN_ONLY: Text = {
  en: 'Nothing has been changed. Run it with --apply to do it.',
  nb: 'Ingenting er endret. Kjør med --apply for å gjøre det.',
};
