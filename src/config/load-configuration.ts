import type { DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import type { AuditStore } from 'nestjs-maskinporten';
import type { Environment } from './environment.js';
import { readEnvironment, type Variables } from './read-environment.js';

/** The settings of one run, and the module that makes them injectable as `ConfigService<Environment, true>`. */
export interface Configuration {
  readonly environment: Environment;
  readonly module: DynamicModule;
  /** Audit log instead of the one that the settings name, for tests of other things. */
  readonly auditStore?: AuditStore;
}

/**
 * Loads the settings from the process and from `.env` in the working directory; the process wins.
 *
 * @param variables what to read instead, for tests
 * @throws EnvironmentError
 */
export async function loadConfiguration(variables?: Variables): Promise<Configuration> {
  const loaded: { environment?: Environment } = {};
  const module = await ConfigModule.forRoot({
    isGlobal: true,
    // Only what was validated is a setting; `ConfigService.get` must not reach into the process behind it.
    skipProcessEnv: true,
    ...(variables === undefined ? {} : { ignoreEnvFile: true, ignoreEnvVars: true }),
    validate: (found) => {
      loaded.environment = readEnvironment(variables ?? found);
      return loaded.environment;
    },
  });
  if (loaded.environment === undefined) throw new Error('@nestjs/config did not validate the settings.');
  return { environment: loaded.environment, module };
}
