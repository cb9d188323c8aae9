import { once, setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ConfigurationError } from './configuration-error.js';
import { damagedBody, faultAnswer } from './fault-answer.js';
import type { Fault, Faults } from './fault.js';
import type { World } from './part.js';
import { ALIVE, type Role, sharedRolesOf } from './role.js';
import { sendProblem } from './problem.js';
import type { LogEntry } from './request-log.js';

/** Room for a certificate chain and a long scope list; nothing honest is larger. */
const BODY_LIMIT_BYTES = 65_536;

interface Exchange {
  readonly entry: LogEntry;
  readonly fault: Fault | undefined;
  readonly startedMs: number;
}

const exchanges = new WeakMap<FastifyRequest, Exchange>();

/** The log entry of a request, for the handler to write its verdict in. */
export function logEntryOf(request: FastifyRequest): LogEntry {
  const exchange = exchanges.get(request);
  if (exchange === undefined) throw new Error('The request was not seen by the simulator kernel.');
  return exchange.entry;
}

function describe(fault: Fault): string {
  const parts = Object.entries(fault).filter(
    ([key, value]) =>
      value !== undefined && !['id', 'path', 'server', 'method', 'times', 'after', 'hits'].includes(key),
  );
  return `${fault.id}: ${parts.map(([key, value]) => `${key}=${JSON.stringify(value).slice(0, 80)}`).join(' ')}`;
}

function finish(request: FastifyRequest, status: number | undefined): void {
  const exchange = exchanges.get(request);
  if (exchange === undefined) return;
  if (status !== undefined) exchange.entry.status = status;
  exchange.entry.durationMs = performance.now() - exchange.startedMs;
}

type ServerWorld = Pick<World, 'clock' | 'log' | 'isReady'>;

/** One part of the simulator: dates its answers by the simulator's clock, logs, and obeys the fault scripts. */
export class RoleServer {
  readonly role: Role;
  readonly app: FastifyInstance;
  readonly #world: ServerWorld;
  readonly #faults: Faults;
  readonly #closing = new AbortController();

  constructor(role: Role, world: ServerWorld, faults: Faults) {
    // One listener for each request that is held back, gone when it continues: as many as there are callers, and no leak.
    setMaxListeners(0, this.#closing.signal);
    this.role = role;
    this.#world = world;
    this.#faults = faults;
    this.app = Fastify({
      forceCloseConnections: true,
      bodyLimit: BODY_LIMIT_BYTES,
      routerOptions: { maxParamLength: 2048 },
    });
    this.app.get(ALIVE, () => ({ status: 'up' }));
    this.app.addHook('onRequest', (request, reply) => this.#onRequest(request, reply));
    this.app.addHook('onSend', async (request, reply, payload) => this.#onSend(request, reply, payload));
    this.app.setNotFoundHandler((request, reply) =>
      sendProblem(reply, 404, 'Not found', { detail: `Nothing answers ${request.method} here.` }),
    );
    this.app.setErrorHandler((error: unknown, _request, reply) => {
      if (error instanceof ConfigurationError) {
        const { message, problems } = error;
        return sendProblem(reply, 400, 'Invalid configuration', { detail: message, failures: problems });
      }
      const status =
        error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
          ? error.statusCode
          : 500;
      const detail = error instanceof Error ? error.message : 'unknown fault';
      return sendProblem(reply, status, status >= 500 ? 'Simulator fault' : 'Bad request', { detail });
    });
  }

  /** Takes the wanted port, or any free one when it is 0 or, with `orAny`, when another process has it. */
  async listen({ host, port, orAny }: { host: string; port: number; orAny: boolean }): Promise<number> {
    try {
      await this.app.listen({ host, port });
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || !orAny) throw error;
      await this.app.listen({ host, port: 0 });
    }
    const address = this.app.server.address();
    if (address === null || typeof address === 'string') throw new Error('The simulator got no TCP port.');
    return address.port;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.app.close();
  }

  async #onRequest(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const path = request.url.split('?', 1)[0] ?? '/';
    const at = this.#world.clock.date();
    if (!this.#world.isReady()) {
      const detail = 'The simulator is starting. Try again in a second.';
      return sendProblem(reply.header('retry-after', 1), 503, 'Not ready', { detail });
    }
    const quiet = this.role === 'operator' || path === ALIVE;
    const fault = quiet ? undefined : this.#takeFault(request.method, path);
    const entry = quiet
      ? // Those who watch the log must not fill it.
        {
          id: 0,
          at: at.toISOString(),
          server: this.role,
          kind: 'request' as const,
          method: request.method,
          path,
          checks: [],
        }
      : this.#world.log.begin({ at: at.toISOString(), server: this.role, method: request.method, path });
    exchanges.set(request, { entry, fault, startedMs: performance.now() });
    reply.header('date', at.toUTCString());
    if (fault === undefined) return undefined;
    entry.fault = describe(fault);
    if (fault.delayMs !== undefined) await this.#wait(fault.delayMs);
    if (fault.reset === true || this.#closing.signal.aborted) {
      reply.hijack();
      request.raw.socket.resetAndDestroy();
      finish(request, undefined);
      return reply;
    }
    const answer = faultAnswer(fault);
    return answer && reply.code(answer.status).headers(answer.headers).send(answer.body);
  }

  #onSend(request: FastifyRequest, reply: FastifyReply, payload: unknown): unknown {
    finish(request, reply.statusCode);
    // After a delay the answer is dated when it leaves, as a server would.
    reply.header('date', this.#world.clock.date().toUTCString());
    const fault = exchanges.get(request)?.fault;
    if (fault === undefined) return payload;
    if (fault.headers !== undefined) reply.headers(fault.headers);
    if (fault.closeAfter === true) void this.#closeAfter(request, reply);
    if (faultAnswer(fault) !== undefined && fault.truncate !== true && fault.dripMs === undefined) return payload;
    if (typeof payload !== 'string') return payload;
    const body = damagedBody(fault, payload, this.#closing.signal);
    if (typeof body !== 'string') {
      body.on('error', () => undefined);
      if (fault.replace === undefined) reply.header('content-length', Buffer.byteLength(payload));
    } else {
      reply.removeHeader('content-length');
    }
    return body;
  }

  #takeFault(method: string, path: string): Fault | undefined {
    // Alone on its origin, this part is the only one that is meant.
    const roles = this.app.server.listening ? [this.role] : sharedRolesOf(path);
    return this.#faults.take(roles, method, path);
  }

  async #closeAfter(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await once(reply.raw, 'finish');
    // The answer has left; the client now believes in a connection that is gone (RFC 9112 §9.3.1 lets servers do so).
    await this.#wait(5);
    request.raw.socket.destroy();
  }

  async #wait(milliseconds: number): Promise<void> {
    try {
      await wait(milliseconds, undefined, { signal: this.#closing.signal, ref: false });
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }
}
