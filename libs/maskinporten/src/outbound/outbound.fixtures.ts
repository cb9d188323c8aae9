import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import type { Simulator } from 'maskinporten-simulator';
import { PATIENT } from '../../../../test/support/patience.js';
import { startTestSimulator, testClientOptions } from '../testing/simulator.fixtures.js';
import type { MaskinportenOptions } from '../module/index.js';
import { createTokenService, MaskinportenToken, type MaskinportenTokenService } from '../tokens/index.js';
import type { OutboundTokens } from './outbound-client.js';

export const SCOPES = ['acme:read', 'acme:write', 'acme:a', 'acme:b', 'acme:c'];

/** A simulator, one registered client, and its real token service. */
export interface World {
  readonly simulator: Simulator;
  readonly options: MaskinportenOptions;
  readonly tokens: MaskinportenTokenService;
  /** Scopes of each grant that the token endpoint received. */
  grants(): string[];
  /** Calls that reached the APIs. */
  calls(): number;
  close(): Promise<void>;
}

/** Its tokens live for an hour, so that no test takes so long that one is renewed. */
export async function startWorld(): Promise<World> {
  const simulator = await startTestSimulator();
  const client = await testClientOptions(simulator, { scopes: SCOPES, tokenLifetime: 3600 });
  const options = { ...client, retry: PATIENT };
  const { destinations: _, ...core } = options;
  const tokens = await createTokenService(core);
  const entries = (kind: string): Simulator['log'] => simulator.log.filter((entry) => entry.kind === kind);
  return {
    simulator,
    options,
    tokens,
    grants: () => entries('grant').map(({ claims }) => String(claims?.['scope'])),
    calls: () => entries('call').length,
    close: async () => {
      await tokens.close();
      await simulator.close();
    },
  };
}

/** What arrived at a server that takes anything. */
export interface Arrival {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly traceparent: string | undefined;
  readonly body: string;
}

export interface RecordingServer {
  readonly origin: string;
  readonly arrivals: Arrival[];
  answer: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

/** A real HTTP server that records what arrives and answers as it is told. */
export async function startRecordingServer(host = '127.0.0.1'): Promise<RecordingServer> {
  const arrivals: Arrival[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const traceparent = headers['traceparent'];
      arrivals.push({
        method,
        url,
        authorization: headers.authorization,
        traceparent: Array.isArray(traceparent) ? traceparent.join() : traceparent,
        body: Buffer.concat(chunks).toString(),
      });
      recording.answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const recording: RecordingServer = {
    origin: `http://${host === '::1' ? '[::1]' : host}:${(server.address() as AddressInfo).port}`,
    arrivals,
    answer: (_request, response) => response.end('{}'),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return recording;
}

/** Gives the tokens it is told to, one after the other; for what happens around a call, not for what a token is. */
export class ScriptedTokens implements OutboundTokens {
  readonly asked: string[] = [];
  renewed = 0;
  #cached: MaskinportenToken | undefined;

  constructor(private readonly script: MaskinportenToken[]) {}

  async getToken(request: Parameters<OutboundTokens['getToken']>[0]): Promise<MaskinportenToken> {
    this.asked.push(typeof request === 'object' && 'scopes' in request ? String(request.scopes) : String(request));
    const token = this.script.shift();
    if (token === undefined) throw new Error('the script has no more tokens');
    await Promise.resolve();
    return token;
  }

  cache(token: MaskinportenToken): this {
    this.#cached = token;
    return this;
  }

  peek(): MaskinportenToken | undefined {
    return this.#cached;
  }

  async renew(): Promise<MaskinportenToken | undefined> {
    this.renewed += 1;
    await Promise.resolve();
    return this.script.shift();
  }
}

export const scriptedToken = (value: string, lifeMs = 60_000): MaskinportenToken =>
  new MaskinportenToken({
    value,
    scopes: ['acme:read'],
    expiresAt: new Date(Date.now() + lifeMs),
    jti: `jti-${value}`,
  });

/** Everything that printing an object could ever show. */
export function deepText(value: unknown): string {
  return inspect(value, { depth: 30, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null });
}

/** What a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    // Not `instanceof`: the DOMExceptions of fetch come from outside Jest's realm.
    if (typeof error === 'object' && error !== null && 'message' in error) return error as Error;
    throw new Error('rejected with something that is no error', { cause: error });
  }
  throw new Error('it was not rejected');
}

/**
 * Every text that can be reached from `root`: through members of any kind, getters, maps and sets. Only private fields
 * and closures hide something from it.
 *
 * @param functions false to leave out what hangs on functions: from a constructor, all of JavaScript can be reached
 */
export function* textsWithin(root: unknown, functions = true): Generator<string> {
  const seen = new Set<unknown>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') yield value;
    if (Buffer.isBuffer(value)) yield value.toString('latin1');
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    if (typeof value === 'function' && !functions) continue;
    seen.add(value);
    open.push(...entriesOf(value));
    if (ArrayBuffer.isView(value)) continue;
    for (const name of [...Reflect.ownKeys(value), ...inheritedGetters(value)]) {
      try {
        open.push(Reflect.get(value, name));
      } catch {
        // A getter that throws shows nothing.
      }
    }
  }
}

function entriesOf(value: object): unknown[] {
  try {
    if (value instanceof Map) return [...value.keys(), ...value.values()];
    return value instanceof Set ? [...value] : [];
  } catch {
    // The prototype of a subclass looks like one, and has none.
    return [];
  }
}

function inheritedGetters(value: object): PropertyKey[] {
  const names: PropertyKey[] = [];
  for (
    let holder: unknown = value;
    typeof holder === 'object' && holder !== null;
    holder = Reflect.getPrototypeOf(holder)
  ) {
    const descriptors = Object.entries(Object.getOwnPropertyDescriptors(holder));
    names.push(
      ...descriptors
        .filter(([, descriptor]) => 'get' in descriptor && Reflect.get(descriptor, 'get') !== undefined)
        .map(([name]) => name),
    );
  }
  return names;
}

/** Reads a stream to its end. */
export async function drained(stream: unknown, onChunk: () => void = () => undefined): Promise<void> {
  const chunks = (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  while ((await chunks.next()).done !== true) onChunk();
}

/** A gate that is opened by hand. */
export function gate(): { readonly opened: Promise<void>; open(this: void): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
