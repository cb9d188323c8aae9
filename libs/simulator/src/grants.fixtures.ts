import { type KeyObject, randomUUID } from 'node:crypto';
import { type CompactJWSHeaderParameters, CompactSign } from 'jose';
import { rsaKeyPair, signingKeys } from '../../../test/support/pool.js';
import type { ClientInput, ClientJwk, SimulatorConfig } from './index.js';
import { isRecord } from './kernel/index.js';
import { type Simulator, type SimulatorOptions, startSimulator } from './start-simulator.js';

export const VENDOR = '310000019';
export const CUSTOMER = '310000027';
export const OTHER = '310000035';
export const PERSON = '01819000391';
export const SCOPE = 'acme:orders.read';
export const SECOND_SCOPE = 'acme:orders.write';
export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly jwk: ClientJwk;
}

export function makeKey(kid: string, modulusLength = 2048): TestKey {
  const { privateKey, publicKey } = rsaKeyPair(modulusLength);
  const { n, e } = publicKey.export({ format: 'jwk' });
  return { privateKey, jwk: { kty: 'RSA', n: String(n), e: String(e), use: 'sig', alg: 'RS256', kid } };
}

export const KEY = makeKey('key-1');

export function makeClient(members: Partial<ClientInput> = {}): ClientInput {
  return {
    clientId: 'client-1',
    orgno: VENDOR,
    jwks: { keys: [KEY.jwk] },
    scopes: [SCOPE, SECOND_SCOPE],
    ...members,
  };
}

/** A clock that stands still until it is moved, at a whole second. */
export class TestClock {
  nowMs = 1_795_000_000_000;
  readonly source = (): number => this.nowMs;
  get seconds(): number {
    return this.nowMs / 1000;
  }
  advance(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

export type Claims = Record<string, unknown>;

export interface GrantChanges {
  /** Changes to the claims; `undefined` removes one. */
  readonly claims?: Claims;
  readonly header?: Record<string, unknown>;
  readonly key?: KeyObject;
}

function withoutUndefined(members: Claims): Claims {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** A simulator with a fixed clock, and a hand that makes grants for it, right and wrong. */
export class GrantBench {
  readonly clock: TestClock;
  readonly simulator: Simulator;

  private constructor(clock: TestClock, simulator: Simulator) {
    this.clock = clock;
    this.simulator = simulator;
  }

  static async start(config: SimulatorConfig = {}, options: SimulatorOptions = {}): Promise<GrantBench> {
    const clock = new TestClock();
    const simulator = await startSimulator({
      clock: clock.source,
      separateOrigins: true,
      ...options,
      signingKeys: options.signingKeys ?? signingKeys(),
      config: { clients: [makeClient()], ...config },
    });
    return new GrantBench(clock, simulator);
  }

  claims(changes: Claims = {}): Claims {
    const iat = Math.floor(this.clock.seconds);
    const claims = {
      aud: this.simulator.issuer,
      iss: 'client-1',
      scope: SCOPE,
      iat,
      exp: iat + 60,
      jti: randomUUID(),
    };
    return withoutUndefined({ ...claims, ...changes });
  }

  assertion({ claims = {}, header = {}, key = KEY.privateKey }: GrantChanges = {}): Promise<string> {
    const { alg = 'RS256', ...parameters } = withoutUndefined({ kid: 'key-1', ...header });
    return sign(JSON.stringify(this.claims(claims)), { ...parameters, alg: String(alg) }, key);
  }

  async post(body: string | URLSearchParams, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(this.simulator.tokenEndpoint, { method: 'POST', body, headers });
    return { status: response.status, headers: response.headers, json: asClaims(await response.json()) };
  }

  send(assertion: string): Promise<Reply> {
    return this.post(new URLSearchParams({ grant_type: GRANT_TYPE, assertion }));
  }

  async grant(changes: GrantChanges = {}): Promise<Reply> {
    return this.send(await this.assertion(changes));
  }

  /** The claims of the token that a good grant gives. */
  async token(changes: GrantChanges = {}): Promise<Claims> {
    const { status, json } = await this.grant(changes);
    if (status !== 200) throw new Error(`refused: ${JSON.stringify(json)}`);
    return tokenClaims(json);
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}

/** Signs any payload under any header: what jose's JWT class would not let a mistake through. */
export function sign(payload: string, header: CompactJWSHeaderParameters, key: KeyObject): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header).sign(key);
}

export function asClaims(value: unknown): Claims {
  if (!isRecord(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}

export function tokenClaims(json: Record<string, unknown>): Claims {
  return decodeSegment(String(json['access_token']).split('.')[1]);
}

export function decodeSegment(segment: string | undefined): Claims {
  return asClaims(JSON.parse(Buffer.from(segment ?? '', 'base64url').toString()));
}
