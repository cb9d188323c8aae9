import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createError } from '../errors/index.js';
import { runInProcess, type CliRunOptions } from './cli.fixtures.js';
import { defineCommand, type Command } from './define-command.js';
import { CommandFailure } from './exit.js';

const greet = defineCommand((cli) => ({
  command: 'greet <name>',
  describe: { en: 'Greet somebody', nb: 'Hils på noen' },
  build: (yargs) => yargs.positional('name', { type: 'string', demandOption: true }),
  run: async ({ name, envFile }) => {
    cli.progress('thinking …');
    const { GREETING = 'Hello' } = await cli.environment(envFile);
    const text = cli.text({ en: `${GREETING} ${name}`, nb: `Hei ${name}` });
    cli.report({ name, text }, () => [cli.style('bold', text)]);
    return name === 'nobody' ? 1 : 0;
  },
}));
const failing = (thrown: Error): Command =>
  defineCommand(() => ({
    command: 'fail',
    describe: { en: 'Fail', nb: 'Feil' },
    run: async () => {
      throw thrown;
    },
  }));

const run = async (args: string[], options: CliRunOptions = {}): ReturnType<typeof runInProcess> =>
  runInProcess(args, { commands: [greet], ...options });

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maskinporten-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('prints text for people, and nothing else, where there is no terminal', async () => {
    expect(await run(['greet', 'Kari'])).toMatchObject({ exitCode: 0, stdout: 'Hello Kari\n', stderr: '' });
  });

  it('--json prints one document', async () => {
    const { document, stderr } = await run(['greet', 'Kari', '--json']);
    expect(document).toEqual({ name: 'Kari', text: 'Hello Kari' });
    expect(stderr).toBe('');
  });

  it('keeps numbers on the command line as they were typed', async () => {
    expect((await run(['greet', '0910'])).stdout).toBe('Hello 0910\n');
  });

  it('exits with 1 when a check fails', async () => {
    expect((await run(['greet', 'nobody'])).exitCode).toBe(1);
  });

  it.each([
    [['--lang', 'nb'], {}, 'Hei Kari\n'],
    [['--lang=nb'], {}, 'Hei Kari\n'],
    [[], { LANG: 'nb_NO.UTF-8' }, 'Hei Kari\n'],
    [[], { LC_ALL: 'no', LANG: 'en_GB.UTF-8' }, 'Hei Kari\n'],
    [[], { LC_ALL: '', LANG: 'nn_NO' }, 'Hei Kari\n'],
    [[], { LANG: 'C.UTF-8' }, 'Hello Kari\n'],
    [['--lang', 'en'], { LANG: 'nb_NO.UTF-8' }, 'Hello Kari\n'],
  ])('%j with %j is in the language that was asked for', async (args, env, stdout) => {
    expect(await run(['greet', 'Kari', ...args], { env })).toMatchObject({ exitCode: 0, stdout });
  });

  it('colours only in a terminal, and not there either when NO_COLOR is set', async () => {
    expect((await run(['greet', 'Kari'], { isTerminal: true })).stdout).toBe('\u001B[1mHello Kari\u001B[22m\n');
    const plain = await run(['greet', 'Kari'], { isTerminal: true, env: { NO_COLOR: '1' } });
    expect(plain.stdout).toBe('Hello Kari\n');
  });

  it('shows progress in a terminal and takes it away before the result', async () => {
    const { stderr } = await run(['greet', 'Kari'], { isTerminal: true, env: { NO_COLOR: '1' } });
    expect(stderr).toBe('thinking …\r\u001B[K');
  });

  it('reads a file of settings, and lets the environment win', async () => {
    const file = join(folder, 'settings.env');
    writeFileSync(file, 'GREETING="Good day,"\n');
    expect((await run(['greet', 'Kari', '--env-file', file])).stdout).toBe('Good day, Kari\n');
    expect((await run(['greet', 'Kari', '--env-file', 'settings.env'], { cwd: folder })).stdout).toMatch(/^Good day/);
    const both = await run(['greet', 'Kari', '--env-file', file], { env: { GREETING: 'Hi' } });
    expect(both.stdout).toBe('Hi Kari\n');
    const none = await run(['greet', 'Kari', '--env-file', join(folder, 'none.env')]);
    expect(none).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining('none.env cannot be read') });
  });

  it.each([
    [['greet'], /name|argument/],
    [['greet', 'Kari', '--colour'], /colour/],
    [['great', 'Kari'], /greet/],
    [['greet', 'Kari', '--lang', 'sv'], /lang/],
    [['greet', 'Kari', '--env-file', 'a', '--env-file', 'b'], /--env-file is given more than once/],
    [[], /Say which command/],
  ])('%j is wrong usage: exit code 2, the reason on stderr, nothing on stdout', async (args, reason) => {
    expect(await run(args)).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringMatching(reason) });
  });

  it('tells wrong usage in Norwegian and as JSON too', async () => {
    expect((await run(['--lang', 'nb'])).stderr).toContain('Si hvilken kommando.');
    const { document, exitCode } = await run(['greet', '--json']);
    expect(exitCode).toBe(2);
    expect(document).toEqual({ error: { code: 'USAGE', message: expect.any(String) } });
  });

  it('--help is in the language, and --version is that of the package', async () => {
    const help = await run(['--help', '--lang', 'nb']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain('Hils på noen');
    expect(help.stdout).toContain('Kommandoer:');
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect((await run(['--version'])).stdout).toBe(`${version}\n`);
  });

  it('tells cause, fix and who must act of an error of Maskinporten', async () => {
    const error = createError('MP_SCOPE', { message: 'The scope was refused.', mpCode: 'MP-200', traceId: 'abc' });
    const english = await run(['fail'], { commands: [failing(error)] });
    expect(english.exitCode).toBe(1);
    expect(english.stderr).toBe(
      `Failed (MP_SCOPE, MP-200, trace abc)\n  Cause:     The scope was refused.\n  Fix:       ${error.hint.en}\n` +
        '  Who acts:  you\n',
    );
    const norwegian = await run(['fail', '--lang', 'nb'], { commands: [failing(error)] });
    expect(norwegian.stderr).toContain(`Løsning:   ${error.hint.nb}`);
    const { document } = await run(['fail', '--json'], { commands: [failing(error)] });
    expect(document).toMatchObject({ error: { code: 'MP_SCOPE', mpCode: 'MP-200', hint: error.hint.en } });
  });

  it('exits with 1 for what cannot be done and for a mistake of ours', async () => {
    const refused = await run(['fail'], { commands: [failing(new CommandFailure({ en: 'No.', nb: 'Nei.' }))] });
    expect(refused).toMatchObject({ exitCode: 1, stderr: 'No.\n' });
    const crashed = await run(['fail'], { commands: [failing(new TypeError('boom'))] });
    expect(crashed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('TypeError: boom') });
  });
});
