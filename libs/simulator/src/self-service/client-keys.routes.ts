import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Client, MaskinportenState } from '../maskinporten/index.js';
import { administratorOf } from './administrator.js';
import { type Refusal, note, refuse } from './answers.js';
import { jwksReader, jwksView, withKeys } from './key-set.js';

type OneClient = { Params: { clientId: string } };

/** Where the API has been seen: the documented base, and the one that newer clients call (Digdir, self-service API). */
const BASES = ['/clients', '/api/v1/clients'];

/** `/clients/{client_id}/jwks`: the whole set is read, replaced or deleted; there are no calls for one key. */
export function clientKeysRoutes(app: FastifyInstance, state: MaskinportenState): void {
  const { clock } = state.world;
  const readSet = jwksReader(clock);

  /** The client that the request is about, when its sender may do to it what it wants. */
  const clientFor = async (request: FastifyRequest<OneClient>, wants: 'read' | 'change'): Promise<Client | Refusal> => {
    const administrator = await administratorOf(request, state, wants);
    if ('status' in administrator) return administrator;
    const client = state.clients.get(request.params.clientId);
    // That a client of another organisation is answered like one that does not exist is inferred.
    if (client === undefined || client.orgno !== administrator.orgno) {
      return { status: 404, check: 'client.own', error: 'not_found', description: 'The client was not found' };
    }
    note(request, 'client.own', true, client.clientId);
    // Documented for POST; that PUT and DELETE are refused too is inferred.
    if (wants === 'change' && !client.active) {
      return { status: 409, check: 'client.active', error: 'conflict', description: 'The client is deactivated' };
    }
    if (wants === 'change') note(request, 'client.active', true);
    return client;
  };

  const show = async (request: FastifyRequest<OneClient>, reply: FastifyReply): Promise<FastifyReply> => {
    const client = await clientFor(request, 'read');
    return 'status' in client ? refuse(request, reply, clock, client) : reply.send(jwksView(client));
  };

  const replace = async (request: FastifyRequest<OneClient>, reply: FastifyReply): Promise<FastifyReply> => {
    const client = await clientFor(request, 'change');
    if ('status' in client) return refuse(request, reply, clock, client);
    const now = clock.nowSeconds();
    const read = readSet(request.body, now);
    if ('status' in read) return refuse(request, reply, clock, read);
    const changed = withKeys(client, read.keys, now);
    state.clients.put(changed);
    note(request, 'jwks.valid', true, changed.keys.map(({ kid }) => kid).join(' '));
    return reply.send(jwksView(changed));
  };

  const remove = async (request: FastifyRequest<OneClient>, reply: FastifyReply): Promise<FastifyReply> => {
    const client = await clientFor(request, 'change');
    if ('status' in client) return refuse(request, reply, clock, client);
    state.clients.put(withKeys(client, [], clock.nowSeconds()));
    return reply.code(204).send();
  };

  app.setErrorHandler((error: unknown, request, reply) => {
    const given = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
    const status = typeof given === 'number' ? given : 500;
    const description = status >= 500 ? 'The simulator failed' : 'The body must be JSON of at most 64 KiB';
    return refuse(request, reply, clock, { status, check: 'request', error: 'bad_request', description });
  });
  for (const base of BASES) {
    const url = `${base}/:clientId/jwks`;
    app.get<OneClient>(url, show);
    app.post<OneClient>(url, replace);
    app.put<OneClient>(url, replace);
    app.delete<OneClient>(url, remove);
    app.route<OneClient>({
      url,
      method: 'PATCH',
      onRequest: async (request, reply) =>
        refuse(request, reply.header('allow', 'GET, POST, PUT, DELETE'), clock, {
          status: 405,
          check: 'request',
          error: 'method_not_allowed',
          description: 'Keys are read, replaced or deleted as a whole set',
        }),
      handler: (_request, reply) => reply,
    });
  }
}
