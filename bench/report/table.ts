import { textOfLimit, textOfReason, textOfValue, verdictOf, type Measurement } from './measurement.js';

export const HEADINGS = ['', 'Measure', 'Ours', 'Peer', 'Ours ÷ peer', 'Target', 'Verdict', 'Reason'] as const;

export function cellsOf(measurement: Measurement): string[] {
  return [
    measurement.target === 'machine' ? '' : measurement.target,
    measurement.measure,
    measurement.ours,
    measurement.peer,
    textOfValue(measurement),
    textOfLimit(measurement),
    verdictOf(measurement),
    textOfReason(measurement),
  ];
}

/** A table for a terminal; the reason stands on a line of its own below. */
export function screenTable(measurements: readonly Measurement[]): string {
  const rows = [[...HEADINGS], ...measurements.map(cellsOf)];
  const widths = HEADINGS.slice(0, -1).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .flatMap((row, index) => {
      const reason = row.at(-1) ?? '';
      const line = widths
        .map((width, column) => (row[column] ?? '').padEnd(width))
        .join('  ')
        .trimEnd();
      if (index === 0) return [line, widths.map((width) => '─'.repeat(width)).join('  ')];
      return reason === '' ? [line] : [line, `${' '.repeat((widths[0] ?? 0) + 2)}↳ ${reason}`];
    })
    .join('\n');
}
