import { defineCommand } from '../define-command.js';
import { UsageError } from '../exit.js';
import { writeKeyCalendar } from './key-calendar.js';
import { keyFileFindings, worstOf } from './key-findings.js';
import { readKeyInput, type KeyInput } from './key-input.js';
import { keyFileOptions } from './command-options.js';
import { findingLine, keyDocument, keyLines, keyReport } from './key-report.js';

export const keysInspect = defineCommand((cli) => ({
  command: 'inspect [file]',
  describe: {
    en: 'Tell what a key or certificate file is, when it ends, and where it may be used',
    nb: 'Fortell hva en nøkkel- eller sertifikatfil er, når den går ut, og hvor den kan brukes',
  },
  build: (yargs) =>
    keyFileOptions(cli, yargs)
      .option(
        'registered-at',
        cli.option({
          en: 'Date when the public key was uploaded: it lives one year from then',
          nb: 'Datoen den offentlige nøkkelen ble lastet opp: den varer ett år derfra',
        }),
      )
      .option(
        'ics',
        cli.option({
          en: 'Write a calendar file with the ends, and alarms 60, 30, 7 and 1 days before',
          nb: 'Skriv en kalenderfil med utløpene, og varsler 60, 30, 7 og 1 dag før',
        }),
      ),
  run: async ({ file, passphraseFile, kid, envFile, registeredAt, ics }) => {
    const given = registeredAt === undefined ? undefined : dateOf(registeredAt, '--registered-at');
    const input = await readKeyInput(cli, { file, passphraseFile, envFile });
    const known =
      given ??
      (input.registeredAt === undefined ? undefined : dateOf(input.registeredAt, 'MASKINPORTEN_KEY_REGISTERED_AT'));
    const reports = input.inspection.keys.map((key) =>
      keyReport(key, { kid: kid ?? input.kid, registeredAt: known, nowMs: cli.io.now() }),
    );
    const findings = keyFileFindings(input);
    if (ics !== undefined) await writeKeyCalendar(cli, cli.path(ics), reports);
    const state = worstOf([...findings, ...reports].map((one) => one.state));
    const document = {
      file: input.name,
      state,
      format: input.inspection.format,
      ...(input.inspection.labels.length === 0 ? {} : { labels: input.inspection.labels }),
      findings: findings.map(({ id, state: one, text }) => ({ id, state: one, text: cli.text(text) })),
      keys: reports.map((report) => keyDocument(cli, report)),
      ...(ics === undefined ? {} : { calendar: cli.path(ics) }),
    };
    cli.report(document, () => [
      `${cli.style('bold', input.name)}: ${describe(input)}`,
      ...findings.map((one) => findingLine(cli, one)),
      ...reports.flatMap((report) => keyLines(cli, report)),
      ...(ics === undefined
        ? []
        : ['', cli.text({ en: `Calendar: ${cli.path(ics)}`, nb: `Kalender: ${cli.path(ics)}` })]),
    ]);
    return state === 'failed' ? 1 : 0;
  },
}));

const FORMATS = { pem: 'PEM', jwk: 'JWK', 'jwk-set': 'JWK set', pkcs12: 'PKCS#12', der: 'DER' } as const;

/** `PEM (PRIVATE KEY, 3 × CERTIFICATE)` */
function describe({ inspection }: KeyInput): string {
  const { format, labels, keys, certificates } = inspection;
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const parts =
    labels.length > 0
      ? [...counts].map(([label, count]) => (count === 1 ? label : `${count} × ${label}`))
      : [`keys: ${keys.length}`, `certificates: ${certificates.length}`];
  return `${FORMATS[format]} (${parts.join(', ')})`;
}

function dateOf(text: string, name: string): Date {
  const date = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]{5,15}(?:Z|[+-]\d{2}:?\d{2})?)?$/.test(text) ? new Date(text) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) {
    throw new UsageError({
      en: `${name} must be an ISO date such as 2026-01-31.`,
      nb: `${name} må være en ISO-dato som 2026-01-31.`,
    });
  }
  return date;
}
