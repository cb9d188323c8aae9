import { configurationError } from '../errors/index.js';
import type { Instrument } from './instrument.js';
import type { FinishedSpan, TelemetrySink } from './telemetry-sink.js';

const SCOPE = 'nestjs-maskinporten';

/** The parts of `@opentelemetry/api` that are used; written out so that our types do not need the optional peer. */
type Api = typeof import('@opentelemetry/api');
type Meter = ReturnType<Api['metrics']['getMeter']>;
type Tracer = ReturnType<Api['trace']['getTracer']>;

/**
 * Sends measurements and spans to whatever SDK the application has registered with `@opentelemetry/api`. The package is
 * loaded here and nowhere else, so nobody who does not ask for it needs it.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) when `@opentelemetry/api` is not installed.
 */
export async function loadOpenTelemetrySink(
  load: () => Promise<unknown> = async () => importUnseen(['@opentelemetry', 'api']),
): Promise<TelemetrySink> {
  let api: Api;
  try {
    api = (await load()) as Api;
  } catch {
    throw configurationError([
      {
        field: 'telemetry',
        code: 'MP_CONFIG',
        reason:
          'needs @opentelemetry/api, which is not installed: npm install @opentelemetry/api (a bundler must leave it outside its bundle)',
      },
    ]);
  }
  return new OpenTelemetrySink(api);
}

/** An optional package, by a name that bundlers do not follow: they would stop where it is not installed. */
const importUnseen = async (name: readonly string[]): Promise<unknown> =>
  import(/* webpackIgnore: true */ /* @vite-ignore */ name.join('/'));

class OpenTelemetrySink implements TelemetrySink {
  readonly #api: Api;
  readonly #meter: Meter;
  readonly #tracer: Tracer;
  readonly #counters = new Map<string, ReturnType<Meter['createCounter']>>();
  readonly #histograms = new Map<string, ReturnType<Meter['createHistogram']>>();
  readonly #observed = new Map<string, ReturnType<Meter['createObservableGauge']>>();

  constructor(api: Api) {
    this.#api = api;
    this.#meter = api.metrics.getMeter(SCOPE);
    this.#tracer = api.trace.getTracer(SCOPE);
  }

  add(instrument: Instrument, value: number, attributes: Parameters<TelemetrySink['add']>[2]): void {
    const make = (): ReturnType<Meter['createCounter']> =>
      this.#meter.createCounter(instrument.name, optionsOf(instrument));
    madeOnce(this.#counters, instrument.name, make).add(value, { ...attributes });
  }

  record(instrument: Instrument, value: number, attributes: Parameters<TelemetrySink['record']>[2]): void {
    const make = (): ReturnType<Meter['createHistogram']> =>
      this.#meter.createHistogram(instrument.name, {
        ...optionsOf(instrument),
        ...(instrument.buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...instrument.buckets] } }),
      });
    madeOnce(this.#histograms, instrument.name, make).record(value, { ...attributes });
  }

  observe(instrument: Instrument, read: Parameters<TelemetrySink['observe']>[1]): () => void {
    const { name, kind } = instrument;
    const make = (): ReturnType<Meter['createObservableGauge']> =>
      kind === 'observed-counter'
        ? this.#meter.createObservableCounter(name, optionsOf(instrument))
        : this.#meter.createObservableGauge(name, optionsOf(instrument));
    const observed = madeOnce(this.#observed, name, make);
    const callback: Parameters<typeof observed.addCallback>[0] = (result) => {
      for (const { value, attributes } of read()) result.observe(value, { ...attributes });
    };
    observed.addCallback(callback);
    return () => observed.removeCallback(callback);
  }

  span({ name, startMs, endMs, attributes, errorType }: FinishedSpan): void {
    const { SpanKind, SpanStatusCode } = this.#api;
    const span = this.#tracer.startSpan(name, { kind: SpanKind.CLIENT, root: true, startTime: startMs });
    for (const [key, value] of Object.entries(attributes)) {
      span.setAttribute(key, typeof value === 'object' ? [...value] : value);
    }
    if (errorType !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: errorType });
    span.end(endMs);
  }
}

const optionsOf = ({ unit, description }: Instrument): { unit: string; description: string } => ({ unit, description });

function madeOnce<T>(made: Map<string, T>, name: string, make: () => T): T {
  const known = made.get(name);
  if (known !== undefined) return known;
  const fresh = make();
  made.set(name, fresh);
  return fresh;
}
