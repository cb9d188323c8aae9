import {
  type Instrument,
  INSTRUMENTS,
  type Attributes,
  type Measurement,
  type TelemetrySink,
} from 'nestjs-maskinporten';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

const UNIT_SUFFIX: Readonly<Record<string, string>> = { s: '_seconds', d: '_days' };

/** Name of a metric as OpenTelemetry's rules for Prometheus make it: `maskinporten_client_token_requests_total`. */
export function prometheusName({ name, unit, kind }: Pick<Instrument, 'name' | 'unit' | 'kind'>): string {
  const total = kind === 'counter' || kind === 'observed-counter' ? '_total' : '';
  return `${prometheusLabel(name)}${UNIT_SUFFIX[unit] ?? ''}${total}`;
}

export const prometheusLabel = (attribute: string): string => attribute.replaceAll(/[^a-zA-Z0-9_]/g, '_');

type Reader = () => readonly Measurement[];

/** Keeps the measurements of the Maskinporten module for Prometheus. Every metric is there from the start, at nothing. */
export class PrometheusSink implements TelemetrySink {
  readonly registry = new Registry();
  readonly #counters = new Map<Instrument, Counter>();
  readonly #histograms = new Map<Instrument, Histogram>();
  readonly #readers = new Map<Instrument, Set<Reader>>();

  constructor(instruments: readonly Instrument[] = Object.values(INSTRUMENTS)) {
    for (const instrument of instruments) this.#register(instrument);
  }

  add(instrument: Instrument, value: number, attributes: Attributes): void {
    this.#counters.get(instrument)?.inc(labelsOf(attributes), value);
  }

  record(instrument: Instrument, value: number, attributes: Attributes): void {
    this.#histograms.get(instrument)?.observe(labelsOf(attributes), value);
  }

  observe(instrument: Instrument, read: Reader): () => void {
    const readers = this.#readers.get(instrument);
    readers?.add(read);
    return () => readers?.delete(read);
  }

  #register(instrument: Instrument): void {
    const base = {
      name: prometheusName(instrument),
      help: instrument.description,
      labelNames: instrument.attributes.map(prometheusLabel),
      registers: [this.registry],
    };
    switch (instrument.kind) {
      case 'counter':
        this.#counters.set(instrument, new Counter(base));
        break;
      case 'histogram': {
        const buckets = [...(instrument.buckets ?? [])];
        this.#histograms.set(instrument, new Histogram({ ...base, buckets }));
        break;
      }
      case 'observed-counter': {
        const readers = this.#readersOf(instrument);
        const counter: Counter = new Counter({
          ...base,
          collect: () => {
            counter.reset();
            for (const { value, attributes } of readAll(readers)) counter.inc(labelsOf(attributes), value);
          },
        });
        break;
      }
      case 'observed-gauge': {
        const readers = this.#readersOf(instrument);
        const gauge: Gauge = new Gauge({
          ...base,
          collect: () => {
            gauge.reset();
            for (const { value, attributes } of readAll(readers)) gauge.set(labelsOf(attributes), value);
          },
        });
        break;
      }
    }
  }

  #readersOf(instrument: Instrument): ReadonlySet<Reader> {
    const readers = new Set<Reader>();
    this.#readers.set(instrument, readers);
    return readers;
  }
}

const readAll = (readers: ReadonlySet<Reader>): readonly Measurement[] => [...readers].flatMap((read) => read());

const labelsOf = (attributes: Attributes): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prometheusLabel(name), String(value)]));
