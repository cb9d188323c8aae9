import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { preparedPglite } from '../libs/maskinporten/src/audit-postgres/prepared-pglite.fixtures.js';
import { killChildren, ServiceProcess } from './support/child.js';
import { root } from './support/markdown.js';
import { needs } from './support/needs.js';
import { copyPrepared } from './support/prepared-folder.js';

const deploy = join(root, 'deploy/simulator');
const dockerfile = readFileSync(join(deploy, 'Dockerfile'), 'utf8');

interface ComposeService {
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly user?: string;
}
const { services } = parse(readFileSync(join(deploy, 'compose.yaml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<'simulator' | 'register' | 'keys' | 'service', ComposeService>>;
};
const environmentOf = (name: keyof typeof services): Record<string, string> =>
  Object.fromEntries(Object.entries(services[name].environment ?? {}).map(([key, value]) => [key, String(value)]));

/** The variables that an image sets. */
const imageEnvironment = Object.fromEntries(
  DockerfileParser.parse(dockerfile)
    .getENVs()
    .flatMap((env) => env.getProperties().map((property) => [property.getName(), property.getValue() ?? ''] as const)),
);

describe('the image of the simulator', () => {
  const lines = DockerfileParser.parse(dockerfile)
    .getInstructions()
    .map((instruction) => instruction.toString());

  it('has no mistake that the linter knows', () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  it('is multi-stage, ends as a user that is not root, and says when it is healthy', () => {
    expect(DockerfileParser.parse(dockerfile).getFROMs().length).toBeGreaterThanOrEqual(2);
    expect(lines.filter((line) => line.startsWith('USER '))).toEqual(['USER 1000:1000']);
    const last = lines.findLastIndex((line) => line.startsWith('COPY '));
    expect(lines.findIndex((line) => line.startsWith('USER '))).toBeGreaterThan(last);
    expect(dockerfile).toMatch(/npm ci --omit=dev .*--workspace libs\/simulator/);
    expect(dockerfile).toContain('/isalive');
  });

  it('copies only what is not ignored', () => {
    const ignore = readFileSync(join(deploy, 'Dockerfile.dockerignore'), 'utf8').split('\n');
    expect(ignore[0]).toBe('**');
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) => list.split(' '));
    for (const source of sources) expect(ignore).toContain(`!${source.split('/', 1)[0]}`);
  });

  it('runs in compose with a read-only root, no capabilities, and ports of this machine alone', () => {
    for (const name of ['simulator', 'register', 'service'] as const) {
      expect(services[name]).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    }
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });
});

/** A name space of users, mounts and network for the simulator, and in it one of the network for everybody else. */
const NAME_SPACES = `
set -e
ip link set lo up
mount --bind "$HOSTS" /etc/hosts
unshare -n sleep infinity & far=$!
until [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do :; done
ip link add near type veth peer name far netns $far
ip addr add 10.9.0.1/24 dev near
ip link set near up
nsenter -t $far -n sh -c 'ip link set lo up; ip addr add 10.9.0.2/24 dev far; ip link set far up'
echo "near $$ far $far"
wait
`;

function mayMakeNameSpaces(): boolean {
  try {
    execFileSync('unshare', ['-rmn', 'sh', '-c', 'ip link add near type veth peer name far'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

needs(
  'unshare with network name spaces',
  mayMakeNameSpaces(),
  () => {
    describe('what compose.yaml starts, in two network name spaces', () => {
      const keys = mkdtempSync(join(tmpdir(), 'compose-keys-'));
      afterAll(() => {
        killChildren();
        rmSync(keys, { recursive: true });
      });
      const here = (variables: Record<string, string>): NodeJS.ProcessEnv => ({
        PATH: process.env['PATH'] ?? '',
        ...Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replace('/keys', keys)])),
      });
      const inside = (pid: string, command: readonly string[], variables: Record<string, string>) => {
        const into = ['-t', pid, '-U', '-m', '-n', '--preserve-credentials', ...command];
        return spawn('nsenter', into, { env: here(variables), cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
      };

      it('the service gets its token and calls an API, knowing the simulator by name only', async () => {
        const hosts = join(keys, 'hosts');
        writeFileSync(hosts, '127.0.0.1 localhost\n10.9.0.1 simulator\n');
        const env = { PATH: process.env['PATH'] ?? '', HOSTS: hosts };
        const spaces = spawn('unshare', ['-rmn', '--kill-child', 'bash', '-c', NAME_SPACES], { env });
        const [, near = '', far = ''] = await ServiceProcess.watch(spaces).says(/near (\d+) far (\d+)/);

        const command = [process.execPath, join(root, 'libs/simulator/dist/command.js')];
        const simulator = inside(near, command, { ...imageEnvironment, ...environmentOf('simulator') });
        const said = ServiceProcess.watch(simulator);
        await said.says(/issuer +http:\/\/simulator:8480\/\n/);
        await said.says(/operator +http:\/\/localhost:8480\/operator\n/);

        const registered = inside(far, [process.execPath, join(deploy, 'register-client.mjs')], {
          ...environmentOf('register'),
          KEYS: '/keys',
        });
        const [, apiKey = ''] = await ServiceProcess.watch(registered).says(/Bearer (\S+)'/);

        const database = join(keys, 'audit');
        mkdirSync(database, { mode: 0o700 });
        copyPrepared(await preparedPglite(), join(database, 'database'));
        // The database of the compose file is in memory, which takes seconds of CPU to make.
        const variables = { ...environmentOf('service'), AUDIT_DATA_DIR: '/keys/audit', PORT: '3000' };
        const service = ServiceProcess.watch(inside(far, [process.execPath, join(root, 'dist/main.js')], variables));
        await service.says(/started|listening|Nest application successfully started/i);
        const curl = ['-t', far, '-U', '-m', '-n', '--preserve-credentials', 'curl', '-sS', '--retry', '50'];
        const request = ['--retry-connrefused', '-H', `Authorization: Bearer ${apiKey}`];
        const url = 'http://localhost:3000/broker/transfers';
        const { stdout } = await promisify(execFile)('nsenter', [...curl, ...request, url], { env: here({}) });
        expect(JSON.parse(stdout)).toMatchObject({ data: { items: [] } });

        const operator = ['http://simulator:8480/operator/api/log', '-o', '/dev/null', '-w', '%{http_code}'];
        const refused = await promisify(execFile)('nsenter', [...curl, ...operator], { env: here({}) });
        expect(refused.stdout).toBe('401');
      });
    });
  },
  'this machine does not allow network name spaces (unshare, ip, nsenter)',
);
