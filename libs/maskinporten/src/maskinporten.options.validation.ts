import {
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  Max,
  Min,
  ValidateBy,
  ValidateNested,
  validateSync,
  type ValidationError,
} from 'class-validator';
import { nearestName } from './basics/index.js';
import type { Failure } from './errors/index.js';
import { parseOrganisationNumber } from './grants/index.js';
import { checkIssuerUrl, checkProxy, checkUrl, insecureHosts, type InsecureHosts } from './issuer/index.js';
import { checkDestination } from './outbound/index.js';

/** A check with its own words; it returns what is wrong, without repeating the value. */
function Satisfies(check: (value: unknown, insecure?: InsecureHosts) => string | undefined): PropertyDecorator {
  return ValidateBy({
    name: 'satisfies',
    validator: {
      validate: (value, argument) => check(value, insecureIn(argument?.object)) === undefined,
      defaultMessage: (argument) => check(argument?.value, insecureIn(argument?.object)) ?? '',
    },
  });
}

/** Where a shape keeps which hosts may be spoken to over `http:`. A symbol, so that it is no option. */
const INSECURE = Symbol('insecureHosts');
const insecureIn = (shape: object | undefined): InsecureHosts | undefined =>
  shape && (Object.getOwnPropertyDescriptor(shape, INSECURE)?.value as InsecureHosts | undefined);

const reasonOf = (verdict: object): string | undefined =>
  'reason' in verdict && typeof verdict.reason === 'string' ? verdict.reason : undefined;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? undefined : 'must be a text that is not empty';
const url = (value: unknown, insecure?: InsecureHosts): string | undefined => reasonOf(checkUrl(value, insecure));
const wholeNumber = { message: 'must be a whole number' };
const between =
  (least: number, most: number): PropertyDecorator =>
  (target, property) => {
    const message = `must be between ${least} and ${most}`;
    for (const decorate of [IsInt(wholeNumber), Min(least, { message }), Max(most, { message })])
      decorate(target, property);
  };

class TokensShape {
  @IsOptional()
  @Satisfies((value) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((share) => typeof share === 'number' && share > 0 && share < 1) &&
    value[0] <= value[1]
      ? undefined
      : 'must be two shares of a life between 0 and 1, such as [0.5, 0.75]',
  )
  refreshAt: unknown;
  @IsOptional()
  @between(1, 1_000_000)
  maxEntries: unknown;
}

class RetryShape {
  @IsOptional()
  @between(1, 10)
  attempts: unknown;
  @IsOptional()
  @between(1, 60_000)
  attemptTimeoutMs: unknown;
  @IsOptional()
  @between(1, 300_000)
  deadlineMs: unknown;
}

class HttpShape {
  @IsOptional()
  @Satisfies((value) => {
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const good = list.length > 0 && list.every((entry) => typeof entry === 'string' || Buffer.isBuffer(entry));
    return good ? undefined : 'must be PEM certificates as text or Buffer';
  })
  ca: unknown;
  @IsOptional()
  @Satisfies((value) => (value === 'environment' ? undefined : reasonOf(checkProxy(value))))
  proxy: unknown;
  /** Looked at with the issuer. */
  @IsOptional()
  allowInsecureHosts: unknown;
}

class AltinnShape {
  @IsOptional()
  @Satisfies(url)
  platformUrl: unknown;
  @IsOptional()
  @Satisfies(text)
  systemId: unknown;
  @IsOptional()
  @Satisfies(text)
  subscriptionKey: unknown;
  @IsOptional()
  @Satisfies(url)
  appUrl: unknown;
  @IsOptional()
  @IsIn(['pdp', 'authorized-parties', 'accepted-request'], {
    message: 'must be pdp, authorized-parties or accepted-request',
  })
  rights: unknown;
  @IsOptional()
  @IsBoolean({ message: 'must be true or false' })
  allowAnyCaller: unknown;
}

