import type { Measurement } from './measurement.js';
import { cellsOf, HEADINGS } from './table.js';

const startOf = (section: string): string => `<!-- ${section}: written by npm run bench -->`;
const endOf = (section: string): string => `<!-- ${section}: end -->`;

/** Targets in the order of the table, the machine's own limits last. */
const rank = (target: string): number => (target === '' ? Number.POSITIVE_INFINITY : Number(target.slice(1)));

/**
 * Puts the last run of one Node version into the document, between its markers. Targets that were not run this time
 * keep their lines.
 */
export function withRun(
  document: string,
  run: { readonly nodeMajor: string; readonly machine: string; readonly measurements: readonly Measurement[] },
): string {
  const section = `Node ${run.nodeMajor}`;
  const [start, end] = [startOf(section), endOf(section)];
  const from = document.indexOf(start);
  const to = document.indexOf(end);
  const before = from < 0 ? `${document.trimEnd()}\n\n` : document.slice(0, from);
  const previous = from < 0 || to < from ? '' : document.slice(from, to);
  const after = from < 0 || to < from ? '\n' : document.slice(to + end.length);

  const fresh = new Set(run.measurements.map((measurement) => cellsOf(measurement)[0]));
  const kept = linesOf(previous).filter(({ target }) => !fresh.has(target));
  const lines = [...kept, ...run.measurements.map((measurement) => lineOf(cellsOf(measurement)))]
    // A stable sort: the lines of one target stay in their order.
    .toSorted((a, b) => rank(a.target) - rank(b.target));
  const table = [
    `| ${HEADINGS.join(' | ')} |`,
    `|${HEADINGS.map(() => '---').join('|')}|`,
    ...lines.map(({ text }) => text),
  ];
  return `${before}${start}\n\n## ${section}\n\n${run.machine}\n\n${table.join('\n')}\n\n${end}${after}`;
}

interface Line {
  readonly target: string;
  readonly text: string;
}

function lineOf(cells: readonly string[]): Line {
  return { target: cells[0] ?? '', text: `| ${cells.join(' | ')} |` };
}

function linesOf(section: string): Line[] {
  return section
    .split('\n')
    .filter((text) => /^\| (?:P\d+)? \|/.test(text) && !text.startsWith(`| ${HEADINGS.join(' | ')}`))
    .map((text) => ({ target: /^\| (P\d+)? \|/.exec(text)?.[1] ?? '', text }));
}
