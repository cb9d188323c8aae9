export { readApiKeyEntries } from './api-key-entries.js';
export type { ApiKeyEntry } from './api-key-entries.js';
export { isPostgresUrl } from './checks.js';
export { loadConfiguration, rulebookVersion } from './configuration.js';
export type { Configuration } from './configuration.js';
export {
  actsForCustomers,
  brokerUrl,
  brokerUrlBelow,
  Environment,
  EnvironmentError,
  isDemo,
  LOG_LEVELS,
  VARIABLES,
} from './environment.js';
export type { LogLevelName, SettingFailure } from './environment.js';
export { ALTINN_APP, ALTINN_APP_PATH, KRAV_OG_BETALINGER } from './known-resources.js';
export { MaskinportenConfig, maskinportenOptions, settingFailure } from './maskinporten.config.js';
export { readEnvironment, readEnvironmentForMigration } from './read-environment.js';
