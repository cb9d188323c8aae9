import type { Instrument } from 'nestjs-maskinporten';

const UNIT_SUFFIX: Readonly<Record<string, string>> = { s: '_seconds', d: '_days' };

/** Name of a metric as OpenTelemetry's rules for Prometheus make it: `maskinporten_client_token_requests_total`. */
export function prometheusName({ name, unit, kind }: Pick<Instrument, 'name' | 'unit' | 'kind'>): string {
  const total = kind === 'counter' || kind === 'observed-counter' ? '_total' : '';
  return `${prometheusLabel(name)}${UNIT_SUFFIX[unit] ?? ''}${total}`;
}

export const prometheusLabel = (attribute: string): string => attribute.replaceAll(/[^a-zA-Z0-9_]/g, '_');
