import { NestFactory } from '@nestjs/core';
import { isMaskinportenError, MaskinportenModule } from 'nestjs-maskinporten';
import {
  EnvironmentError,
  isDemo,
  maskinportenOptions,
  settingFailure,
  type Environment,
  type SettingFailure,
} from './config/index.js';
import { printable } from './logging/index.js';

/**
 * Says why the service did not start, to the person who started it.
 *
 * @param environment the settings, if they could be read
 */
export async function explainStartFailure(error: unknown, environment?: Environment): Promise<string> {
  const failures = await failuresOf(error, environment);
  if (failures === undefined) return printable(`The service could not start: ${sentenceOf(error)}\n`);
  const width = Math.max(...failures.map(({ variable }) => variable.length));
  const lines = failures.map(({ variable, reason }) => `  ${variable.padEnd(width)}  ${reason}`);
  const count = failures.length === 1 ? 'One setting is' : `${failures.length} settings are`;
  return printable(
    `The service could not start. ${count} missing or wrong:\n\n${lines.join('\n')}\n\nEvery setting is explained in .env.example.\n`,
  );
}

async function failuresOf(
  error: unknown,
  environment: Environment | undefined,
): Promise<readonly SettingFailure[] | undefined> {
  if (error instanceof EnvironmentError) return withModuleFailures(error);
  if (isMaskinportenError(error)) return error.failures.map((failure) => settingFailure(failure, environment));
  return undefined;
}

/** The environment was refused before the module saw it; the module is asked too, so that one start shows everything. */
async function withModuleFailures({ failures, environment }: EnvironmentError): Promise<readonly SettingFailure[]> {
  if (environment === undefined || isDemo(environment)) return failures;
  try {
    const options = maskinportenOptions(environment);
    const app = await NestFactory.createApplicationContext(MaskinportenModule.forRoot(options), {
      logger: false,
      abortOnError: false,
    });
    await app.close();
    return failures;
  } catch (error) {
    const more = isMaskinportenError(error)
      ? error.failures.map((failure) => settingFailure(failure, environment))
      : error instanceof EnvironmentError
        ? error.failures
        : [];
    const known = new Set(failures.map(({ variable }) => variable));
    return [...failures, ...more.filter(({ variable }) => !known.has(variable))];
  }
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && error.code === 'EADDRINUSE')
    return `${error.message}. Set PORT to another port, or to 0 for a free one.`;
  return error.stack ?? error.message;
}
