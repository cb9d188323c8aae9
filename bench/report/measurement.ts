export type TargetId = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8' | 'P10' | 'A1' | 'machine';

/** One line of the table. */
export interface Measurement {
  readonly target: TargetId;
  readonly measure: string;
  /** Figures with their units, for the reader; what is judged is `value`. */
  readonly ours: string;
  readonly peer: string;
  /** The ratio, or the figure itself where there is no peer. Undefined: not measured. */
  readonly value?: number;
  /** Written after the value, such as ` MB`. Default ` ×`; a count has an empty one. */
  readonly unit?: string;
  readonly decimals?: number;
  /** Without a limit the line is for information. */
  readonly limit?: { readonly atMost?: number; readonly atLeast?: number };
  /** Must the limit hold on Node 20 too? */
  readonly everyNode?: boolean;
  /** Why it is missed or was not measured; printed in those two cases only. */
  readonly reason?: string;
}

export type Verdict = 'met' | 'missed' | 'not measured' | '–';

export function verdictOf({ value, limit }: Measurement): Verdict {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  if (limit === undefined) return '–';
  const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = limit;
  return value >= atLeast && value <= atMost ? 'met' : 'missed';
}

export function textOfValue({ value, unit = ' ×', decimals = 2 }: Measurement): string {
  return value === undefined || Number.isNaN(value) ? '–' : `${value.toFixed(decimals)}${unit}`;
}

export function textOfLimit({ limit, unit = ' ×', everyNode = false }: Measurement): string {
  if (limit === undefined) return '';
  const { atMost, atLeast } = limit;
  const star = everyNode ? ' *' : '';
  if (atMost !== undefined && atLeast !== undefined) {
    return atMost === atLeast ? `${atMost}${unit}${star}` : `${atLeast}–${atMost}${unit}${star}`;
  }
  return atMost === undefined ? `≥ ${atLeast}${unit}${star}` : `≤ ${atMost}${unit}${star}`;
}

export function textOfReason(measurement: Measurement): string {
  const verdict = verdictOf(measurement);
  if (verdict !== 'missed' && verdict !== 'not measured') return '';
  return measurement.reason ?? (verdict === 'missed' ? 'not explained yet' : '');
}
