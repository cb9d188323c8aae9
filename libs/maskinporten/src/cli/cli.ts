import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv, styleText } from 'node:util';
import { withoutByteOrderMark } from '../basics/index.js';
import type { CliIo } from './cli-io.js';
import { UsageError } from './exit.js';
import type { Language, Text } from './language.js';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** One run of the command: where it reads and writes, in which language and form. */
export class Cli {
  readonly io: CliIo;
  readonly language: Language;
  /** One JSON document on stdout instead of text for people. */
  readonly json: boolean;
  readonly #colour: boolean;
  #progress = false;

  constructor(io: CliIo, options: { readonly language: Language; readonly json: boolean }) {
    this.io = io;
    this.language = options.language;
    this.json = options.json;
    // https://no-color.org: any value but the empty one.
    this.#colour = io.isTerminal && (io.env['NO_COLOR'] ?? '') === '';
  }

  /** The sentence in the language of this run. */
  text(text: Text): string {
    return text[this.language];
  }

  /** An option of a command that takes a value. */
  option(describe: Text): { readonly type: 'string'; readonly requiresArg: true; readonly describe: string } {
    return { type: 'string', requiresArg: true, describe: this.text(describe) };
  }

  /** An option of a command that is on or off, and off by default. */
  flag(describe: Text): { readonly type: 'boolean'; readonly default: false; readonly describe: string } {
    return { type: 'boolean', default: false, describe: this.text(describe) };
  }

  /** Colours `text` in a terminal; plain everywhere else. */
  style(style: Style | readonly Style[], text: string): string {
    return this.#colour ? styleText([style].flat(), text, { validateStream: false }) : text;
  }

  /**
   * The result of a command: `document` as JSON, or the lines of `lines` for people. Called once, so that the output of
   * `--json` is one document.
   */
  report(document: unknown, lines: () => readonly string[]): void {
    this.#clearProgress();
    this.io.stdout.write(this.json ? `${JSON.stringify(document, undefined, 2)}\n` : `${lines().join('\n')}\n`);
  }

  /** A line on stderr, for what is not part of the result. */
  note(text: string): void {
    this.#clearProgress();
    this.io.stderr.write(`${text}\n`);
  }

  /** What is being done now: one line in a terminal that the next output replaces, nothing elsewhere. */
  progress(text: string): void {
    if (!this.io.isTerminal || this.json) return;
    this.#clearProgress();
    this.io.stderr.write(this.style('dim', text.slice(0, (this.io.columns ?? 80) - 1)));
    this.#progress = true;
  }

  /** Relative paths start where the command was started. */
  path(path: string): string {
    return resolve(this.io.cwd, path);
  }

  /**
   * The variables of the environment, with those of the file `envFile` where the environment has none, as `node
   * --env-file` does it.
   *
   * @throws UsageError when the file cannot be read.
   */
  async environment(envFile: string | undefined): Promise<Readonly<Record<string, string | undefined>>> {
    if (envFile === undefined) return this.io.env;
    return { ...parseEnv(withoutByteOrderMark(await this.readText(envFile))), ...this.io.env };
  }

  /**
   * The text of a file that was named on the command line.
   *
   * @throws UsageError when it cannot be read.
   */
  async readText(file: string): Promise<string> {
    try {
      return await readFile(this.path(file), 'utf8');
    } catch {
      throw new UsageError({ en: `${file} cannot be read.`, nb: `${file} kan ikke leses.` });
    }
  }

  #clearProgress(): void {
    if (this.#progress) this.io.stderr.write('\r\u001B[K');
    this.#progress = false;
  }
}