class OptionsShape {
  @IsOptional()
  @IsIn(['test', 'prod'], { message: 'must be test or prod' })
  environment: unknown;
  @IsOptional()
  @Satisfies((value, insecure) => reasonOf(checkIssuerUrl(value, insecure)))
  issuer: unknown;
  @IsOptional()
  @Satisfies(url)
  tokenEndpoint: unknown;
  @Satisfies(text)
  clientId: unknown;
  @Satisfies((value) =>
    typeof value === 'object' && value !== null
      ? undefined
      : 'must be a key source, such as { file } or { pem, kid }, or a list of them',
  )
  key: unknown;
  @IsOptional()
  @Satisfies((value) =>
    parseOrganisationNumber(value) === undefined
      ? 'must be an organisation number (nine digits that pass modulus 11)'
      : undefined,
  )
  organisation: unknown;
  @IsOptional()
  @Satisfies((value) => (Array.isArray(value) ? undefined : 'must be a list of origins'))
  destinations: unknown;
  @IsOptional()
  @ValidateNested({ message: 'must be an object' })
  altinn: unknown;
  @IsOptional()
  @ValidateNested({ message: 'must be an object' })
  tokens: unknown;
  @IsOptional()
  @ValidateNested({ message: 'must be an object' })
  retry: unknown;
  @IsOptional()
  @ValidateNested({ message: 'must be an object' })
  http: unknown;
}

const NESTED = { altinn: AltinnShape, tokens: TokensShape, retry: RetryShape, http: HttpShape } as const;

/**
 * Checks the options as a user writes them and lists everything that is wrong, unknown names included. It looks at own
 * properties only and does not keep them. Keys are checked when they are loaded.
 */
export function validateOptions(options: unknown): Failure[] {
  if (typeof options !== 'object' || options === null) return [failure('options', 'must be an object')];
  const insecure = insecureHosts(listedIn(options));
  const shape: object = Object.assign(new OptionsShape(), options);
  Object.defineProperty(shape, INSECURE, { value: insecure });
  for (const [name, Shape] of Object.entries(NESTED)) {
    const value: unknown = Reflect.get(shape, name);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      Reflect.set(shape, name, Object.defineProperty(Object.assign(new Shape(), value), INSECURE, { value: insecure }));
    }
  }
  const errors = validateSync(shape, { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  return [
    ...errors.flatMap((error) => failuresOf(error, '', Object.keys(new OptionsShape()))),
    ...wrongDestinations(options, insecure),
  ];
}

function failuresOf(error: ValidationError, path: string, known: readonly string[]): Failure[] {
  const field = path === '' ? error.property : `${path}.${error.property}`;
  const own = Object.entries(error.constraints ?? {});
  const unknown = own.some(([rule]) => rule === 'whitelistValidation');
  const reasons = unknown ? [unknownName(error.property, known)] : own.map(([, message]) => message);
  const inner = Object.hasOwn(NESTED, error.property)
    ? Object.keys(new NESTED[error.property as keyof typeof NESTED]())
    : [];
  return [
    ...[...new Set(reasons)].slice(0, 1).map((reason) => failure(printable(field), reason)),
    ...(error.children ?? []).flatMap((child) => failuresOf(child, field, inner)),
  ];
}

function unknownName(name: string, known: readonly string[]): string {
  const guess = nearestName(name, known);
  return guess === undefined
    ? `is not an option; known are ${known.join(', ')}`
    : `is not an option; did you mean ${guess}?`;
}

function listedIn(options: object): unknown {
  const http: unknown = Object.getOwnPropertyDescriptor(options, 'http')?.value;
  if (typeof http !== 'object' || http === null) return undefined;
  return Object.getOwnPropertyDescriptor(http, 'allowInsecureHosts')?.value;
}

function wrongDestinations(options: object, insecure: InsecureHosts): Failure[] {
  const list: unknown = 'destinations' in options ? options.destinations : undefined;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) => {
    const reason = reasonOf(checkDestination(entry, insecure));
    return reason === undefined ? [] : [failure(`destinations[${index}]`, reason)];
  });
}

const failure = (field: string, reason: string): Failure => ({ field, code: 'MP_CONFIG', reason });
/** The name of an unknown option is the user's text, and ends up in logs. */
const printable = (field: string): string => (/^[\w.[\]-]{1,80}$/.test(field) ? field : '(unprintable name)');
