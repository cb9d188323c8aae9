import { Transform, type TransformFnParams } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsUrl, Matches, Max, Min } from 'class-validator';
import { CLIENT_VARIABLES, type EnvironmentReading } from 'nestjs-maskinporten/environment';
import { Secret } from './secret.js';

/** From quiet to talkative; `info` is another word for Nest's `log`. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'log', 'info', 'debug', 'verbose'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

const secret = ({ value }: TransformFnParams): unknown => (typeof value === 'string' ? new Secret(value) : value);
const wholeNumber = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;

const PORT_MESSAGE = { message: 'must be a port from 0 to 65535 (0 picks a free one)' };
const ApiUrl = (): PropertyDecorator =>
  IsUrl(
    { protocols: ['http', 'https'], require_protocol: true, require_tld: false, allow_query_components: false },
    { message: 'must be an http or https URL without a query' },
  );

/**
 * The settings of the service, named as the variables are; `.env.example` explains each. Made by `readEnvironment`,
 * injected as `ConfigService<Environment, true>`. Secrets are wrapped, so that nothing prints them.
 */
export class Environment {
  @IsOptional()
  NODE_ENV?: string;

  @Transform(wholeNumber)
  @IsInt(PORT_MESSAGE)
  @Min(0, PORT_MESSAGE)
  @Max(65_535, PORT_MESSAGE)
  PORT: number = 3000;

  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  LOG_LEVEL: LogLevelName = 'log';

  @IsOptional()
  @Matches(/^[\w.+-]{1,64}$/, { message: 'must be 1 to 64 letters, digits, dots, hyphens, underscores or plus signs' })
  RULEBOOK_VERSION?: string;

  @IsOptional()
  @ApiUrl()
  KRAV_OG_BETALINGER_URL?: string;

  @IsOptional()
  @ApiUrl()
  ALTINN_APP_URL?: string;

  @IsOptional()
  @ApiUrl()
  BROKER_URL?: string;

  @IsOptional()
  @Transform(secret)
  API_KEYS?: Secret;

  @IsOptional()
  API_KEYS_FILE?: string;

  @IsOptional()
  @Transform(secret)
  DATABASE_URL?: Secret;

  @IsOptional()
  DATABASE_URL_FILE?: string;

  @IsOptional()
  @Transform(secret)
  DATABASE_MIGRATION_URL?: Secret;

  @IsOptional()
  DATABASE_MIGRATION_URL_FILE?: string;

  AUDIT_DATA_DIR: string = 'var/audit';

  @IsOptional()
  AUDIT_CHECKPOINT_KEY_FILE?: string;

  /** What the variables say about the client at Maskinporten, its key included; undefined in demo mode. */
  declare maskinporten?: Secret<EnvironmentReading>;
}

const OWN_VARIABLES = Object.keys(new Environment()) as readonly (keyof Environment)[];
const BEFORE_THE_CLIENT = OWN_VARIABLES.indexOf('RULEBOOK_VERSION') + 1;

/** Names of all variables the service knows, in the order in which what is wrong with them is listed. */
export const VARIABLES: readonly string[] = [
  ...OWN_VARIABLES.slice(0, BEFORE_THE_CLIENT),
  ...CLIENT_VARIABLES,
  ...OWN_VARIABLES.slice(BEFORE_THE_CLIENT),
];

/** Nothing about Maskinporten is configured: the service runs on the simulator. */
export const isDemo = ({ maskinporten }: Environment): boolean => maskinporten === undefined;

/** There is a system in Altinn's register, so the service can act for customers. */
export const actsForCustomers = ({ maskinporten }: Environment): boolean =>
  maskinporten === undefined || maskinporten.reveal().options.altinn?.systemId !== undefined;

/** Base address of the Broker API, when it is known. */
export function brokerUrl({ BROKER_URL, maskinporten }: Environment): string | undefined {
  const platform = maskinporten?.reveal().platformUrl;
  return BROKER_URL ?? (platform === undefined ? undefined : brokerUrlBelow(platform));
}

export const brokerUrlBelow = (platform: string): string => `${platform.replace(/\/$/, '')}/broker/api/v1`;

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
