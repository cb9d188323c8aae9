import { Transform, type TransformFnParams } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, IsUrl, Matches, Max, Min } from 'class-validator';
import { Secret } from './secret.js';

/** From quiet to talkative; `info` is another word for Nest's `log`. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'log', 'info', 'debug', 'verbose'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];

const secret = ({ value }: TransformFnParams): unknown => (typeof value === 'string' ? new Secret(value) : value);
const wholeNumber = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
const list = ({ value }: TransformFnParams): unknown =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== '')
    : value;

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
  @IsIn(['test', 'prod'], { message: 'must be test or prod' })
  MASKINPORTEN_ENVIRONMENT?: 'test' | 'prod';

  @IsOptional()
  MASKINPORTEN_ISSUER?: string;

  @IsOptional()
  MASKINPORTEN_TOKEN_ENDPOINT?: string;

  @IsOptional()
  MASKINPORTEN_CLIENT_ID?: string;

  @IsOptional()
  MASKINPORTEN_KID?: string;

  @IsOptional()
  @Transform(secret)
  MASKINPORTEN_PRIVATE_KEY?: Secret;

  @IsOptional()
  MASKINPORTEN_PRIVATE_KEY_FILE?: string;

  @IsOptional()
  @Transform(secret)
  MASKINPORTEN_PRIVATE_KEY_PASSPHRASE?: Secret;

  @IsOptional()
  MASKINPORTEN_PRIVATE_KEY_PASSPHRASE_FILE?: string;

  @IsOptional()
  MASKINPORTEN_PKCS12_FILE?: string;

  @IsOptional()
  @Transform(secret)
  MASKINPORTEN_PKCS12_PASSPHRASE?: Secret;

  @IsOptional()
  MASKINPORTEN_PKCS12_PASSPHRASE_FILE?: string;

  @IsOptional()
  MASKINPORTEN_CERTIFICATE_FILE?: string;

  @IsOptional()
  @IsISO8601({ strict: true }, { message: 'must be an ISO date such as 2026-01-31' })
  MASKINPORTEN_KEY_REGISTERED_AT?: string;

  @IsOptional()
  @Transform(secret)
  MASKINPORTEN_CLIENT_JWK?: Secret;

  @IsOptional()
  MASKINPORTEN_CLIENT_JWK_FILE?: string;

  @IsOptional()
  MASKINPORTEN_WELL_KNOWN_URL?: string;

  @IsOptional()
  @Transform(list)
  MASKINPORTEN_DESTINATIONS?: string[];

  @IsOptional()
  @Transform(list)
  MASKINPORTEN_ALLOW_INSECURE_HOSTS?: string[];

  /** NAIS injects it; the scopes of a call are what its handler says. */
  @IsOptional()
  MASKINPORTEN_SCOPES?: string;

  /** NAIS injects it, for services that receive tokens; this one only asks for them. */
  @IsOptional()
  MASKINPORTEN_JWKS_URI?: string;

  @IsOptional()
  @ApiUrl()
  ALTINN_PLATFORM_URL?: string;

  @IsOptional()
  ALTINN_SYSTEM_ID?: string;

  @IsOptional()
  @Transform(secret)
  ALTINN_SUBSCRIPTION_KEY?: Secret;

  @IsOptional()
  ALTINN_SUBSCRIPTION_KEY_FILE?: string;

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
}

/** Names of all variables the service knows. */
export const VARIABLES = Object.keys(new Environment()) as readonly (keyof Environment)[];

/** Nothing about Maskinporten is configured: the service runs on the simulator. */
export function isDemo(environment: Environment): boolean {
  return VARIABLES.every((name) => !name.startsWith('MASKINPORTEN_') || environment[name] === undefined);
}

/** There is a system in Altinn's register, so the service can act for customers. */
export function actsForCustomers(environment: Environment): boolean {
  return isDemo(environment) || environment.ALTINN_SYSTEM_ID !== undefined;
}
