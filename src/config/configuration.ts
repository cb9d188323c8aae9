import { readFileSync } from 'node:fs';
import type { DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import type { AuditStore } from 'nestjs-maskinporten';
import type { Variables } from 'nestjs-maskinporten/environment';
import type { Environment } from './environment.js';
import { readEnvironment } from './read-environment.js';

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

/** Version of the rules by which the service decides: what the setting says, or else the version of this package. */
export const rulebookVersion = ({ RULEBOOK_VERSION }: Environment): string => RULEBOOK_VERSION ?? packageVersion();

function packageVersion(): string {
  // As far from the root in `dist` as in `src`.
  const content = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(content) as { version: string }).version;
}
