import { format, inspect } from 'node:util';
import { ConsoleLogger, HttpException } from '@nestjs/common';
import { deepText, textsWithin } from './outbound.fixtures.js';

/** Every way an error or an answer usually reaches a log, a screen or another process. */
export const SINKS: readonly (readonly [name: string, print: (value: unknown) => string])[] = [
  ['String', (value) => String(value)],
  ['message and stack', (value) => (value instanceof Error ? `${value.message}\n${value.stack}` : '')],
  ['deep inspect with hidden properties and getters', (value) => deepText(value)],
  ['JSON', (value) => safeJson(value)],
  ['toJSON', (value) => safeJson(hasToJson(value) ? value.toJSON() : null)],
  ['clone', (value) => inspect(clone(value), { depth: 10 })],
  ['format', (value) => format('%s %o %O %j', value, value, value, 'x')],
  ['cause chain', (value) => deepText(value instanceof Error ? value.cause : undefined)],
  ['Nest text logger', (value) => nestLog({ json: false }, value)],
  ['Nest JSON logger', (value) => nestLog({ json: true }, value)],
  ['every member that can be reached', (value) => [...textsWithin(value, false)].join('\n')],
  ['HttpException around it', (value) => deepText(new HttpException('x', 502, { cause: value }))],
];

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

function clone(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return undefined;
  }
}

const hasToJson = (value: unknown): value is { toJSON(): unknown } =>
  typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function';

/** What Nest's own logger writes, for each way people hand it an error. */
function nestLog(options: { json: boolean }, value: unknown): string {
  const written: string[] = [];
  class Capture extends ConsoleLogger {
    protected override printMessages(messages: unknown[], ...rest: unknown[]): void {
      written.push(...messages.map((message) => inspect(message, { depth: 10 })), ...rest.map((part) => format(part)));
    }
    protected override printAsJson(message: unknown, printed: Parameters<ConsoleLogger['printAsJson']>[1]): void {
      written.push(safeJson(this.getJsonLogObject(message, printed)));
    }
    protected override printStackTrace(stack: string): void {
      written.push(stack);
    }
  }
  const logger = new Capture('test', { ...options, colors: false });
  logger.error('failed', value);
  logger.error(value);
  logger.error({ err: value });
  logger.error('failed', value instanceof Error ? value.stack : undefined);
  return written.join('\n');
}

/** Does this sink show the text? One sink alone, because all of them take half a minute for what holds an agent. */
export const shows = (sink: string, value: unknown, text: string): boolean =>
  SINKS.some(([name, print]) => name === sink && print(value).includes(text));

/** The sinks that show one of these texts. */
export const leaksOf = (value: unknown, ...secrets: readonly string[]): string[] =>
  SINKS.filter(([, print]) => {
    const text = print(value);
    return secrets.some((secret) => text.includes(secret));
  }).map(([name]) => name);
