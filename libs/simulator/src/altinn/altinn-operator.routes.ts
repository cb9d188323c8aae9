import type { FastifyInstance } from 'fastify';
import { oneOf, optional, organisationNumber, record, text } from '../kernel/index.js';
import type { ConsentRequests } from './consent-requests.js';
import type { CustomerDesk } from './customer.js';

const BASE = '/operator/api';

const readTimeout = record({ form: optional(oneOf('status', 'flag')) });
const readAction = record({ action: optional(text()) });

/** What a customer does, over HTTP. */
export function altinnOperatorRoutes(app: FastifyInstance, desk: CustomerDesk, consents: ConsentRequests): void {
  for (const verb of ['approve', 'reject', 'revoke'] as const) {
    app.post<{ Params: { id: string } }>(`${BASE}/consents/:id/${verb}`, ({ params: { id } }, reply) => {
      consents[verb](id);
      return reply.code(204).send();
    });
  }

  app.post<{ Params: { id: string } }>(`${BASE}/requests/:id/approve`, ({ params: { id } }, reply) => {
    desk.approve(id);
    return reply.code(204).send();
  });
  app.post<{ Params: { id: string } }>(`${BASE}/requests/:id/reject`, ({ params: { id } }, reply) => {
    desk.reject(id);
    return reply.code(204).send();
  });
  app.post<{ Params: { id: string } }>(`${BASE}/requests/:id/timeout`, ({ params: { id }, body }, reply) => {
    desk.timeOut(id, readTimeout(body ?? {}, '').form);
    return reply.code(204).send();
  });
  // The same three words for a change request, under its own name too.
  for (const verb of ['approve', 'reject', 'timeOut'] as const) {
    app.post<{ Params: { id: string } }>(
      `${BASE}/changeRequests/:id/${verb.toLowerCase()}`,
      ({ params: { id } }, reply) => {
        desk[verb](id);
        return reply.code(204).send();
      },
    );
  }

  const right = `${BASE}/systemUsers/:id/rights/:resource`;
  type RightRoute = { Params: { id: string; resource: string }; Querystring: { action?: string } };
  app.delete<RightRoute>(right, ({ params: { id, resource }, query }, reply) => {
    desk.revokeRight(id, resource, readAction({ ...query }, '').action);
    return reply.code(204).send();
  });
  app.post<RightRoute>(right, ({ params: { id, resource }, query }, reply) => {
    desk.grantRight(id, resource, readAction({ ...query }, '').action);
    return reply.code(204).send();
  });

  const client = `${BASE}/systemUsers/:id/clients/:orgno`;
  type ClientRoute = { Params: { id: string; orgno: string } };
  app.post<ClientRoute>(client, ({ params: { id, orgno } }, reply) => {
    desk.addClient(id, organisationNumber(orgno, 'orgno'));
    return reply.code(204).send();
  });
  app.delete<ClientRoute>(client, ({ params: { id, orgno } }, reply) => {
    desk.removeClient(id, organisationNumber(orgno, 'orgno'));
    return reply.code(204).send();
  });

  const self = `${BASE}/systemUsers/:id/self`;
  app.post<{ Params: { id: string } }>(self, ({ params: { id } }, reply) => {
    desk.delegateSelf(id);
    return reply.code(204).send();
  });
  app.delete<{ Params: { id: string } }>(self, ({ params: { id } }, reply) => {
    desk.revokeSelf(id);
    return reply.code(204).send();
  });
}
