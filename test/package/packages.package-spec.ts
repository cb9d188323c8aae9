import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { killChildren, ServiceProcess } from '../support/child.js';
import { sized } from '../support/size.js';
import { Installed, root } from './installed.js';
import { run } from './run.js';

// One file, because all of it stands on the same tarballs, installed once: npm takes more time than the tests.

const installed = new Installed();
const { folder } = installed;
/** Who uses them: the folder of the project, and of the user in it. */
const USERS: Readonly<Record<string, readonly [project: string, user: string]>> = {
  'nest11-commonjs': ['nest11', 'commonjs'],
  'nest11-esm': ['nest11', 'esm'],
  'nest12-esm': ['nest12', 'user'],
};
const OTHER_NODES = sized({ test: ['22', '26'], soak: ['22', '24', '26'] });
/** Each user on the Node that runs the tests, and on one other; in the soak on all. */
const NODES: Readonly<Record<string, readonly string[]>> = sized({
  test: { 'nest11-commonjs': ['this', '22'], 'nest11-esm': ['this', '26'], 'nest12-esm': ['this', '26'] },
  soak: Object.fromEntries(Object.keys(USERS).map((name) => [name, ['this', ...OTHER_NODES]])),
});

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, object>>;
}
const manifest = JSON.parse(readFileSync(join(root, 'libs/maskinporten/package.json'), 'utf8')) as Manifest;

beforeAll(async () => {
  await Promise.all([installed.pack(), installed.nodes(OTHER_NODES)]);
  await Promise.all([installed.project('nest11', ['commonjs', 'esm']), installed.project('nest12', ['user'])]);
});
afterAll(() => installed.remove());
afterEach(killChildren);

