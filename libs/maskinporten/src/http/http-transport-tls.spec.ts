import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { compileRooms } from '../keys/compiled-rooms.fixtures.js';
import { TestAuthority } from '../keys/keys.fixtures.js';
import { HttpTransport, isStaleSocket, type HttpTransportOptions, type SecurityEvent } from './index.js';
import { OK, TestServers, turn, type TestServer } from './sockets.fixtures.js';

const authority = new TestAuthority('/CN=Trusted');
const stranger = new TestAuthority('/CN=Stranger');
const names = 'DNS:localhost,IP:127.0.0.1';
const good = authority.issue({ subject: '/CN=localhost', subjectAltName: names });
const ca = authority.certificate;

const servers = new TestServers();
const transports: HttpTransport[] = [];
afterEach(async () => {
  await servers.closeAll();
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});

function makeTransport(options: HttpTransportOptions): HttpTransport {
  const transport = new HttpTransport(options);
  transports.push(transport);
  return transport;
}

const call = (url: string) => ({ url, method: 'POST', body: 'assertion=canary', deadlineMs: 60_000 }) as const;

async function failureOf(url: string, options: HttpTransportOptions): Promise<MaskinportenError> {
  const outcome: unknown = await makeTransport(options)
    .send(call(url))
    .catch((error: unknown) => error);
  if (!isMaskinportenError(outcome)) throw new Error(`expected our error, got ${String(outcome)}`);
  return outcome;
}

interface Recorded {
  readonly server: TestServer;
  /** What the server could decrypt. */
  readonly heard: string[];
}

async function tlsServer(issued: typeof good, more: object = {}): Promise<Recorded> {
  const heard: string[] = [];
  const server = await servers.tls({ key: issued.key.pem, cert: issued.certificate, ...more }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      heard.push(data.toString());
      socket.write(OK);
    });
  });
  return { server, heard };
}

describe('TLS', () => {
  it('trusts the configured authority, by address and by name, over one kept connection', async () => {
    const { server } = await tlsServer(good);
    const transport = makeTransport({ ca: [ca] });
    for (const host of ['127.0.0.1', 'localhost']) {
      for (let times = 0; times < 3; times += 1) {
        expect((await transport.send(call(`https://${host}:${server.port}/token`))).status).toBe(200);
        await turn();
      }
    }
    expect(server.accepted).toHaveLength(2);
  });

  const expired = { subject: '/CN=localhost', subjectAltName: names, from: '20200101000000Z', to: '20210101000000Z' };
  it.each([
    ['F-20', 'an expired certificate', authority.issue(expired), 'CERT_HAS_EXPIRED'],
    [
      'F-21',
      'a certificate for another host',
      authority.issue({ subject: '/CN=localhost', subjectAltName: 'DNS:maskinporten.example' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['F-22', 'an unknown issuer', stranger.issue({ subject: '/CN=localhost', subjectAltName: names }), 'UNABLE_TO_'],
  ])('%s: %s is MP_TLS, a security event, and nothing is sent', async (_, __, issued, code) => {
    const { server, heard } = await tlsServer(issued);
    const events: SecurityEvent[] = [];
    const error = await failureOf(server.url, { ca, onSecurityEvent: (event) => events.push(event) });
    expect(error).toMatchObject({ code: 'MP_TLS', category: 'security', retryable: false });
    expect(error.message).toContain(code);
    expect(events).toEqual([
      { type: 'server-certificate-refused', host: `127.0.0.1:${server.port}`, reason: expect.stringContaining(code) },
    ]);
    expect(heard).toEqual([]);
  });

  it('F-22: without a ca of its own, only the public roots are trusted', async () => {
    const { server, heard } = await tlsServer(good);
    expect((await failureOf(server.url, {})).code).toBe('MP_TLS');
    expect(heard).toEqual([]);
  });

  it('F-23: a server that does not speak TLS is MP_TLS', async () => {
    const { port } = await servers.answering((socket) => socket.write(OK));
    const events: SecurityEvent[] = [];
    const error = await failureOf(`https://127.0.0.1:${port}/`, { ca, onSecurityEvent: (event) => events.push(event) });
    expect([error.code, events]).toEqual(['MP_TLS', []]);
  });

  it('F-23: TLS 1.1 is too old', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' };
    const { server, heard } = await tlsServer(good, old);
    expect((await failureOf(server.url, { ca })).code).toBe('MP_TLS');
    expect(heard).toEqual([]);
  });

  it('F-24: a reset in the handshake is MP_NETWORK', async () => {
    const { port } = await servers.answering((socket) => socket.resetAndDestroy());
    const error = await failureOf(`https://127.0.0.1:${port}/`, { ca });
    expect(error).toMatchObject({ code: 'MP_NETWORK', retryable: true });
    expect(isStaleSocket(error)).toBe(false);
  });

  it('F-05: a kept TLS connection closed while idle is told apart from one that failed at its first request', async () => {
    let requests = 0;
    const server = await servers.tls({ key: good.key.pem, cert: good.certificate }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        requests += 1;
        if (requests === 1) socket.write(OK);
        else socket.destroy();
      });
    });
    const transport = makeTransport({ ca });
    await transport.send(call(server.url));
    await turn();
    const outcomes = [];
    for (let times = 0; times < 2; times += 1) {
      outcomes.push(isStaleSocket(await transport.send(call(server.url)).catch((error: unknown) => error)));
    }
    expect(outcomes).toEqual([true, false]);
  });
});

