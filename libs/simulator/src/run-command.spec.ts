import { once } from 'node:events';
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
  environment: Record<string, string> = {};
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

const inside = async (environment: Record<string, string>, ...args: string[]): Promise<Host & { code: number }> => {
  const host = new Host();
  host.environment = environment;
  const code = await runCommand(args, host);
  return Object.assign(host, { code });
};
const started = async (environment: Record<string, string>, ...args: string[]) => {
  const host = new Host();
  host.environment = environment;
  const code = runCommand([...args, '--json'], host);
  await host.started;
  const line = asClaims(JSON.parse(host.out));
  return { line, end: async () => (host.stop(), code) };
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
    expect(new Set(origins).size).toBe(1);
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
    [['--port', 'x'], /--port \(SIMULATOR_PORT\) must be a number/],
    [['--port', '65536'], /--port \(SIMULATOR_PORT\) must be a number/],
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

  describe('settings of the environment', () => {
    it('say the same as the options, which override them; addresses of Services are ignored', async () => {
      const { line, end } = await started(
        {
          SIMULATOR_PORT: 'tcp://10.0.0.7:8480',
          SIMULATOR_SERVICE_HOST: '10.0.0.7',
          SIMULATOR_PORT_8480_TCP_ADDR: '10.0.0.7',
          SIMULATOR_PUBLIC_URL: 'http://overridden:1',
          SIMULATOR_BROWSER_URL: 'http://localhost:1',
          SIMULATOR_CONFIG: JSON.stringify({ clients: [makeClient()] }),
          UNRELATED: 'x',
        },
        '--port',
        '0',
        '--public-url',
        'http://simulator:8480',
      );
      expect(line).toMatchObject({ issuer: 'http://simulator:8480/', operatorUrl: 'http://simulator:8480' });
      expect(line).not.toHaveProperty('operatorToken');
      expect(await end()).toBe(0);
    });

    it('open it to others: then a token is made and printed, and one that is given is not', async () => {
      const made = await started({ SIMULATOR_HOST: '0.0.0.0', SIMULATOR_PORT: '0' });
      const { operatorToken, operatorUrl } = made.line;
      expect(operatorToken).toMatch(/^[\w-]{32}$/);
      const headers = { authorization: `Bearer ${String(operatorToken)}` };
      expect((await fetch(`${String(operatorUrl)}/operator/api/clients`, { headers })).status).toBe(200);
      await made.end();

      const host = new Host();
      host.environment = {
        SIMULATOR_HOST: '0.0.0.0',
        SIMULATOR_PORT: '0',
        SIMULATOR_OPERATOR_TOKEN: 'a-token-of-the-test',
      };
      const code = runCommand([], host);
      await host.started;
      expect(host.out).toContain('Listens on 0.0.0.0: everybody who reaches it can get tokens.');
      expect(host.out).toContain('$SIMULATOR_OPERATOR_TOKEN');
      expect(host.out).not.toContain('a-token-of-the-test');
      host.stop();
      expect(await code).toBe(0);
    });

    it.each<[Record<string, string>, RegExp]>([
      [
        { SIMULATOR_PUBLIC_URI: 'http://x' },
        /^SIMULATOR_PUBLIC_URI: no such setting. The settings are SIMULATOR_PORT,/,
      ],
      [{ SIMULATOR_PORT: 'http' }, /^--port \(SIMULATOR_PORT\) must be a number/],
      [{ SIMULATOR_PUBLIC_URL: 'x' }, /^--public-url \(SIMULATOR_PUBLIC_URL\) must be an origin/],
      [{ SIMULATOR_CONFIG: '{' }, /^SIMULATOR_CONFIG is not JSON/],
      [
        { SIMULATOR_CONFIG: '{}', SIMULATOR_CONFIG_FILE: 'x' },
        /^SIMULATOR_CONFIG and SIMULATOR_CONFIG_FILE are both set/,
      ],
      [{ SIMULATOR_CONFIG_FILE: '/none.json' }, /^Cannot read the configuration \/none.json/],
      [{ SIMULATOR_OPERATOR_TOKEN: 'short' }, /^SIMULATOR_OPERATOR_TOKEN must be at least 16/],
      [{ SIMULATOR_ALLOWED_HOSTS: 'a, b c' }, /^SIMULATOR_ALLOWED_HOSTS must be a host name/],
    ])('%j is refused with exit code 2', async (environment, message) => {
      const { code, error } = await inside(environment, ...('SIMULATOR_PORT' in environment ? [] : ['--port', '0']));
      expect([code, error]).toEqual([2, expect.stringMatching(message)]);
    });
  });

  it('--version prints the version of the package', async () => {
    expect(await run('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it('says which option names the port or the address when it cannot have them', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const { code, error } = await run('--port', String(typeof address === 'object' && address?.port));
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^Port \d+ of 127\.0\.0\.1 is in use \(EADDRINUSE\)\. Choose another with --port N/),
    ]);
    taken.close();
    // TEST-NET-1 (RFC 5737): no machine has it.
    expect(await run('--port', '0', '--host', '192.0.2.1')).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^This machine has no address 192\.0\.2\.1 \(EADDRNOTAVAIL\)\. Check --host/),
    });
  });
});
