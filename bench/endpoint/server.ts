// A process of its own: a token endpoint that answers any well-formed grant, and an API that answers any call.
// It checks nothing (the simulator does that) so that what is measured is the client.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What one run of a client has asked for. */
export interface EndpointStats {
  readonly tokenRequests: number;
  /** Seconds from `iat` of a grant to its arrival, at most. `iat` is in whole seconds, so it can be one too high. */
  readonly worstAgeSeconds: number;
}

const stats = new Map<string, { tokenRequests: number; worstAgeSeconds: number }>();

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = encode({ kid: 'endpoint', alg: 'RS256' });
const signature = randomBytes(384).toString('base64url');
/** Makes the whole token about 1,270 characters, as Maskinporten's are. */
const filler = 'x'.repeat(360);
let serial = 0;

function newToken(lifeSeconds: number): string {
  serial += 1;
  const exp = Date.now() / 1_000 + lifeSeconds;
  return `${header}.${encode({ iss: 'http://127.0.0.1/', jti: serial, exp, filler })}.${signature}`;
}

function noteGrant(run: string, body: string): boolean {
  const assertion = new URLSearchParams(body).get('assertion');
  const payload = assertion?.split('.')[1];
  if (payload === undefined) return false;
  const { iat } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number };
  const known = stats.get(run) ?? { tokenRequests: 0, worstAgeSeconds: 0 };
  known.tokenRequests += 1;
  known.worstAgeSeconds = Math.max(known.worstAgeSeconds, Date.now() / 1_000 - iat);
  stats.set(run, known);
  return true;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** `/<run>/<delay in ms>/<life in s>/token` */
const TOKEN_PATH = /^\/([\w-]+)\/(\d+)\/(\d+)\/token$/;

function serve(request: IncomingMessage, response: ServerResponse): void {
  const route = TOKEN_PATH.exec(request.url ?? '');
  if (route === null) {
    request.resume();
    answer(response, 200, { items: [{ id: 1, name: 'first' }], total: 1 });
    return;
  }
  const [, run = '', delayMs, lifeSeconds] = route;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (!noteGrant(run, Buffer.concat(chunks).toString())) {
      answer(response, 400, { error: 'invalid_request' });
      return;
    }
    const life = Number(lifeSeconds);
    const send = (): void => {
      answer(response, 200, { access_token: newToken(life), token_type: 'Bearer', expires_in: life - 1 });
    };
    if (delayMs === '0') send();
    else setTimeout(send, Number(delayMs));
  });
}

const server = createServer({ keepAliveTimeout: 120_000 }, serve);
server.listen({ host: '127.0.0.1', port: 0, backlog: 8_192 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', (run: string) => {
  process.send?.({ run, stats: stats.get(run) ?? { tokenRequests: 0, worstAgeSeconds: 0 } });
});
process.on('disconnect', () => process.exit());
