import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { asClaims, makeClient } from './grants.fixtures.js';
import { runCommand } from './run-command.js';

class Host {
  out = '';
  error = '';
  readonly started: Promise<void>;
  #stop: (() => void) | undefined;
  #announce: () => void = () => undefined;

  constructor() {
    this.started = new Promise((resolve) => {
      this.#announce = resolve;
    });
  }
  writeOut(text: string): void {
    this.out += text;
  }
  writeError(text: string): void {
    this.error += text;
  }
  onStop(listener: () => void): void {
    this.#stop = listener;
    this.#announce();
  }
  stop(): void {
    this.#stop?.();
  }
}

const run = async (...args: string[]): Promise<Host & { code: number }> => {
  const host = new Host();
  const code = await runCommand(args, host);
  return Object.assign(host, { code });
};

describe('the command', () => {
  const directory = mkdtempSync(join(tmpdir(), 'simulator-command-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  it('--json prints one line with the six URLs, serves, and stops cleanly', async () => {
    const host = new Host();
    const config = file('good.json', JSON.stringify({ clients: [makeClient()] }));
    const code = runCommand(['--port', '0', '--config', config, '--json'], host);
    await host.started;
    expect(host.out).toMatch(/^\{.*\}\n$/);
    const urls = asClaims(JSON.parse(host.out));
    const names = ['tokenEndpoint', 'platformUrl', 'apiUrl', 'operatorUrl', 'selfServiceUrl'];
    expect(Object.keys(urls)).toEqual(['issuer', ...names]);
    const origins = names.map((name) => new URL(String(urls[name])).origin);
    expect(new Set(origins).size).toBe(5);
    expect(urls['issuer']).toBe(`${origins[0]}/`);
    const clients = await fetch(`${String(urls['operatorUrl'])}/operator/api/clients`);
    expect(await clients.json()).toMatchObject([{ clientId: 'client-1' }]);
    host.stop();
    expect(await code).toBe(0);
    expect(host.error).toBe('');
    await expect(fetch(String(urls['issuer']))).rejects.toThrow('fetch failed');
  });

  it('prints the URLs for people', async () => {
    const host = new Host();
    const code = runCommand(['--port', '0'], host);
    await host.started;
    expect(host.out).toMatch(/issuer +http:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(host.out).toContain('/operator/api/log');
    host.stop();
    expect(await code).toBe(0);
  });

  it('--help prints how to use it', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: /), error: '' });
  });

  it.each([
    [['--prot', '1'], /--prot/],
    [['extra'], /extra/],
    [['--port', 'x'], /--port must be a number/],
    [['--port', '65536'], /--port must be a number/],
    [['--port'], /--port/],
  ])('%j is a wrong command line: exit code 2 and the usage', async (args, message) => {
    const { code, out, error } = await run(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(error).toMatch(message);
    expect(error).toContain('Usage: maskinporten-simulator');
  });

  it.each([
    ['a file that does not exist', () => join(directory, 'none.json'), /Cannot read the configuration/],
    ['a file that is no JSON', () => file('bad.json', '{'), /is not JSON/],
    ['a file that holds a text', () => file('text.json', '"x"'), /must be an object/],
    [
      'a client without orgno and a fault without path',
      () => file('wrong.json', '{"clients":[{"clientId":"a"}],"faults":[{}],"client":[]}'),
      /clients\[0\]\.orgno: .*\n.*|faults\[0\]\.path/,
    ],
  ])('%s is refused with exit code 2', async (_name, path, message) => {
    const { code, error } = await run('--port', '0', '--config', path());
    expect(code).toBe(2);
    expect(error).toMatch(message);
  });

  it('names every wrong field of the configuration', async () => {
    const path = file('all.json', '{"clients":[{"clientId":"a"}],"faults":[{}],"client":[]}');
    const { error } = await run('--port', '0', '--config', path);
    expect(error).toContain('clients[0].orgno: ');
    expect(error).toContain('faults[0].path: ');
    expect(error).toContain('client: is not a known member');
  });

  it('says so and exits with 1 when the port is taken', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => {
        const address = taken.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    expect(await run('--port', String(port))).toMatchObject({ code: 1, error: expect.stringContaining('EADDRINUSE') });
    taken.close();
  });
});