describe('the packed tarballs', () => {
  it('contain what a user needs and nothing that only we need', async () => {
    expect(installed.tarballs).toHaveLength(2);
    for (const tarball of installed.tarballs) {
      const files = (await run('tar', ['-tzf', tarball], folder)).trim().split('\n');
      expect(files).toEqual(
        expect.arrayContaining([
          'package/dist/index.js',
          'package/dist/index.d.ts',
          'package/README.md',
          'package/LICENSE',
        ]),
      );
      expect(files.filter((file) => /\.(spec|fixtures)\.|tsbuildinfo|package\/test\//.test(file))).toEqual([]);
    }
  });

  it.each(['libs/maskinporten', 'libs/simulator'])('%s passes publint and are-the-types-wrong', async (library) => {
    const tarball = installed.tarballs.find((path) =>
      path.includes(library === 'libs/simulator' ? 'simulator' : 'nestjs'),
    );
    // Both exit with an error, and `run` throws, when anything is wrong.
    await expect(run('node_modules/.bin/publint', ['--strict', library], root)).resolves.toBeDefined();
    const attw = run('node_modules/.bin/attw', [String(tarball), '--profile', 'esm-only'], root);
    await expect(attw).resolves.toBeDefined();
  });

  it('keep the number of run-time dependencies that the contract allows', () => {
    const names = Object.keys(manifest.dependencies);
    expect(names.length).toBeLessThanOrEqual(8);
    const defended = readFileSync(join(root, 'docs/dependencies.md'), 'utf8');
    for (const name of names) expect(defended).toContain(`\`${name}\``);
  });
});

describe.each(Object.keys(USERS))('a user with %s', (name) => {
  const [project, user] = USERS[name] ?? ['', ''];

  it.each(NODES[name] ?? [])('installs the tarballs and gets tokens on node %s', async (version) => {
    const node = version === 'this' ? process.execPath : installed.node(version);
    const answer = JSON.parse(await run(node, ['main.js'], join(folder, project, user))) as object;
    expect(answer).toEqual({
      node: version === 'this' ? process.versions.node.split('.')[0] : version,
      read: 'acme:read',
      write: 'acme:write',
      call: 'acme:read acme:read',
      attached: 'acme:write',
      refused: 'MP_SCOPE',
      printed: false,
    });
  });
});

describe('a user with Jest in a CommonJS project', () => {
  it('runs a unit test with the settings that the README names', async () => {
    // Jest reports on standard error; without a summary of its own it ends with an error when a test fails.
    const report = await installed.bin('nest11', 'jest', ['--json'], 'jest');
    expect(JSON.parse(report)).toMatchObject({ success: true, numPassedTests: 2, numFailedTests: 0 });
    const { jest } = JSON.parse(readFileSync(join(folder, 'nest11/jest/package.json'), 'utf8')) as {
      jest: { transform: Record<string, string>; transformIgnorePatterns: string[] };
    };
    const readme = readFileSync(join(root, 'libs/maskinporten/README.md'), 'utf8');
    for (const [pattern, transformer] of Object.entries(jest.transform)) {
      expect(readme).toContain(`transform: { '${pattern.replaceAll('\\', String.raw`\\`)}': '${transformer}' }`);
    }
    expect(readme).toContain(`transformIgnorePatterns: ['${jest.transformIgnorePatterns.join("', '")}']`);
  });
});

describe('a user with esbuild', () => {
  it('bundles an application that has none of the optional peers', async () => {
    // A bundler stops at what it cannot find.
    const peers = Object.keys(manifest.peerDependenciesMeta);
    expect(peers.filter((peer) => existsSync(join(folder, 'nest11/node_modules', peer)))).toEqual([]);
    const external = ['@nestjs/*', 'maskinporten-simulator'].map((name) => `--external:${name}`);
    const options = ['--bundle', '--platform=node', '--format=cjs', '--outfile=bundle.cjs', ...external];
    await installed.bin('nest11', 'esbuild', ['main.js', ...options], 'commonjs');
    const answer = await run(process.execPath, ['bundle.cjs'], join(folder, 'nest11/commonjs'));
    expect(JSON.parse(answer)).toMatchObject({ read: 'acme:read' });
  });
});

describe('the command of the packed tarball', () => {
  const here = join(folder, 'nest11/command');
  const program = join(folder, 'nest11/node_modules/.bin/nestjs-maskinporten');
  const { PATH = '', HOME = '' } = process.env;
  const options = { cwd: here, env: { PATH, HOME } };

  interface Outcome {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  /** As somebody in that project starts it; a failure is an outcome too. */
  const command = async (...args: readonly string[]): Promise<Outcome> =>
    new Promise((settle) => {
      execFile(program, args, options, (error, stdout, stderr) => {
        settle({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      });
    });

  async function startSimulator(configFile: string): Promise<{ child: ChildProcess; issuer: string }> {
    const args = ['simulator', '--port', '0', '--config', configFile, '--json'];
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
    running.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, issuer: (JSON.parse(line) as { issuer: string }).issuer };
  }

  const running: ChildProcess[] = [];

  beforeAll(() => {
    mkdirSync(here);
  });
  afterAll(() => {
    for (const child of running) child.kill();
  });

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
    for (const name of ['maskinporten', 'nestjs-maskinporten']) {
      expect(await run('npx', ['--no-install', name, '--version'], here)).toBe(`${manifest.version}\n`);
    }
    const absent = await command('keys', 'inspect', 'absent.pem');
    expect(absent).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('does not exist') });
    const wrong = await command('keys', 'inspekt');
    expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('inspect') });
    const help = await command('--help', '--lang', 'nb');
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Nøkler og sertifikater') });
    expect(absent.stderr + help.stdout).not.toContain('\u001B');
  });

  it('starts the simulator, gets a token of it with the settings of a file, and stops it', async () => {
    // The key of the first test.
    const jwk: unknown = JSON.parse(readFileSync(join(here, 'keys/public-jwk.json'), 'utf8'));
    const clients = [{ clientId: 'acme', orgno: '310000019', jwks: { keys: [jwk] }, scopes: ['acme:read'] }];
    writeFileSync(join(here, 'simulator.json'), JSON.stringify({ clients }));
    const { child, issuer } = await startSimulator('simulator.json');
    const settings = {
      MASKINPORTEN_ISSUER: issuer,
      MASKINPORTEN_CLIENT_ID: 'acme',
      MASKINPORTEN_KID: 'first',
      MASKINPORTEN_PRIVATE_KEY_FILE: 'keys/private-key.pem',
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(here, 'settings.env'), lines.join(''));
    // It makes its key when it is first asked, which takes a busy machine longer than a command waits.
    await fetch(`${issuer}jwk`);
    const token = await command('token', '--scope', 'acme:read', '--env-file', 'settings.env', '--json');
    expect(token).toEqual({ code: 0, stderr: '', stdout: expect.stringContaining('"claims"') });
    expect(JSON.parse(token.stdout)).toMatchObject({ claims: { iss: issuer, client_id: 'acme' }, kid: 'first' });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await expect(fetch(issuer)).rejects.toThrow('fetch failed');
  });
});

describe('the inspector of the running service', () => {
  /** What the image starts: the flags stand in the Dockerfile and nowhere else. */
  const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
  const flags = (JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]).slice(1);
  let port: number;

  beforeAll(async () => {
    // Not the usual one, which another process may have.
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    await new Promise((closed) => server.close(closed));
  });

  /** True when somebody listens where the inspector would. */
  async function isOpen(): Promise<boolean> {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  const start = (nodeFlags: readonly string[], program: readonly string[]): ServiceProcess =>
    ServiceProcess.start(
      { PORT: '0' },
      [`--inspect-port=127.0.0.1:${port}`, ...nodeFlags, ...program],
      folder,
      installed.node('26'),
    );

  it('T-09: is not opened by SIGUSR1 with the flags of the image', async () => {
    const service = start(flags, [join(root, 'dist/main.js')]);
    const [, url = ''] = await service.says(/service +(http:\S+)/);
    service.signal('SIGUSR1');
    // Without the flag the process ends or opens the port; with it nothing happens, and it still serves.
    for (let index = 0; index < 20; index += 1) expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(await isOpen()).toBe(false);
    expect(service.output).not.toContain('Debugger listening');
  });

  it('T-09: would be opened without them, so the check above can fail', async () => {
    const service = start([], ['--eval', "setInterval(() => {}, 1_000_000); console.log('started');"]);
    await service.says(/started/);
    service.signal('SIGUSR1');
    await service.says(/Debugger listening/);
    expect(await isOpen()).toBe(true);
  });
});
