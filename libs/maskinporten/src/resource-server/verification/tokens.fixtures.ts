import { createHmac, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import type { Clock } from '../../basics/index.js';

/** Written by hand, so that no library decides what a token may look like. */
export const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const HASHES: Readonly<Record<string, string>> = { RS256: 'sha256', RS384: 'sha384', RS512: 'sha512' };

/** Signs whatever it is given, valid or not. */
export function signed(header: Readonly<Record<string, unknown>>, payload: unknown, key: KeyObject): string {
  const content = `${encode(header)}.${encode(payload)}`;
  const hash = HASHES[String(header['alg'])] ?? 'sha256';
  return `${content}.${sign(hash, Buffer.from(content), key).toString('base64url')}`;
}

/** HS256 with a public key as its secret: the oldest trick against verifiers that let the token choose (RFC 8725 §2.1). */
export function signedWithPublicKey(header: object, payload: unknown, key: KeyObject): string {
  const content = `${encode({ ...header, alg: 'HS256' })}.${encode(payload)}`;
  const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' });
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

export const organisation = (orgno: string): object => ({ authority: 'iso6523-actorid-upis', ID: `0192:${orgno}` });

/** Time that a test decides; both clocks go together unless it says otherwise. */
export class TestClock implements Clock {
  wall = 1_795_000_060_000;
  monotonic = 5_000;

  readonly wallMs = (): number => this.wall;
  readonly monotonicMs = (): number => this.monotonic;

  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

/** Claims as Maskinporten writes them; `undefined` takes one away. */
export function claimsOf(issuer: string, nowMs: number, changes: Readonly<Record<string, unknown>> = {}): object {
  const now = Math.floor(nowMs / 1000);
  return {
    iss: issuer,
    client_amr: 'private_key_jwt',
    client_id: '0c1f0a52-6a0e-4b56-9d5c-3a7a52b9b6a1',
    token_type: 'Bearer',
    iat: now,
    exp: now + 120,
    jti: 'p3c1F0cJmS8n2x0rYk5a9w7QeVbTzUuHh1dLgK4oXyM',
    scope: 'acme:things.read acme:things.write',
    consumer: organisation('310000019'),
    ...changes,
  };
}

export type Answer = (response: ServerResponse) => void;

/** An issuer that publishes metadata and keys as a test wants them, over real HTTP. */
export class TestIssuer {
  readonly #server: Server = createServer((request, response) => {
    const path = request.url ?? '';
    this.requests.push(path);
    const answer = path === '/jwk' ? this.jwks : path.startsWith('/.well-known/') ? this.metadata : undefined;
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
  readonly requests: string[] = [];
  jwks: Answer = (response) => response.end(JSON.stringify({ keys: this.keys }));
  metadata: Answer = (response) =>
    response.end(JSON.stringify({ issuer: this.issuer, jwks_uri: `${this.origin}/jwk` }));
  keys: object[] = [];
  origin = '';

  /** With its slash. */
  get issuer(): string {
    return `${this.origin}/`;
  }

  /** How often the keys were fetched. */
  get fetches(): number {
    return this.requests.filter((path) => path === '/jwk').length;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The public half as an issuer publishes it. */
export const published = (key: KeyObject, kid: string, changes: object = {}): object => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
  use: 'sig',
  alg: 'RS256',
  kid,
  ...changes,
});
