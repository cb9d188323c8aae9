import type { FastifyInstance } from 'fastify';
import type { SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { authenticate, emptyAnswer, note } from './caller.js';
import { PAGE_SIZE, decodeCursor, encodeCursor, links } from './paging.js';
import { authProblem, missingInput, plainNotFound } from './problems.js';
import { AUTHENTICATION, REGISTER_SCOPES, REQUEST_WRITE } from './scopes.js';

/** What a vendor sees of a system user (Altinn, system users): neither status nor rights. */
function externalView(user: SystemUser, altinn: AltinnState): object {
  const system = altinn.systems.get(user.systemId);
  return {
    id: user.id,
    integrationTitle: altinn.requests.get(user.id)?.integrationTitle ?? system?.name?.nb ?? user.systemId,
    systemId: user.systemId,
    productName: '',
    reporteeOrgNo: user.orgno,
    created: altinn.factsOf('systemUser', user.id).created,
    isDeleted: false,
    supplierName: '',
    supplierOrgno: system?.vendor,
    externalRef: user.externalRef,
    userType: user.userType,
  };
}

/** Is there a system user? One customer, or all of a system's (Altinn, system users). */
export function systemUserRoutes(app: FastifyInstance, altinn: AltinnState): void {
  const base = `${AUTHENTICATION}/systemuser/vendor`;

  app.get<{ Querystring: { 'system-id'?: string; orgno?: string; 'external-ref'?: string } }>(
    `${base}/byquery`,
    async (request, reply) => {
      const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_WRITE });
      if (caller === undefined) return reply;
      if (caller.vendor === undefined) return emptyAnswer(reply, 401);
      const { 'system-id': systemId = '', orgno = '', 'external-ref': externalRef = '' } = request.query;
      const absent = Object.entries({ 'system-id': systemId, orgno }).filter(([, value]) => value === '');
      if (absent.length > 0) {
        const errors = absent.map(([name]) => [name, [`The ${name} field is required.`]] as const);
        return missingInput(request, reply, Object.fromEntries(errors));
      }
      const reference = externalRef === '' ? orgno : externalRef;
      const system = altinn.systemOf(caller.vendor, systemId);
      const user = system && altinn.findSystemUser(system.id, orgno, reference);
      const what = `${systemId}, ${orgno}, external reference ${reference}`;
      note(request, 'system_user.found', user !== undefined, user?.id ?? `no system user for ${what}`);
      return user === undefined ? plainNotFound(request, reply) : reply.send(externalView(user, altinn));
    },
  );

  app.get<{ Params: { systemId: string }; Querystring: { token?: string } }>(
    `${base}/bysystem/:systemId`,
    async (request, reply) => {
      const caller = await authenticate(request, reply, altinn, { scopes: REGISTER_SCOPES });
      if (caller === undefined) return reply;
      const { systemId } = request.params;
      const system = altinn.systemOf(caller.vendor, systemId);
      note(request, 'system.own', system !== undefined, systemId);
      if (system === undefined) return authProblem(request, reply, 'AUTH-00011');
      const from = request.query.token === undefined ? 0 : decodeCursor(request.query.token);
      if (from === undefined) return missingInput(request, reply, { token: ['The token is not valid.'] });
      const sequenceOf = (user: SystemUser): number => altinn.factsOf('systemUser', user.id).sequence;
      const users = altinn.systemUsers
        .list()
        .filter((user) => user.systemId === system.id && sequenceOf(user) >= from)
        .toSorted((left, right) => sequenceOf(left) - sequenceOf(right));
      const next = users[PAGE_SIZE];
      const cursor = next && encodeCursor(sequenceOf(next));
      return reply.send({
        links: links(altinn, `${base}/bysystem/${encodeURIComponent(systemId)}`, cursor),
        data: users.slice(0, PAGE_SIZE).map((user) => externalView(user, altinn)),
      });
    },
  );
}
