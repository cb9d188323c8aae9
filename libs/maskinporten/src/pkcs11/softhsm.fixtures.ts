import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { needs } from '../../../../test/support/needs.js';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';
import { openssl } from '../keys/keys.fixtures.js';
import { Pkcs11Signer } from './pkcs11-signer.js';
import type { Pkcs11SignerOptions } from './pkcs11-options.js';

export const PIN = '6543-pin-canary';
const SECURITY_OFFICER_PIN = '12345678';

const SOFTHSM = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/pkcs11/libsofthsm2.so'].find(existsSync) ?? '';
const REMOTE = readdirSync('/usr/lib')
  .map((folder) => `/usr/lib/${folder}/pkcs11/p11-kit-client.so`)
  .find(existsSync);

/** What is missing to test with a real token: programs of the system, and the native part of an optional package. */
function missing(): string[] {
  const programs = ['softhsm2-util', 'pkcs11-tool', 'p11-kit', 'openssl'];
  const absent = programs.filter((name) => spawnSync(name, ['--help'], { stdio: 'ignore' }).error !== undefined);
  const libraries = SOFTHSM === '' ? ['libsofthsm2.so'] : REMOTE === undefined ? ['p11-kit-client.so'] : [];
  try {
    createRequire(import.meta.url).resolve('pkcs11js/build/Release/pkcs11.node');
  } catch {
    absent.push('pkcs11js (native part)');
  }
  return [...absent, ...libraries];
}

/** Runs tests that need a token. */
export function withSoftHsm(tests: () => void): void {
  const absent = missing();
  needs('SoftHSM2', absent.length === 0, tests, `SoftHSM2 needs ${absent.join(', ')}`);
}

let worker: URL | undefined;
const signers = new Set<Pkcs11Signer>();

/** `pkcs11Signer`, with its process compiled as it is shipped. */
export async function openSigner(options: Pkcs11SignerOptions): Promise<Pkcs11Signer> {
  if (worker === undefined) {
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-pkcs11-'));
    compileRooms(directory, ['pkcs11']);
    worker = pathToFileURL(join(directory, 'pkcs11/hsm-worker.js'));
  }
  const signer = await Pkcs11Signer.open(options, worker);
  signers.add(signer);
  return signer;
}

export async function closeSigners(): Promise<void> {
  for (const signer of signers) await signer.close();
  signers.clear();
}

export interface TokenKey {
  readonly label: string;
  readonly id: string;
  readonly bits?: number;
  /** More arguments for `pkcs11-tool`: `--always-auth`, `--extractable`. */
  readonly args?: readonly string[];
}

/** A SoftHSM of its own, with tokens in a directory that can be taken away. */
export class SoftHsm {
  readonly library = SOFTHSM;
  readonly environment: Readonly<Record<string, string>>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'maskinporten-softhsm-'));

  /** @param lines of `softhsm2.conf` */
  constructor(...lines: string[]) {
    const configuration = join(this.#directory, 'softhsm2.conf');
    mkdirSync(this.#tokens);
    writeFileSync(configuration, [`directories.tokendir = ${this.#tokens}`, ...lines, ''].join('\n'));
    this.environment = { SOFTHSM2_CONF: configuration };
  }

  initialise(label: string): this {
    const pins = ['--so-pin', SECURITY_OFFICER_PIN, '--pin', PIN];
    this.#run('softhsm2-util', ['--init-token', '--free', '--label', label, ...pins]);
    return this;
  }

  /** Made on the token: nobody but the token has ever seen the private half. */
  generate(token: string, { label, id, bits = 2048, args = [] }: TokenKey): this {
    const key = ['--keypairgen', '--key-type', `rsa:${bits}`, '--label', label, '--id', id];
    this.tool(token, [...key, '--usage-sign', ...args]);
    return this;
  }

  /** Puts a certificate beside the key that has its `id`. */
  store(token: string, certificate: string, id: string): void {
    const file = join(this.#directory, 'certificate.der');
    writeFileSync(file, Buffer.from(certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
    this.tool(token, ['--write-object', file, '--type', 'cert', '--id', id, '--label', 'certificate']);
  }

  /** The public key in PEM, as another program reads it from the token. */
  publicKey(token: string, id: string): string {
    const file = join(this.#directory, 'public.der');
    this.tool(token, ['--read-object', '--type', 'pubkey', '--id', id, '--output-file', file]);
    return openssl(['pkey', '-pubin', '-inform', 'DER', '-in', file]);
  }

  tool(token: string, args: readonly string[], pin = PIN): string {
    return this.#run('pkcs11-tool', [
      '--module',
      this.library,
      '--token-label',
      token,
      '--login',
      '--pin',
      pin,
      ...args,
    ]);
  }

  unplug(): void {
    renameSync(this.#tokens, `${this.#tokens}.away`);
  }

  plugIn(): void {
    renameSync(`${this.#tokens}.away`, this.#tokens);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  /** The same tokens as an HSM in a network, which can be switched off and can hang. */
  async serve(): Promise<HsmServer> {
    const server = new HsmServer(this, join(this.#directory, 'socket'));
    await server.start();
    return server;
  }

  /** Runs a script in a process that sees the tokens, and gives what it printed. */
  script(source: string): string {
    return this.#run(process.execPath, ['-e', source]);
  }

  #run(program: string, args: readonly string[]): string {
    const env = { ...process.env, ...this.environment };
    const cwd = join(import.meta.dirname, '../../../..');
    return execFileSync(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
  }

  get #tokens(): string {
    return join(this.#directory, 'tokens');
  }
}

/** SoftHSM behind `p11-kit server`, in a group of processes of its own. */
export class HsmServer {
  readonly library = REMOTE ?? '';
  readonly environment: Readonly<Record<string, string>>;
  readonly #hsm: SoftHsm;
  readonly #socket: string;
  #process: ChildProcess | undefined;

  constructor(hsm: SoftHsm, socket: string) {
    this.#hsm = hsm;
    this.#socket = socket;
    this.environment = { P11_KIT_SERVER_ADDRESS: `unix:path=${socket}` };
  }

  async start(): Promise<void> {
    rmSync(this.#socket, { force: true });
    const args = ['server', '-f', '--provider', this.#hsm.library, '-n', this.#socket, 'pkcs11:'];
    const env = { ...process.env, ...this.#hsm.environment };
    this.#process = spawn('p11-kit', args, { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    // It prints its address when it listens.
    if (this.#process.stdout !== null) await once(this.#process.stdout, 'data');
  }

  /** Power off: everybody who is connected is cut off. */
  async stop(): Promise<void> {
    const ended = this.#process;
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return;
    const exit = once(ended, 'exit');
    this.#signal('SIGKILL');
    await exit;
  }

  /** From now on it answers nobody, and cuts nobody off. */
  hang(): void {
    this.#signal('SIGSTOP');
  }

  goOn(): void {
    this.#signal('SIGCONT');
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid !== undefined) process.kill(-pid, signal);
  }
}

/** The processes that talk to tokens for this one. */
export function tokenProcesses(): number[] {
  return readdirSync(`/proc/${process.pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((pid) => pid.trim() !== '')
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('hsm-worker.js');
      } catch {
        return false;
      }
    });
}

/** Waits until something that another process brings about has come about; the test's own timeout is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
