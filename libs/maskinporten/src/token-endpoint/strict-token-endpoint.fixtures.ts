import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '../basics/index.js';

/** What the server does with one grant; `undefined` stands for a token. */
export type Misbehaviour = (response: ServerResponse, request: IncomingMessage) => void;

/** One grant as it came in, judged. */
export interface ReceivedGrant {
  readonly assertion: string;
  readonly claims: JWTPayload;
  readonly kid: string | undefined;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** Two clocks that move only when they are told to. */
export class ManualClock implements Clock {
  wall = 1_795_000_000_000;
  monotonic = 5_000;
  wallMs(): number {
    return this.wall;
  }
  monotonicMs(): number {
    return this.monotonic;
  }
  advance(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

const DOCUMENTED = new Set([
  'aud',
  'iss',
  'scope',
  'iat',
  'exp',
  'jti',
  'resource',
  'consumer_org',
  'pid',
  'authorization_details',
]);

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** A strict token endpoint of its own: whatever it does not expect is a refusal that says what was wrong. */
export class StrictTokenEndpoint {
  readonly grants: ReceivedGrant[] = [];
  /** Grants that no honest client would send; must stay empty. */
  readonly violations: string[] = [];
  /** Taken from the front, one per grant; when there is none left the answer is a token. */
  script: (Misbehaviour | undefined)[] = [];
  /** Asked when the script is empty. */
  always: Misbehaviour | undefined;
  expiresIn: unknown = 120;
  /** Takes grants that name no key, as certificate clients send them (their chain is not this server's business). */
  keyless = false;
  /** Answered to those who ask for the issuer's metadata. */
  metadata: unknown;
  accepted = 0;
  /** How far this server's clock is ahead of the client's. */
  offsetMs = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #seen = new Set<string>();
  readonly #grantOf = new WeakMap<ServerResponse, { readonly grant: ReceivedGrant; readonly nowMs: number }>();
  readonly #publicKeys: Map<string, KeyObject>;
  readonly #clock: Clock;

  private constructor(publicKeys: Map<string, KeyObject>, clock: Clock) {
    this.#publicKeys = publicKeys;
    this.#clock = clock;
    this.#server = createServer((request, response) => void this.#handle(request, response));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(publicKeys: Map<string, KeyObject>, clock: Clock): Promise<StrictTokenEndpoint> {
    const endpoint = new StrictTokenEndpoint(publicKeys, clock);
    endpoint.#server.listen(0, '127.0.0.1');
    await once(endpoint.#server, 'listening');
    return endpoint;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** False once it is closed. */
  get listening(): boolean {
    return this.#server.listening;
  }

  get issuer(): string {
    return `${this.origin}/`;
  }

  get jtis(): readonly unknown[] {
    return this.grants.map(({ claims }) => claims.jti);
  }

  /** Takes grants that are signed with this key and name it by a certificate chain. */
  trust(publicKey: KeyObject): void {
    this.#publicKeys.set('x5c', publicKey);
  }

  /** Closes idle connections without a word, as servers do. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const nowMs = this.#clock.wallMs() + this.offsetMs;
    response.setHeader('date', new Date(nowMs).toUTCString());
    if (request.method === 'GET' && request.url?.startsWith('/.well-known/') === true) {
      answer(200, this.metadata)(response, request);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    try {
      const grant = await this.#judge(request, body);
      this.grants.push(grant);
      this.#grantOf.set(response, { grant, nowMs });
    } catch (error) {
      this.violations.push(String(error));
      answer(400, { error: 'invalid_request', error_description: 'Invalid assertion' })(response, request);
      return;
    }
    const next = (this.script.length > 0 ? this.script.shift() : this.always) ?? this.grant;
    next(response, request);
  }

  /** Gives the token that was asked for, unless the clocks are too far apart. */
  readonly grant: Misbehaviour = (response, request) => {
    const { grant, nowMs } = this.#grantOf.get(response) ?? {};
    const { iat = 0, exp = 0, scope } = grant?.claims ?? {};
    if (iat * 1000 > Number(nowMs) + 10_000) {
      refusal(undefined, 'invalid_grant', 400, 'Issue time is after now')(response, request);
    } else if (exp * 1000 < Number(nowMs)) {
      refusal('MP-130', 'invalid_grant', 400, 'JWT is expired')(response, request);
    } else {
      this.accepted += 1;
      const access_token = `token-${this.accepted}.${'x'.repeat(40)}`;
      const expires_in = this.expiresIn === undefined ? {} : { expires_in: this.expiresIn };
      answer(200, { access_token, token_type: 'Bearer', scope, ...expires_in })(response, request);
    }
  };

  /** RFC 7523 (Digdir, JWT grant; Digdir, token), with a library that shares no code with the client. */
  async #judge(request: IncomingMessage, body: string): Promise<ReceivedGrant> {
    must(request.method === 'POST' && request.url === '/token', `${request.method} ${request.url}`);
    must(request.headers['content-type'] === 'application/x-www-form-urlencoded', 'content type');
    must(request.headers.authorization === undefined, 'client authentication');
    const form = new URLSearchParams(body);
    must([...form.keys()].join() === 'grant_type,assertion', `form has ${[...form.keys()].join()}`);
    must(form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'grant_type');
    const assertion = form.get('assertion') ?? '';
    must(!this.#seen.has(assertion), 'the same assertion twice');
    this.#seen.add(assertion);
    const verified = await jwtVerify(
      assertion,
      (header) => {
        const key = this.#publicKeys.get(header.kid ?? (this.keyless ? 'kid-0' : 'x5c'));
        if (key === undefined) throw new Error(`unknown kid ${header.kid}`);
        return key;
      },
      {
        audience: this.issuer,
        algorithms: ['RS256', 'RS384', 'RS512'],
        currentDate: new Date(0),
        clockTolerance: 1e12,
      },
    );
    const { payload, protectedHeader } = verified;
    for (const name of Object.keys(payload)) must(DOCUMENTED.has(name), `claim ${name}`);
    must(typeof payload.aud === 'string', 'aud is not one string');
    must(Number(payload.exp) - Number(payload.iat) <= 120, 'exp - iat');
    must(['alg,kid', 'alg,x5c', this.keyless ? 'alg' : ''].includes(Object.keys(protectedHeader).join()), 'header');
    must(typeof payload.jti === 'string' && !this.#seen.has(payload.jti), 'jti used before');
    this.#seen.add(String(payload.jti));
    return { assertion, claims: payload, kid: protectedHeader.kid, body, headers: request.headers };
  }
}

/** Answers with a status and a JSON body, or a text as it is. */
export function answer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Misbehaviour {
  return (response) => {
    const json = typeof body !== 'string' && !Buffer.isBuffer(body);
    response.writeHead(status, { 'content-type': json ? 'application/json' : 'text/html', ...headers });
    response.end(json ? JSON.stringify(body) : body);
  };
}

/** A refusal as Maskinporten writes it. */
export function refusal(
  mpCode: string | undefined,
  error = 'invalid_grant',
  status = 400,
  text = 'Invalid assertion',
): Misbehaviour {
  const error_uri = mpCode === undefined ? {} : { error_uri: `https://test.maskinporten.no/errors/${mpCode}` };
  return answer(status, {
    error,
    error_description: `${text} (trace_id: 0af7651916cd43dd8448eb211c80319c)`,
    ...error_uri,
  });
}

export const reset: Misbehaviour = (response) => {
  response.socket?.resetAndDestroy();
};
/** Accepts and says nothing; the connection is closed with the server. */
export const silence: Misbehaviour = () => {};
