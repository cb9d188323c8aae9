// What is measured, and where it goes.
export { MaskinportenTelemetryModule } from './maskinporten-telemetry.module.js';
export type { MaskinportenTelemetryOptions } from './maskinporten-telemetry.module.js';
export { INSTRUMENTS } from './instrument.js';
export type { Instrument } from './instrument.js';
export type { Attributes, FinishedSpan, Measurement, TelemetrySink } from './telemetry-sink.js';
