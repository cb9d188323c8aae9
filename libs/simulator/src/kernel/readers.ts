import { ConfigurationError, type ConfigurationProblem } from './configuration-error.js';
import { isOrganisationNumber } from './identifiers.js';

/** Turns unknown input into a typed value or throws a {@link ConfigurationError} that names the field. */
export type Reader<T> = (value: unknown, field: string) => T;

export function refuse(field: string, reason: string): never {
  throw new ConfigurationError([{ field, reason }]);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function text(pattern?: RegExp, shape = 'a non-empty string'): Reader<string> {
  return (value, field) => {
    if (typeof value !== 'string' || value === '' || (pattern && !pattern.test(value))) {
      return refuse(field, `must be ${shape}`);
    }
    return value;
  };
}

export const flag: Reader<boolean> = (value, field) =>
  typeof value === 'boolean' ? value : refuse(field, 'must be true or false');

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, field) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? value
      : refuse(field, `must be a whole number from ${min} to ${max}`);
}

export function oneOf<const T extends string>(...values: readonly T[]): Reader<T> {
  return (value, field) =>
    values.find((candidate) => candidate === value) ?? refuse(field, `must be one of ${values.join(', ')}`);
}

export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, field) => (value === undefined ? undefined : reader(value, field));
}

export function withDefault<T>(reader: Reader<T>, fallback: T): Reader<T> {
  return (value, field) => (value === undefined ? fallback : reader(value, field));
}

/** Accepts `0192:` before the number, as Altinn writes it, and keeps the bare number. */
export const organisationNumber: Reader<string> = (value, field) => {
  const bare = typeof value === 'string' ? value.replace(/^0192:/, '') : value;
  return isOrganisationNumber(bare) ? bare : refuse(field, 'must be an organisation number (9 digits, modulus 11)');
};

/** RFC 6749 §3.3 `scope-token`. */
export const scopeName = text(/^[\x21\x23-\x5B\x5D-\x7E]+$/, 'one scope without white space');

export const anything: Reader<unknown> = (value) => value;

export const anyRecord: Reader<Record<string, unknown>> = (value, field) =>
  isRecord(value) ? value : refuse(field, 'must be an object');

/** Runs every step and throws once, with the problems of all. */
function collect<T>(steps: readonly (readonly [key: string, read: () => T])[]): [string, T][] {
  const problems: ConfigurationProblem[] = [];
  const results: [string, T][] = [];
  for (const [key, read] of steps) {
    try {
      results.push([key, read()]);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return results;
}

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, field) => {
    if (!Array.isArray(value)) return refuse(field, 'must be a list');
    const entries: readonly unknown[] = value;
    return collect(
      entries.map((entry, index) => [String(index), () => item(entry, `${field}[${index}]`)] as const),
    ).map(([, result]) => result);
  };
}

type Read<S extends Record<string, Reader<unknown>>> = { readonly [K in keyof S]: ReturnType<S[K]> };

/** An object with exactly these members; an unknown member is an error, because it is most often a misspelling. */
export function record<S extends Record<string, Reader<unknown>>>(shape: S): Reader<Read<S>> {
  return (value, field) => {
    if (!isRecord(value)) return refuse(field, 'must be an object');
    const inside = (key: string): string => (field === '' ? key : `${field}.${key}`);
    const known = Object.entries(shape).map(([key, read]) => {
      const member = Object.hasOwn(value, key) ? value[key] : undefined;
      return [key, () => read(member, inside(key))] as const;
    });
    const unknown = Object.keys(value)
      .filter((key) => !Object.hasOwn(shape, key))
      .map((key) => {
        const names = Object.keys(shape).join(', ');
        return [key, (): unknown => refuse(inside(key), `is not a known member (known: ${names})`)] as const;
      });
    const result = Object.fromEntries(collect([...known, ...unknown]));
    return isComplete(result, shape) ? result : refuse(field, 'is incomplete');
  };
}

function isComplete<S extends Record<string, Reader<unknown>>>(value: object, shape: S): value is Read<S> {
  return Object.keys(shape).every((key) => Object.hasOwn(value, key));
}
