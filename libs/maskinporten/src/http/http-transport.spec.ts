import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { HttpTransport, isStaleSocket, type HttpRequest, type HttpTransportOptions } from './index.js';
import { OK, TestServers, turn } from './sockets.fixtures.js';
import { transportError } from './transport-error.js';

const servers = new TestServers();
const transports: HttpTransport[] = [];

function makeTransport(options: HttpTransportOptions = {}): HttpTransport {
  const transport = new HttpTransport(options);
  transports.push(transport);
  return transport;
}

afterEach(async () => {
  await servers.closeAll();
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});

const post = (url: string): HttpRequest => ({
  url,
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: 'assertion=canary-assertion',
  deadlineMs: 60_000,
});

async function failureOf(request: HttpRequest, transport = makeTransport()): Promise<MaskinportenError> {
  const outcome: unknown = await transport.send(request).catch((error: unknown) => error);
  if (!isMaskinportenError(outcome)) throw new Error(`expected our error, got ${inspect(outcome)}`);
  expect(inspect(outcome, { depth: 20, showHidden: true })).not.toContain('canary');
  expect(outcome).not.toHaveProperty('cause');
  return outcome;
}

describe('HttpTransport', () => {
  it('sends what it was given and gives status, headers, body and times', async () => {
    const seen: unknown[] = [];
    const { url } = await servers.http((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push([request.method, request.url, request.headers['accept-encoding'], body]);
        response.writeHead(400, { 'X-Trace': ['a', 'b'], 'content-type': 'application/json' }).end('{"error":"x"}');
      });
    });
    let time = 0;
    const now = (): number => (time += 7);
    const answer = await makeTransport({ now }).send(post(`${url}/token?x=1`));
    expect(seen).toEqual([['POST', '/token?x=1', 'identity', 'assertion=canary-assertion']]);
    expect(answer).toMatchObject({ status: 400, body: Buffer.from('{"error":"x"}'), sentAtMs: 7, receivedAtMs: 14 });
    expect(answer.headers['x-trace']).toBe('a, b');
    expect(answer.headers['date']).toMatch(/GMT$/);
  });

  it('keeps sockets: twenty calls in turn use one, and never more than maxConnections at once', async () => {
    const server = await servers.http((_, response) => setImmediate(() => response.end('{}')));
    const transport = makeTransport({ maxConnections: 3 });
    for (let call = 0; call < 20; call += 1) {
      await transport.send(post(server.url));
      await turn();
    }
    expect(server.accepted).toHaveLength(1);
    await Promise.all(Array.from({ length: 20 }, () => transport.send(post(server.url))));
    expect(server.accepted.length).toBeLessThanOrEqual(3);
  });

  it('does not follow redirects: the answer is handed on as it is', async () => {
    const other = await servers.http((_, response) => response.end('{}'));
    const { url } = await servers.http((_, response) => response.writeHead(307, { location: other.url }).end());
    expect((await makeTransport().send(post(url))).status).toBe(307);
    expect(other.accepted).toHaveLength(0);
  });

  it('close ends idle sockets, and calls after it are refused', async () => {
    const server = await servers.http((_, response) => response.end('{}'));
    const transport = makeTransport();
    await transport.send(post(server.url));
    const closed = new Promise((resolve) => server.accepted[0]?.once('close', resolve));
    await transport.close();
    await closed;
    expect((await failureOf(post(server.url), transport)).code).toBe('MP_ABORTED');
  });

  it.each(['http://example.com/', 'ftp://127.0.0.1/', 'https://user:canary@127.0.0.1/', 'token', 'https://a\nb/'])(
    'S-09: %j is not called at all',
    async (url) => {
      expect((await failureOf(post(url))).code).toBe('MP_CONFIG_ENDPOINT');
    },
  );

  it('T-13, T-44: sockets are opened and used outside the context of the caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const server = await servers.http((_, response) => response.end('{}'));
    const seen: unknown[] = [];
    const note = (): number => seen.push(storage.getStore());
    const channels = ['undici:client:connected', 'undici:client:sendHeaders'];
    for (const name of channels) subscribe(name, note);
    const transport = makeTransport();
    const after = await storage.run('caller', async () => {
      await transport.send(post(server.url));
      return storage.getStore();
    });
    for (const name of channels) unsubscribe(name, note);
    expect([seen, after]).toEqual([[undefined, undefined], 'caller']);
  });
});