describe('proxies', () => {
  it.each([
    [407, 'MP_PROXY', 'protocol', false],
    [400, 'MP_PROXY', 'protocol', false],
    [502, 'MP_PROXY', 'transient', true],
    [503, 'MP_PROXY', 'transient', true],
    [403, 'MP_EGRESS_BLOCKED', 'configuration', false],
  ])('F-11, F-12: CONNECT answered %i is %s (%s)', async (status, code, category, retryable) => {
    const { server: target } = await tlsServer(good);
    const proxy = await servers.answering((socket) => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`));
    const error = await failureOf(target.url, { ca, proxy: proxy.url });
    expect(error).toMatchObject({ code, category, retryable });
    expect(target.accepted).toHaveLength(0);
  });

  it('a configured proxy is used, end to end encrypted, with the same strict TLS behind it', async () => {
    const { server: target } = await tlsServer(good);
    const { server: untrusted, heard } = await tlsServer(stranger.issue({ subject: '/CN=x', subjectAltName: names }));
    const asked: string[] = [];
    const proxy = await servers.raw((socket) => tunnel(socket, asked));
    const transport = makeTransport({ ca, proxy: proxy.url });
    expect((await transport.send(call(target.url))).status).toBe(200);
    await expect(transport.send(call(untrusted.url))).rejects.toMatchObject({ code: 'MP_TLS' });
    expect(heard).toEqual([]);
    expect(asked.map((line) => line.split(' ')[0])).toEqual(['CONNECT', 'CONNECT']);
    expect(asked.join('')).not.toContain('canary');
  });
});

/** The working half of a proxy: opens what CONNECT asks for and copies bytes. */
function tunnel(socket: Socket, asked: string[]): void {
  socket.once('data', (data) => {
    const head = data.toString();
    asked.push(head);
    const port = Number(/^CONNECT [^:]+:(\d+)/.exec(head)?.[1]);
    const target = connectTcp(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
    socket.on('close', () => target.destroy());
  });
}

/** A process with its own environment, whose prototypes are polluted for the time of one call. */
const PROGRAM = `import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { HttpTransport } from './http/index.js';
const read = (name) => readFileSync(name, 'utf8');
const pollutions = {
  none: {},
  ca: { ca: read('stranger.pem') },
  rejectUnauthorized: { rejectUnauthorized: false },
  checkServerIdentity: { checkServerIdentity: () => undefined },
  versions: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', secureProtocol: 'TLSv1_method', ciphers: 'NULL' },
  socketPath: { socketPath: '/nowhere', path: '/nowhere' },
  lookup: { lookup: () => { throw new Error('polluted lookup'); } },
  servername: { servername: 'elsewhere.example' },
  proxy: { proxy: 'http://127.0.0.1:9', uri: 'http://127.0.0.1:9' },
  request: { upgrade: 'x', method: 'TRACE', headers: { host: 'elsewhere' }, reset: true },
};
for await (const line of createInterface({ input: process.stdin })) {
  const { url, trusted, pollution } = JSON.parse(line);
  const hostile = pollutions[pollution];
  for (const [name, value] of Object.entries(hostile)) {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
  }
  const transport = new HttpTransport(trusted === 'yes' ? { ca: [read('ca.pem')] } : {});
  const outcome = await transport
    .send({ url, method: 'POST', headers: {}, body: 'a=b', deadlineMs: 60000 })
    .then(({ status }) => status, ({ code }) => code);
  for (const name of Object.keys(hostile)) delete Object.prototype[name];
  await transport.close();
  process.stdout.write(JSON.stringify(outcome) + '\\n');
}`;

describe('in a process of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'maskinporten-tls-'));
  const children = new Map<string, ChildProcessByStdio<Writable, Readable, null>>();
  beforeAll(() => {
    compileRooms(directory, ['errors', 'http']);
    writeFileSync(join(directory, 'ca.pem'), ca);
    writeFileSync(join(directory, 'stranger.pem'), stranger.certificate);
    writeFileSync(join(directory, 'child.js'), PROGRAM);
  });
  afterAll(() => {
    for (const child of children.values()) child.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  /** One process per environment, since each loads undici anew; each call has a transport of its own. */
  function childWith(env: NodeJS.ProcessEnv): ChildProcessByStdio<Writable, Readable, null> {
    const name = JSON.stringify(env);
    const child =
      children.get(name) ??
      spawn(process.execPath, [join(directory, 'child.js')], {
        cwd: directory,
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
    children.set(name, child);
    return child;
  }

  async function outcomeOf(url: string, trusted: 'yes' | 'no', pollution: string, env = {}): Promise<unknown> {
    const child = childWith(env);
    const answered = Promise.race([
      once(child.stdout, 'data'),
      once(child, 'close').then(() => Promise.reject(new Error('the process ended'))),
    ]);
    child.stdin.write(`${JSON.stringify({ url, trusted, pollution })}\n`);
    const [line] = (await answered) as [Buffer];
    return JSON.parse(line.toString());
  }

  it.each([
    'none',
    'ca',
    'rejectUnauthorized',
    'checkServerIdentity',
    'versions',
    'socketPath',
    'lookup',
    'servername',
  ])(
    'T-31: with Object.prototype polluted (%s), strangers are refused and the right server is not',
    async (pollution) => {
      const { server: right } = await tlsServer(good);
      const { server: wrong, heard } = await tlsServer(stranger.issue({ subject: '/CN=x', subjectAltName: names }));
      expect(await outcomeOf(wrong.url, 'yes', pollution)).toBe('MP_TLS');
      expect(heard).toEqual([]);
      expect(await outcomeOf(right.url, 'yes', pollution)).toBe(200);
    },
  );

  it('T-31: a polluted ca is not trusted when none is configured', async () => {
    const { server, heard } = await tlsServer(stranger.issue({ subject: '/CN=x', subjectAltName: names }));
    expect(await outcomeOf(server.url, 'no', 'ca')).toBe('MP_TLS');
    expect(heard).toEqual([]);
  });

  it.each(['lookup', 'request', 'proxy'])(
    'T-31: a polluted %s changes neither name resolution nor the request',
    async (name) => {
      const { server, heard } = await tlsServer(good);
      expect(await outcomeOf(`https://localhost:${server.port}/token`, 'yes', name)).toBe(200);
      expect(heard.join('')).toMatch(/^POST \/token HTTP\/1\.1\r\nhost: localhost:\d+\r\n/);
    },
  );

  it('T-31: a wrong host name stays wrong under a polluted checkServerIdentity', async () => {
    const { server, heard } = await tlsServer(
      authority.issue({ subject: '/CN=x', subjectAltName: 'DNS:other.example' }),
    );
    expect(await outcomeOf(server.url, 'yes', 'checkServerIdentity')).toBe('MP_TLS');
    expect(heard).toEqual([]);
  });

  it('T-31: NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn the check off', async () => {
    const { server, heard } = await tlsServer(good);
    expect(await outcomeOf(server.url, 'no', 'none', { NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toBe('MP_TLS');
    expect(heard).toEqual([]);
  });

  it('T-14: none of the eight proxy variables sends anything to a proxy', async () => {
    const proxy = await servers.raw(() => {});
    const plain = await servers.http((_, response) => response.end('{}'));
    const { server: secure } = await tlsServer(good);
    const variables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
      name,
      name.toLowerCase(),
    ]);
    const values = variables.map((name) => [name, /no_proxy/i.test(name) ? '' : proxy.url]);
    const env = { ...Object.fromEntries(values), NODE_USE_ENV_PROXY: '1' };
    expect(await outcomeOf(plain.url, 'no', 'none', env)).toBe(200);
    expect(await outcomeOf(secure.url, 'yes', 'none', env)).toBe(200);
    expect(proxy.accepted).toHaveLength(0);
  });
});
