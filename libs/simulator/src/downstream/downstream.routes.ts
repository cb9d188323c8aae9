import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MaskinportenState } from '../maskinporten/index.js';
import { authorise } from './bearer.js';

const READ = ['GET', 'HEAD'];
const WRITE = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** What an answer may show of a request: never the token. */
function seen(request: FastifyRequest): object {
  const { authorization: _token, ...headers } = request.headers;
  return { method: request.method, url: request.url, headers, body: request.body ?? null };
}

async function* events(count: number, everyMs: number): AsyncGenerator<string> {
  for (let index = 0; index < count; index += 1) {
    if (index > 0) await wait(everyMs, undefined, { ref: false });
    yield `id: ${index}\ndata: ${JSON.stringify({ index })}\n\n`;
  }
}

function boundedInteger(value: string | null, fallback: number, max: number): number {
  const number = Number(value ?? fallback);
  return Number.isInteger(number) && number >= 0 ? Math.min(number, max) : fallback;
}

/** Takes any body: APIs differ, and the client under test decides. */
function acceptAnyBody(app: FastifyInstance): void {
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
}

/** Two of Altinn's APIs, as far as a token reaches: read and write scopes on all paths below `prefix`. */
function scopedApi(app: FastifyInstance, state: MaskinportenState, name: 'broker' | 'correspondence'): void {
  const guarded =
    (scope: string, work: (request: FastifyRequest, reply: FastifyReply) => FastifyReply) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      (await authorise(request, reply, state, scope)) ? work(request, reply) : reply;
  app.route({
    method: READ,
    url: `/${name}/api/v1/*`,
    handler: guarded(`altinn:${name}.read`, (request, reply) =>
      reply.send({ path: request.url.split('?', 1)[0], items: [] }),
    ),
  });
  app.route({
    method: WRITE,
    url: `/${name}/api/v1/*`,
    handler: guarded(`altinn:${name}.write`, (request, reply) =>
      reply.code(request.method === 'POST' ? 201 : 200).send({ id: randomUUID(), received: seen(request) }),
    ),
  });
}

/** Altinn's Broker and Correspondence, which live on the platform in reality and are on the plain API too. */
export function altinnApiRoutes(app: FastifyInstance, state: MaskinportenState): void {
  app.register((scope, _options, done) => {
    acceptAnyBody(scope);
    scopedApi(scope, state, 'broker');
    scopedApi(scope, state, 'correspondence');
    done();
  });
}

/** One API for any client: it says which token arrived, echoes, streams, and asks for any scope one names. */
export function plainApiRoutes(app: FastifyInstance, state: MaskinportenState): void {
  acceptAnyBody(app);
  app.get('/whoami', async (request, reply) => {
    const claims = await authorise(request, reply, state);
    return claims ? reply.send(claims) : reply;
  });
  app.all('/echo', async (request, reply) =>
    (await authorise(request, reply, state)) ? reply.send(seen(request)) : reply,
  );
  app.all<{ Params: { scope: string } }>('/scope/:scope', async (request, reply) => {
    const claims = await authorise(request, reply, state, request.params.scope);
    return claims ? reply.send({ scope: request.params.scope, claims, received: seen(request) }) : reply;
  });
  app.get('/stream', async (request, reply) => {
    if (!(await authorise(request, reply, state))) return reply;
    const query = new URLSearchParams(request.url.split('?')[1] ?? '');
    const count = boundedInteger(query.get('count'), 3, 1000);
    const everyMs = boundedInteger(query.get('everyMs'), 10, 10_000);
    return reply
      .type('text/event-stream')
      .header('cache-control', 'no-store')
      .send(Readable.from(events(count, everyMs)));
  });
}
