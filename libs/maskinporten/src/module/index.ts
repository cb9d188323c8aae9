// The Nest module: the options of a client, and its life from the start of the application to its end.
export { MaskinportenModule } from './maskinporten.module.js';
export type { MaskinportenModuleAsyncOptions, MaskinportenModuleExtras } from './maskinporten.module.js';
export type {
  AltinnOptions,
  MaskinportenOptions,
  MaskinportenOptionsFactory,
  RetryOptions,
  TokenCacheOptions,
  TokenHttpOptions,
} from './maskinporten.options.js';