describe('network faults', () => {
  it('F-01: a name that does not exist is MP_NETWORK', async () => {
    const error = await failureOf(post('https://does-not-exist.invalid/token'));
    expect(error).toMatchObject({ code: 'MP_NETWORK', category: 'transient', retryable: true });
  });

  it('F-03: a refused connection is MP_NETWORK', async () => {
    const server = await servers.raw(() => {});
    await server.close();
    const error = await failureOf(post(server.url));
    expect(error).toMatchObject({
      code: 'MP_NETWORK',
      retryable: true,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(isStaleSocket(error)).toBe(false);
  });

  it('F-04: a reset before the headers is MP_NETWORK, and on a fresh socket not a stale one', async () => {
    const { url } = await servers.answering((socket) => socket.resetAndDestroy());
    const error = await failureOf(post(url));
    expect(error).toMatchObject({ code: 'MP_NETWORK', retryable: true });
    expect(error.status).toBeUndefined();
    expect(isStaleSocket(error)).toBe(false);
  });

  it('F-04: a close without an answer is MP_NETWORK', async () => {
    const { url } = await servers.answering((socket) => socket.end());
    expect((await failureOf(post(url))).code).toBe('MP_NETWORK');
  });

  it.each(['end', 'resetAndDestroy'] as const)(
    'F-05: a pooled socket that the server closed while idle (%s) is told apart, and a repeated call succeeds',
    async (how) => {
      let answered = 0;
      const server = await servers.answering((socket) => {
        answered += 1;
        // The second request of the first socket meets a server that has gone.
        if (answered === 2) socket[how]();
        else socket.write(OK);
      });
      const transport = makeTransport();
      await transport.send(post(server.url));
      await turn();
      const error = await failureOf(post(server.url), transport);
      expect(error.code).toBe('MP_NETWORK');
      expect(isStaleSocket(error)).toBe(true);
      expect((await transport.send(post(server.url))).status).toBe(200);
      expect(server.accepted).toHaveLength(2);
    },
  );

  it('F-05: a GET that meets a stale socket is sent once more, and not twice', async () => {
    let answered = 0;
    const server = await servers.answering((socket) => {
      answered += 1;
      if (answered === 2 || answered > 3) socket.end();
      else socket.write(OK);
    });
    const transport = makeTransport();
    const get = { url: server.url, method: 'GET', deadlineMs: 60_000 } as const;
    await transport.send(get);
    await turn();
    expect((await transport.send(get)).status).toBe(200);
    expect(server.accepted).toHaveLength(2);
    await turn();
    expect((await failureOf(get, transport)).code).toBe('MP_NETWORK');
    // The first, a stale one and its repetition; a stale one and its repetition.
    expect(answered).toBe(5);
  });

  it('F-05: half an answer on a used socket is not a stale socket', async () => {
    let answered = 0;
    const server = await servers.answering((socket) => {
      answered += 1;
      if (answered === 1) socket.write(OK);
      else socket.write('HTTP/1.1 200 OK\r\ncontent-', () => socket.resetAndDestroy());
    });
    const transport = makeTransport();
    await transport.send(post(server.url));
    await turn();
    expect(isStaleSocket(await failureOf(post(server.url), transport))).toBe(false);
  });

  it('F-07: a connection that is never completed is MP_TIMEOUT', async () => {
    const { port } = await servers.raw(() => {});
    const error = await failureOf(post(`https://127.0.0.1:${port}/`), makeTransport({ connectTimeoutMs: 30 }));
    expect(error).toMatchObject({ code: 'MP_TIMEOUT', retryable: true });
    expect(error.message).toContain('UND_ERR_CONNECT_TIMEOUT');
  });

  it('F-08: a server that accepts and is silent is MP_TIMEOUT', async () => {
    const { url } = await servers.raw(() => {});
    expect(await failureOf({ ...post(url), deadlineMs: 40 })).toMatchObject({ code: 'MP_TIMEOUT', retryable: true });
  });

  it('F-09, T-63: a body that drips is cut off by the total deadline', async () => {
    const { url } = await servers.answering((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const drip = setInterval(() => socket.write('x'), 5);
      socket.once('close', () => clearInterval(drip));
    });
    const error = await failureOf({ ...post(url), deadlineMs: 1_000 });
    expect(error).toMatchObject({ code: 'MP_TIMEOUT', status: 200 });
  });

  it.each([
    ['content-length', 'content-length: 100\r\n', '{"access_'],
    ['content-length and connection: close', 'content-length: 100\r\nconnection: close\r\n', '{"access_'],
    ['chunked', 'transfer-encoding: chunked\r\n', '9\r\n{"access_'],
    ['chunked and connection: close', 'transfer-encoding: chunked\r\nconnection: close\r\n', '9\r\n{"access_\r\n'],
  ])('F-10: a body cut short (%s) is MP_NETWORK with the status', async (_, headers, part) => {
    const { url } = await servers.answering((socket) => socket.end(`HTTP/1.1 200 OK\r\n${headers}\r\n${part}`));
    expect(await failureOf(post(url))).toMatchObject({ code: 'MP_NETWORK', retryable: true, status: 200 });
  });

  it('F-10: a reset in the middle of the body is MP_NETWORK with the status', async () => {
    const { url } = await servers.answering((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{', () =>
        setImmediate(() => socket.resetAndDestroy()),
      );
    });
    const error = await failureOf(post(url));
    expect(error.code).toBe('MP_NETWORK');
    expect(isStaleSocket(error)).toBe(false);
  });

  it('F-13: a caller that has gone before, during the wait and during the body is MP_ABORTED', async () => {
    const silent = await servers.raw(() => {});
    const before = await failureOf({ ...post(silent.url), signal: AbortSignal.abort() });
    expect([before.code, silent.accepted.length]).toEqual(['MP_ABORTED', 0]);

    for (const head of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{']) {
      const controller = new AbortController();
      const server = await servers.answering((socket) => {
        if (head !== '') socket.write(head);
        setImmediate(() => controller.abort());
      });
      expect((await failureOf({ ...post(server.url), signal: controller.signal })).code).toBe('MP_ABORTED');
    }
  });

  it('F-105: a deadline longer than a timer can be does not fire at once, and no listener is left', async () => {
    const { signal } = new AbortController();
    const listeners: number[] = [];
    const count = (): number => listeners.push(getEventListeners(signal, 'abort').length);
    const { url } = await servers.http((_, response) => {
      count();
      setImmediate(() => response.end('{}'));
    });
    const answer = await makeTransport().send({ ...post(url), deadlineMs: 2 ** 40, signal });
    count();
    expect([answer.status, listeners]).toEqual([200, [1, 0]]);
  });
});

async function answerWith(answer: string | Buffer): Promise<MaskinportenError> {
  const { url } = await servers.answering((socket) => socket.end(answer));
  return failureOf(post(url));
}

describe('answers that are not acceptable', () => {
  it.each<[string, string | Buffer]>([
    ['announced too large', 'HTTP/1.1 200 OK\r\ncontent-length: 65537\r\n\r\n'],
    ['too large without a length', `HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${'x'.repeat(65_537)}`],
    ['too many header bytes', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`],
    ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a bad status line', 'HTTP/1.1 abc\r\n\r\n'],
    ['both lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['a bad chunk size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
  ])('F-36, T-63: %s is MP_PROTOCOL', async (_, answer) => {
    expect(await answerWith(answer)).toMatchObject({ code: 'MP_PROTOCOL', retryable: false });
  });

  it('F-36, T-63: a gzip bomb is refused without being unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`;
    const error = await answerWith(Buffer.concat([Buffer.from(head), bomb]));
    expect(error).toMatchObject({ code: 'MP_PROTOCOL', status: 200 });
  });

  it('a body of exactly the limit is read', async () => {
    const body = 'x'.repeat(100);
    const { url } = await servers.answering((socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${body}`),
    );
    expect((await makeTransport().send({ ...post(url), maxBytes: 100 })).body.toString()).toBe(body);
    expect((await failureOf({ ...post(url), maxBytes: 99 })).code).toBe('MP_PROTOCOL');
  });
});

describe('translation of codes that cannot be made on loopback', () => {
  const call = { host: 'maskinporten.no', callerAborted: false, deadlineMs: 3_000, deadlineHit: false };

  it.each([
    ['F-02', 'EAI_AGAIN', 'MP_NETWORK'],
    ['F-06', 'EHOSTUNREACH', 'MP_NETWORK'],
    ['F-06', 'ENETUNREACH', 'MP_NETWORK'],
    ['F-07', 'ETIMEDOUT', 'MP_TIMEOUT'],
    ['F-12', 'EPERM', 'MP_EGRESS_BLOCKED'],
    ['F-12', 'EACCES', 'MP_EGRESS_BLOCKED'],
    ['F-22', 'SELF_SIGNED_CERT_IN_CHAIN', 'MP_TLS'],
    ['F-22', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'MP_TLS'],
    ['F-22', 'CERT_REVOKED', 'MP_TLS'],
    ['F-23', 'EPROTO', 'MP_TLS'],
    ['F-23', 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'MP_TLS'],
    ['F-36', 'HPE_INVALID_CONSTANT', 'MP_PROTOCOL'],
    ['F-36', 'UND_ERR_HEADERS_OVERFLOW', 'MP_PROTOCOL'],
    ['misuse', 'UND_ERR_INVALID_ARG', 'MP_CONFIG'],
    ['anything else', 'ESOMETHING', 'MP_NETWORK'],
  ])('%s: %s is %s', (_, code, expected) => {
    expect(transportError(Object.assign(new Error('canary'), { code }), call)).toMatchObject({ code: expected });
  });

  it('T-01: text, cause and other properties of the error stay behind, an odd code too', () => {
    const cause = { headers: { authorization: 'Bearer canary' } };
    const raw = Object.assign(new Error('canary', { cause }), { code: 'canary code', request: 'canary' });
    for (const error of [raw, 'canary', { canary: 'canary' }, undefined]) {
      expect(inspect(transportError(error, call), { depth: 20, showHidden: true })).not.toContain('canary');
    }
  });
});
