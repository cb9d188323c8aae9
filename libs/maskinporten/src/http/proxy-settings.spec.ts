import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { HttpTransport } from './http-transport.js';
import { checkProxy, proxySettings } from './proxy-settings.js';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'] as const;
const CANARY = 'canary-proxy-password';

function failure(make: () => unknown): MaskinportenError {
  try {
    make();
  } catch (error) {
    if (isMaskinportenError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('proxySettings', () => {
  it.each(VARIABLES)('F-147: %s without a scheme is taken as http', (name) => {
    const settings = proxySettings('environment', { [name]: ' proxy.example.no:3128 ' });
    const member = name.toLowerCase() === 'http_proxy' ? 'httpProxy' : 'httpsProxy';
    expect(settings[member]).toBe('http://proxy.example.no:3128/');
  });

  it.each(VARIABLES)('F-147: what cannot be read in %s is MP_CONFIG that names it and does not quote it', (name) => {
    for (const value of [
      'socks5://proxy.example.no:1080',
      'http://',
      'proxy',
      `http://u:${CANARY}%zz@proxy.example.no`,
      `ftp://u:${CANARY}@proxy.example.no`,
      'http://proxy example.no:3128',
      'proxy.example.no:99999',
    ]) {
      const error = failure(() => proxySettings('environment', { [name]: value }));
      expect(error.code).toBe('MP_CONFIG');
      expect(error.failures).toEqual([expect.objectContaining({ field: 'http.proxy' })]);
      expect(error.message).toContain(name);
      expect(error.message).not.toContain(CANARY);
    }
  });

  it('names in lower case win, an empty one means no proxy, and NO_PROXY is handed on', () => {
    const settings = proxySettings('environment', {
      http_proxy: '',
      HTTP_PROXY: 'http://upper:1',
      https_proxy: 'http://lower:2',
      HTTPS_PROXY: 'http://upper:3',
      NO_PROXY: 'localhost,.example.no',
    });
    expect(settings).toEqual({ httpProxy: '', httpsProxy: 'http://lower:2/', noProxy: 'localhost,.example.no' });
    expect(proxySettings('environment', { no_proxy: '', NO_PROXY: '*' }).noProxy).toBe('');
    expect(proxySettings('environment', {})).toEqual({ httpProxy: '', httpsProxy: '', noProxy: '' });
  });

  it('T-66: a variable on a polluted prototype is none', () => {
    Object.assign(Object.prototype, { https_proxy: 'http://evil.example:1' });
    try {
      expect(proxySettings('environment').httpsProxy).not.toContain('evil');
    } finally {
      delete (Object.prototype as { https_proxy?: string }).https_proxy;
    }
  });

  it('the option itself is read in the same way', () => {
    expect(proxySettings('proxy.example.no:3128').httpsProxy).toBe('http://proxy.example.no:3128/');
    expect(failure(() => proxySettings('nowhere')).message).toContain('the option proxy');
    expect(checkProxy(7)).toHaveProperty('reason');
  });
});

const listen = async (handle: (socket: Socket) => void): Promise<{ server: Server; port: number }> => {
  const server = createServer((socket) => handle(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
};
describe('a proxy that refuses', () => {
  const open: (Server | HttpTransport)[] = [];
  const before = VARIABLES.map((name) => [name, process.env[name]] as const);
  afterEach(async () => {
    for (const each of open.splice(0)) {
      if (each instanceof HttpTransport) await each.close();
      else await new Promise((resolve) => each.close(resolve));
    }
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  const call = async (proxy: string): Promise<MaskinportenError> => {
    const transport = new HttpTransport({ proxy });
    open.push(transport);
    try {
      await transport.send({ url: 'https://token.example.no/token', method: 'POST', deadlineMs: 20_000 });
    } catch (error) {
      if (isMaskinportenError(error)) return error;
      throw error;
    }
    throw new Error('it did not fail');
  };

  it('F-11, F-147: is reported as the proxy, by option and by variable, without its credentials', async () => {
    const { server, port } = await listen((socket) => socket.destroy());
    await new Promise((resolve) => server.close(resolve));
    for (const name of VARIABLES) delete process.env[name];
    process.env['HTTPS_PROXY'] = `u:${CANARY}@127.0.0.1:${port}`;
    for (const proxy of [`http://u:${CANARY}@127.0.0.1:${port}`, 'environment']) {
      const error = await call(proxy);
      expect(error).toMatchObject({ code: 'MP_PROXY', failures: [{ field: 'http.proxy' }], retryable: true });
      expect(error.message).toBe(`The proxy 127.0.0.1:${port} could not be reached (ECONNREFUSED).`);
      expect(JSON.stringify(error)).not.toContain(CANARY);
    }
  });

  it.each([
    [407, { code: 'MP_PROXY', retryable: false }],
    [502, { code: 'MP_PROXY', retryable: true }],
    [403, { code: 'MP_EGRESS_BLOCKED', retryable: false }],
  ])('F-11: answers %d', async (status, expected) => {
    const { server, port } = await listen((socket) =>
      socket.once('data', () => socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)),
    );
    open.push(server);
    const error = await call(`http://127.0.0.1:${port}`);
    expect(error).toMatchObject({ ...expected, failures: [{ field: 'http.proxy' }] });
    expect(error.message).toContain(`The proxy on the way to token.example.no answered ${status}`);
  });

  it('F-11: hangs up before it has answered, and is not called again and again', async () => {
    let connections = 0;
    const { server, port } = await listen((socket) => {
      connections += 1;
      socket.once('data', () => socket.destroy());
    });
    open.push(server);
    const error = await call(`http://127.0.0.1:${port}`);
    expect(error).toMatchObject({ code: 'MP_PROXY', failures: [{ field: 'http.proxy' }] });
    expect(connections).toBe(1);
  });
});
