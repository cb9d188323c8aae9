import type { Instrument } from './instrument.js';

export type Attributes = Readonly<Record<string, string | boolean>>;

export interface Measurement {
  readonly value: number;
  readonly attributes: Attributes;
}

/** Something that has happened, reported when it is over. Times are wall-clock milliseconds. */
export interface FinishedSpan {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Code of the error it ended with. */
  readonly errorType?: string;
}

/** Where measurements go: OpenTelemetry, or an adapter of your own. */
export interface TelemetrySink {
  /** Adds to a counter. */
  add(instrument: Instrument, value: number, attributes: Attributes): void;
  /** Records a value in a histogram. */
  record(instrument: Instrument, value: number, attributes: Attributes): void;
  /**
   * Reads values when somebody collects them, so that counting a cache hit costs no more than an addition.
   *
   * @returns a function that ends it
   */
  observe(instrument: Instrument, read: () => readonly Measurement[]): () => void;
  span?(span: FinishedSpan): void;
}
