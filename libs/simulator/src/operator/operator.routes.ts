import type { FastifyInstance, FastifyReply } from 'fastify';
import {
  type AnyCollection,
  type AnySettings,
  type Network,
  flag,
  isRecord,
  record,
  refuse,
  sendProblem,
  withDefault,
  type World,
} from '../kernel/index.js';
import type { TokenWithoutGrant } from '../maskinporten/index.js';
import { guardOperator } from './admission.js';

export interface OperatorControls {
  readonly world: World;
  readonly network: Network;
  readonly collections: readonly AnyCollection[];
  readonly settings: readonly AnySettings[];
  reset(): void;
  rotateSigningKey(options: { dropOld: boolean }): Promise<string>;
  issueToken(input: unknown): Promise<TokenWithoutGrant>;
}

const BASE = '/operator/api';

/** The control plane over HTTP: one resource per member of the configuration, the clock, the log, and reset. */
export function operatorRoutes(app: FastifyInstance, controls: OperatorControls): void {
  guardOperator(app, controls.network, controls.world);
  // A form or plain text is what a page of another site can send without being asked: JSON only.
  app.removeContentTypeParser('text/plain');
  const index = (): object => ({
    members: controls.collections.map(({ name }) => name),
    urls: controls.world.urls(),
    actions: ['clock', 'log', 'reset', 'signing-keys/rotate', 'tokens'],
  });
  for (const url of [BASE, `${BASE}/`]) app.get(url, index);
  for (const collection of controls.collections) memberRoutes(app, collection);
  for (const settings of controls.settings) settingsRoutes(app, settings);
  clockRoutes(app, controls.world);
  app.get(`${BASE}/log`, () => controls.world.log.entries);
  app.delete(`${BASE}/log`, (_request, reply) => {
    controls.world.log.clear();
    return reply.code(204).send();
  });
  app.post(`${BASE}/reset`, (_request, reply) => {
    controls.reset();
    return reply.code(204).send();
  });
  app.post(`${BASE}/signing-keys/rotate`, async ({ body }) => {
    const { dropOld } = record({ dropOld: withDefault(flag, false) })(body ?? {}, '');
    return { kid: await controls.rotateSigningKey({ dropOld }) };
  });
  app.post(`${BASE}/tokens`, async ({ body }, reply) => {
    const { token, expiresInSeconds, scope } = await controls.issueToken(body);
    const answer = { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds, scope };
    return reply.code(201).header('cache-control', 'no-store').send(answer);
  });
}

function memberRoutes(app: FastifyInstance, collection: AnyCollection): void {
  const { name } = collection;
  const missing = (reply: FastifyReply): FastifyReply =>
    sendProblem(reply, 404, 'Not found', { detail: `There is no such item in ${name}.` });
  app.get(`${BASE}/${name}`, () => collection.views());
  app.get<{ Params: { key: string } }>(`${BASE}/${name}/:key`, ({ params: { key } }, reply) => {
    const item = collection.view(key);
    return item ? reply.send(item) : missing(reply);
  });
  app.post(`${BASE}/${name}`, ({ body }, reply) => {
    if (!isRecord(body) && !Array.isArray(body)) refuse(name, 'must be an object or a list of objects, sent as JSON');
    const views = collection.addUnknown(body).map((item) => collection.viewOf(item));
    return reply.code(201).send(Array.isArray(body) ? views : views[0]);
  });
  app.delete<{ Querystring: Record<string, string> }>(`${BASE}/${name}`, ({ query }, reply) => {
    if (Object.keys(query).length === 0) collection.clear();
    else if (collection.removeWhere(query) === 0) return missing(reply);
    return reply.code(204).send();
  });
  app.delete<{ Params: { key: string } }>(`${BASE}/${name}/:key`, ({ params: { key } }, reply) =>
    collection.remove(key) ? reply.code(204).send() : missing(reply),
  );
}

function settingsRoutes(app: FastifyInstance, settings: AnySettings): void {
  const url = `${BASE}/${settings.name}`;
  app.get(url, () => settings.view());
  app.post(url, ({ body }) => {
    settings.set(body);
    return settings.view();
  });
  app.delete(url, () => {
    settings.clear();
    return settings.view();
  });
}

function clockRoutes(app: FastifyInstance, { clock }: World): void {
  const state = (): object => ({ offsetSeconds: clock.offsetSeconds, now: clock.date().toISOString() });
  const readOffset = record({
    offsetSeconds: (value: unknown, field: string) =>
      typeof value === 'number' ? value : refuse(field, 'must be a number'),
  });
  app.get(`${BASE}/clock`, state);
  app.post(`${BASE}/clock`, ({ body }) => {
    clock.setOffset(readOffset(body, '').offsetSeconds);
    return state();
  });
  app.delete(`${BASE}/clock`, () => {
    clock.setOffset(0);
    return state();
  });
}
