import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run.js';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'maskinporten-command-'));
const project = join(folder, 'project');

beforeAll(async () => {
  mkdirSync(project);
  for (const workspace of ['libs/maskinporten', 'libs/simulator']) {
    await run('npm', ['pack', '--silent', '-w', workspace, '--pack-destination', folder], root);
  }
  const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true }));
  await run(
    'npm',
    ['install', '--silent', '--no-audit', '--no-fund', ...tarballs.map((name) => join(folder, name))],
    project,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as somebody in an empty project starts it; a failure is an outcome too. */
async function command(...args: readonly string[]): Promise<Outcome> {
  return new Promise((settle) => {
    execFile(
      'npx',
      ['--no-install', 'nestjs-maskinporten', ...args],
      { cwd: project, env: environment },
      (error, stdout, stderr) => {
        settle({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
  });
}
const { PATH = '', HOME = '' } = process.env;
const environment = { PATH, HOME };

async function startSimulator(configFile: string): Promise<{ child: ChildProcess; issuer: string }> {
  const program = join(project, 'node_modules/.bin/nestjs-maskinporten');
  const args = ['simulator', '--port', '0', '--config', configFile, '--json'];
  const child = spawn(program, args, { cwd: project, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, issuer: (JSON.parse(line) as { issuer: string }).issuer };
}

describe('the command of the packed tarball, in an empty project', () => {
  it('makes a key and inspects it', async () => {
    const made = await command('keys', 'generate', '--kid', 'first', '--out', 'keys', '--json');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { privateKeyFile, publicJwkFile } = JSON.parse(made.stdout) as Record<string, string>;
    expect(statSync(String(privateKeyFile)).mode & 0o777).toBe(0o600);
    const inspected = await command('keys', 'inspect', 'keys/private-key.pem', '--json');
    expect(inspected).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(inspected.stdout)).toMatchObject({ state: 'good', keys: [{ bits: 3072, private: true }] });
    const jwk = await command('keys', 'jwk', 'keys/private-key.pem', '--kid', 'first');
    expect(jwk.stdout).toBe(readFileSync(String(publicJwkFile), 'utf8'));
  });

  it('is a program of two names, with the exit codes 0, 1 and 2, plain where there is no terminal', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'libs/maskinporten/package.json'), 'utf8')) as {
      version: string;
    };
    expect(await run('npx', ['--no-install', 'maskinporten', '--version'], project)).toBe(`${version}\n`);
    const absent = await command('keys', 'inspect', 'absent.pem');
    expect(absent).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('does not exist') });
    const wrong = await command('keys', 'inspekt');
    expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('inspect') });
    const help = await command('--help', '--lang', 'nb');
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Nøkler og sertifikater') });
    expect(absent.stderr + help.stdout).not.toContain('\u001B');
  });

  it('starts the simulator, gets a token of it with the settings of a file, and stops it', async () => {
    await command('keys', 'generate', '--kid', 'second', '--out', 'second');
    const jwk: unknown = JSON.parse(readFileSync(join(project, 'second/public-jwk.json'), 'utf8'));
    const clients = [{ clientId: 'acme', orgno: '310000019', jwks: { keys: [jwk] }, scopes: ['acme:read'] }];
    writeFileSync(join(project, 'simulator.json'), JSON.stringify({ clients }));
    const { child, issuer } = await startSimulator('simulator.json');
    const settings = {
      MASKINPORTEN_ISSUER: issuer,
      MASKINPORTEN_CLIENT_ID: 'acme',
      MASKINPORTEN_KID: 'second',
      MASKINPORTEN_PRIVATE_KEY_FILE: 'second/private-key.pem',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(project, 'settings.env'), lines.join(''));
    const token = await command('token', '--scope', 'acme:read', '--env-file', 'settings.env', '--json');
    expect(token).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(token.stdout)).toMatchObject({ claims: { iss: issuer, client_id: 'acme' }, kid: 'second' });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(fetch(issuer)).rejects.toThrow('fetch failed');
  });
});
