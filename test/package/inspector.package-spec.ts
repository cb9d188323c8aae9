import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { spawn, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from './run.js';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'maskinporten-inspector-'));
const INSPECTOR_PORT = 9229;

/** What the image starts: the flags stand in the Dockerfile and nowhere else. */
const flags = (
  JSON.parse(/^ENTRYPOINT (.+)$/m.exec(readFileSync(join(root, 'deploy/Dockerfile'), 'utf8'))?.[1] ?? '[]') as string[]
).slice(1);

beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
  const binary = `node24@npm:node-${process.platform}-${process.arch}@24`;
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', binary], folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** True when somebody listens where the inspector would. */
async function isOpen(): Promise<boolean> {
  const socket = connect(INSPECTOR_PORT, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function startService(nodeFlags: readonly string[]): Promise<{ child: ChildProcess; output: () => string }> {
  const node = join(folder, 'node_modules/node24/bin/node');
  const child = spawn(node, [...nodeFlags, join(root, 'dist/main.js')], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0' },
  });
  let output = '';
  const started = new Promise<void>((resolveStart, reject) => {
    const listen = (chunk: Buffer): void => {
      output += String(chunk);
      if (output.includes('DEMO MODE')) resolveStart();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', () => reject(new Error(`the service ended:\n${output}`)));
  });
  await started;
  return { child, output: () => output };
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('the inspector of the running service', () => {
  it('T-09: is not opened by SIGUSR1 with the flags of the image', async () => {
    const { child, output } = await startService(flags);
    child.kill('SIGUSR1');
    // Without the flag the process ends or opens the port; with it nothing happens, and it still serves.
    const url = /service +(http:\S+)/.exec(output())?.[1] ?? '';
    for (let index = 0; index < 20; index += 1) expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(await isOpen()).toBe(false);
    expect(output()).not.toContain('Debugger listening');
    await end(child);
  });

  it('T-09: would be opened without them, so the check above can fail', async () => {
    const { child, output } = await startService([]);
    child.kill('SIGUSR1');
    while (!output().includes('Debugger listening')) await once(child.stderr as NodeJS.ReadableStream, 'data');
    expect(await isOpen()).toBe(true);
    await end(child);
  });
});
