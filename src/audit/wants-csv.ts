const PART = /^([\w!#$&^+.*-]+\/[\w!#$&^+.*-]+)(?:;.*?\bq=([01](?:\.\d{1,3})?))?/;

/** Whether an `Accept` header (RFC 9110 §12.5.1) prefers CSV to JSON; equal wishes get JSON. */
export function prefersCsv(accept: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (accept ?? '').slice(0, 1_000).toLowerCase().split(',')) {
    const [, type, q = '1'] = PART.exec(part.trim().replaceAll(' ', '')) ?? [];
    if (type !== undefined) weights.set(type, Number(q));
  }
  const csv = weights.get('text/csv') ?? weights.get('text/*') ?? 0;
  const json = weights.get('application/json') ?? weights.get('application/*') ?? weights.get('*/*') ?? 0;
  return csv > json;
}
