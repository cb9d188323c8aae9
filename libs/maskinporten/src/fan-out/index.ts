// Many organisations at once: tokens and work for each, at a pace that disturbs nobody.
export { MaskinportenFanOut } from './maskinporten-fan-out.js';
export type { FanOutOptions, FanOutOutcome, FanOutProgress, FanOutWork } from './fan-out-options.js';
