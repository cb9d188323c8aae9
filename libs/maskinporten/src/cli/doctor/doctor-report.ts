import type { Diagnosis } from '../../doctor/index.js';
import type { Finding, FindingLevel } from '../../findings/index.js';
import type { Cli, Style } from '../cli.js';
import type { Text } from '../language.js';
import { WHO_ACTS } from '../report-failure.js';

interface LevelWords {
  readonly mark: string;
  readonly style: Style;
  readonly word: Text;
}

const LEVELS: Readonly<Record<FindingLevel, LevelWords>> = {
  failed: { mark: '✖', style: 'red', word: { en: 'failed', nb: 'feilet' } },
  warning: { mark: '!', style: 'yellow', word: { en: 'warning', nb: 'advarsel' } },
  skipped: { mark: '–', style: 'dim', word: { en: 'skipped', nb: 'utelatt' } },
  good: { mark: '✔', style: 'green', word: { en: 'good', nb: 'bra' } },
};

const CAUSE: Text = { en: 'Cause', nb: 'Årsak' };
const FIX: Text = { en: 'Fix', nb: 'Løsning' };
const WHO: Text = { en: 'Who acts', nb: 'Hvem' };
const INDENT = '  ';
const LABEL = 11;
const MAX_WIDTH = 100;

/** The report for people: what failed first, each with cause, fix and who must act. */
export function doctorLines(cli: Cli, { cause, findings }: Diagnosis): string[] {
  const counted = (Object.keys(LEVELS) as FindingLevel[])
    .map((level) => ({ level, count: findings.filter((finding) => finding.level === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => cli.style(LEVELS[level].style, `${count} ${cli.text(LEVELS[level].word)}`));
  return [
    ...findings.flatMap((finding) => findingLines(cli, finding)),
    ...(findings.at(-1)?.fix === undefined ? [''] : []),
    counted.join(', '),
    ...(cause === undefined ? [allGood(cli)] : startHere(cli, cause)),
  ];
}

function findingLines(cli: Cli, finding: Finding): string[] {
  const { level, title, cause, fix, actBy, field, pitfall, mpCode, traceId } = finding;
  const { mark, style, word } = LEVELS[level];
  const head = `${cli.style(style, `${mark} ${cli.text(word)}`)}${' '.repeat(wordWidth(cli) - cli.text(word).length)}  `;
  if (fix === undefined) {
    const column = wordWidth(cli) + 4;
    const [first = '', ...rest] = wrap(cli, `${cli.text(title)}: ${cli.text(cause)}`, column);
    return [`${head}${first}`, ...rest.map((line) => `${' '.repeat(column)}${line}`)];
  }
  const facts = [
    pitfall === undefined ? undefined : cli.text({ en: `pitfall ${pitfall}`, nb: `fallgruve ${pitfall}` }),
    mpCode,
    traceId === undefined ? undefined : `trace ${traceId}`,
  ].filter((fact) => fact !== undefined);
  const who = actBy === undefined ? '' : cli.text(WHO_ACTS[actBy]);
  return [
    `${head}${cli.style('bold', cli.text(title))}${facts.length === 0 ? '' : cli.style('dim', ` (${facts.join(', ')})`)}`,
    ...labelled(cli, CAUSE, cli.text(cause)),
    ...labelled(cli, FIX, cli.text(fix)),
    ...labelled(cli, WHO, field === undefined ? who : `${who} – ${field}`),
    '',
  ];
}

const wordWidth = (cli: Cli): number => Math.max(...Object.values(LEVELS).map(({ word }) => cli.text(word).length));

function labelled(cli: Cli, label: Text, text: string): string[] {
  const [first = '', ...rest] = wrap(cli, text, INDENT.length + LABEL);
  const name = `${cli.text(label)}:`.padEnd(LABEL);
  return [`${INDENT}${cli.style('bold', name)}${first}`, ...rest.map((line) => `${INDENT}${' '.repeat(LABEL)}${line}`)];
}

/** Lines that fit the terminal; in a file or a pipe a line is a line. */
function wrap({ io }: Cli, text: string, indent: number): string[] {
  if (!io.isTerminal) return [text];
  const width = Math.max(30, Math.min(io.columns ?? 80, MAX_WIDTH) - indent);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const allGood = (cli: Cli): string => cli.style('green', cli.text({ en: 'Nothing to fix.', nb: 'Ingenting å rette.' }));

function startHere(cli: Cli, { title, cause }: Finding): string[] {
  const start = cli.text({ en: 'Start with', nb: 'Begynn med' });
  return wrap(cli, `${start}: ${cli.text(title)} – ${cli.text(cause)}`, 0);
}
