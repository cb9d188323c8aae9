import { redact, RequestContext } from 'nestjs-maskinporten';
import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { LogLevelName } from '../config/index.js';

/** What a line of JSON is made of, as far as numbers are concerned: strings (one may be cut off), and whole numbers of eleven digits. */
const STRING_OR_ELEVEN_DIGITS = /"(?:[^"\\]|\\.)*(?:"|$)|(?<![\d.e+-])\d{11}(?![\d.e])/gis;
/** Characters that JSON leaves as they are and that can make one line look like two, or like another (T-57). */
const DECEIVING = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * The last net under everything that is logged: the library's redactor, and characters that deceive are written as escapes.
 * Nothing should get here with a secret in it; this is for the day when it does.
 */
export function printable(line: string): string {
  const clean = line.replaceAll(
    DECEIVING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  if (!clean.startsWith('{')) return redact(clean);
  // A part of a number in JSON is not a person number, and what stands in place of a whole one has to be JSON too.
  return clean.replaceAll(STRING_OR_ELEVEN_DIGITS, (match) => {
    if (!match.startsWith('"')) return redact(`"${match}"`);
    // The closing quote stays, whatever is taken out before it.
    return match.length > 1 && match.endsWith('"') ? `"${redact(match.slice(1, -1))}"` : redact(match);
  });
}

const LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'];

/** Members whose values are secrets wherever they are. */
const SECRET_MEMBERS = [
  'access_token',
  'accessToken',
  'assertion',
  'authorization',
  'client_assertion',
  'cookie',
  'jwk',
  'passphrase',
  'password',
  'pem',
  'privateKey',
  'private_key',
  'set-cookie',
  'token',
];

/** Who writes a line for each module and each route at start. */
const FRAMEWORK: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'NestApplication',
  'NestFactory',
  'RouterExplorer',
  'RoutesResolver',
]);

/** One JSON object per line, for the collectors that read them. */
export class ServiceLogger extends ConsoleLogger {
  constructor(level: LogLevelName) {
    const threshold = LEVELS.indexOf(level === 'info' ? 'log' : level);
    super({ json: true, colors: false, logLevels: LEVELS.slice(0, threshold + 1), redact: SECRET_MEMBERS });
  }

  /** What Nest is made of is for those who look for a fault in that. */
  override log(message: unknown, ...rest: unknown[]): void {
    if (FRAMEWORK.has(rest.at(-1))) super.debug(message, ...rest);
    else super.log(message, ...rest);
  }

  /** `main` prints a failed start once, in words for the person who started it. */
  override error(message: unknown, ...rest: unknown[]): void {
    if (rest.at(-1) === 'ExceptionHandler') return;
    super.error(message, ...rest);
  }

  /** A message that is an object becomes members of the line itself, which is easier to search than a nested one. */
  protected override getJsonLogObject(
    message: unknown,
    options: Parameters<ConsoleLogger['getJsonLogObject']>[1],
  ): ReturnType<ConsoleLogger['getJsonLogObject']> {
    const line = super.getJsonLogObject(message, options);
    // The members of the line stand first and win; those of the message follow.
    const whole = isFacts(message) ? { ...line, ...message, ...line, message: message.message } : line;
    return { ...whole, ...ofRequest() };
  }

  protected override stringifyJsonLogObject(logObject: Record<string, unknown>): string {
    return printable(super.stringifyJsonLogObject(logObject));
  }
}

/**
 * The request that is being served, in every line that is written for it. The trace has the name that OpenTelemetry gives it in
 * JSON logs (https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/); `traceId` is Maskinporten's own.
 */
function ofRequest(): { readonly requestId?: string; readonly trace_id?: string } {
  const context = RequestContext.current();
  if (context === undefined) return {};
  const { requestId, traceId } = context;
  return { requestId, ...(traceId === undefined ? {} : { trace_id: traceId }) };
}

const isFacts = (message: unknown): message is Record<string, unknown> & { message: string } =>
  typeof message === 'object' &&
  message !== null &&
  'message' in message &&
  typeof message.message === 'string' &&
  !(message instanceof Error);
