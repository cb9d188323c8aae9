import type { Environment } from './environment.js';

/** One setting that is missing or wrong. The reason never repeats the value. */
export interface SettingFailure {
  readonly variable: string;
  readonly reason: string;
}

/** Everything that is wrong with the environment, in one error. */
export class EnvironmentError extends Error {
  readonly failures: readonly SettingFailure[];
  /** What could be read, for further checks. */
  readonly environment: Environment | undefined;

  constructor(failures: readonly SettingFailure[], environment?: Environment) {
    super(failures.map(({ variable, reason }) => `${variable} ${reason}`).join('; '));
    this.name = 'EnvironmentError';
    this.failures = failures;
    this.environment = environment;
  }
}
