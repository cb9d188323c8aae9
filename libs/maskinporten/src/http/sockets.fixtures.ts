import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls';

export interface TestServer {
  readonly port: number;
  readonly url: string;
  /** Sockets accepted so far. */
  readonly accepted: readonly Socket[];
  close(): Promise<void>;
}

/** Real servers on loopback, closed with everything that hangs on them. */
export class TestServers {
  readonly #open: TestServer[] = [];

  http(listener: RequestListener): Promise<TestServer> {
    return this.#listen(createHttpServer(listener), 'http');
  }

  raw(onConnection: (socket: Socket) => void): Promise<TestServer> {
    return this.#listen(createServer(onConnection), 'http');
  }

  /** A server of raw bytes: answers each request (recognised by its first chunk) with what `answer` writes. */
  answering(answer: (socket: Socket, request: string) => void): Promise<TestServer> {
    return this.raw((socket) => socket.on('data', (data) => answer(socket, data.toString('latin1'))));
  }

  tls(options: TlsOptions, onConnection: (socket: TLSSocket) => void): Promise<TestServer> {
    const server = createTlsServer(options, onConnection);
    server.on('tlsClientError', () => {});
    return this.#listen(server, 'https');
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((server) => server.close()));
  }

  async #listen(server: Server, scheme: string): Promise<TestServer> {
    const accepted: Socket[] = [];
    server.on('connection', (socket: Socket) => {
      accepted.push(socket);
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const port = portOf(server.address());
    const close = async (): Promise<void> => {
      for (const socket of accepted) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
    const open = { port, url: `${scheme}://127.0.0.1:${port}`, accepted, close };
    this.#open.push(open);
    return open;
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

/** undici gives a socket to the next request one turn of the event loop after it became free. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}';
