import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRecord } from '../kernel/index.js';
import type { AltinnState } from './altinn-state.js';
import { authenticate, emptyAnswer, note } from './caller.js';
import { packagesObjection, redirectObjection, rightsObjection } from './demanded.js';
import { PAGE_SIZE, links } from './paging.js';
import { authProblem, missingInput } from './problems.js';
import { confirmUrl } from './request.routes.js';
import { type ChangeRequest, isTimedOut } from './requests.js';
import { AUTHENTICATION, REQUEST_READ, REQUEST_WRITE } from './scopes.js';
import { packagesOf, readPackages, readRights, trimmed } from './wire.js';

const BASE = `${AUTHENTICATION}/systemuser/changerequest/vendor`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type Content = Omit<ChangeRequest, 'status' | 'timedOut' | 'created'>;

function changeView(change: ChangeRequest | (Content & { status: 'NoChangeNeeded' }), altinn: AltinnState): object {
  const user = altinn.systemUsers.get(change.systemUserId);
  const stored = 'created' in change;
  return {
    id: change.id,
    externalRef: user?.externalRef,
    systemId: user?.systemId,
    systemUserId: change.systemUserId,
    partyOrgNo: user?.orgno,
    requiredRights: change.requiredRights,
    unwantedRights: change.unwantedRights,
    requiredAccessPackages: packagesOf(change.requiredAccessPackages),
    unwantedAccessPackages: packagesOf(change.unwantedAccessPackages),
    status: change.status,
    redirectUrl: change.redirectUrl,
    ...(stored && {
      confirmUrl: confirmUrl(altinn, 'changerequest', change.id),
      created: change.created,
      timedOut: isTimedOut(change, altinn.world.clock),
    }),
  };
}

/** Change requests whose system user is gone are gone with it. */
function liveChanges(altinn: AltinnState): readonly ChangeRequest[] {
  return altinn.changeRequests.list().filter(({ systemUserId }) => altinn.systemUsers.get(systemUserId) !== undefined);
}

function isOwn(change: ChangeRequest, vendor: string | undefined, altinn: AltinnState): boolean {
  const user = altinn.systemUsers.get(change.systemUserId);
  return user !== undefined && altinn.systemOf(vendor, user.systemId) !== undefined;
}

type CreateRoute = { Querystring: { 'correlation-id'?: string; 'system-user-id'?: string } };

async function create(
  request: FastifyRequest<CreateRoute>,
  reply: FastifyReply,
  altinn: AltinnState,
): Promise<FastifyReply> {
  const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_WRITE });
  if (caller === undefined) return reply;
  // Who is changed stands in the query alone; an older contract's members of the body are ignored (Altinn, change requests).
  const id = request.query['correlation-id']?.toLowerCase() ?? '';
  const systemUserId = request.query['system-user-id']?.toLowerCase() ?? '';
  if (!UUID.test(id) || id === systemUserId) {
    note(request, 'correlation_id', false, 'it must be a new UUID');
    return reply.code(400).type('text/plain; charset=utf-8').send('The correlation-id must be a new, unique UUID.');
  }
  const user = altinn.systemUsers.list().find((candidate) => candidate.id.toLowerCase() === systemUserId);
  const standard = user?.userType === 'standard' ? user : undefined;
  note(request, 'system_user.found', standard !== undefined, systemUserId);
  if (standard === undefined) return authProblem(request, reply, 'AUTH-00015');
  const system = altinn.systemOf(caller.vendor, standard.systemId);
  note(request, 'system.own', system !== undefined, standard.systemId);
  if (system === undefined) return emptyAnswer(reply, 401);
  const body = isRecord(request.body) ? request.body : {};
  const redirectUrl = trimmed(body['redirectUrl']);
  const content: Content = {
    id,
    systemUserId: standard.id,
    requiredRights: readRights(body['requiredRights'], 'requiredRights'),
    unwantedRights: readRights(body['unwantedRights'], 'unwantedRights'),
    requiredAccessPackages: readPackages(body['requiredAccessPackages'], 'requiredAccessPackages'),
    unwantedAccessPackages: readPackages(body['unwantedAccessPackages'], 'unwantedAccessPackages'),
    redirectUrl,
  };
  const { requiredRights, unwantedRights, requiredAccessPackages, unwantedAccessPackages } = content;
  const lists = [requiredRights, unwantedRights, requiredAccessPackages, unwantedAccessPackages];
  if (lists.every((list) => list.length === 0)) {
    return reply.send(changeView({ ...content, status: 'NoChangeNeeded' }, altinn));
  }
  const existing = liveChanges(altinn).find((known) => known.id === id);
  if (existing !== undefined) {
    note(request, 'request.new', false, `${existing.id} exists and is ${existing.status}`);
    return existing.status === 'New'
      ? reply.send(changeView(existing, altinn))
      : authProblem(request, reply, 'AUTH-00061');
  }
  const objection =
    redirectObjection(redirectUrl, system) ??
    rightsObjection([...requiredRights, ...unwantedRights], system, altinn) ??
    packagesObjection([...requiredAccessPackages, ...unwantedAccessPackages], system, 'standard', altinn);
  note(request, 'request.allowed', objection === undefined, objection?.code);
  if (objection !== undefined) return authProblem(request, reply, objection.code, objection.extensions);
  const [created] = altinn.changeRequests.addUnknown(content);
  if (created === undefined) throw new Error('The change request was not stored.');
  return reply
    .code(201)
    .header('location', `${altinn.world.urls().platformUrl}${BASE}/${id}`)
    .send(changeView(created, altinn));
}

/** Asks to change what standard system users may do (Altinn, change requests). */
export function changeRequestRoutes(app: FastifyInstance, altinn: AltinnState): void {
  app.post<CreateRoute>(BASE, (request, reply) => create(request, reply, altinn));

  const own = async (
    request: FastifyRequest<{ Params: { id: string } }>,
    reply: FastifyReply,
    scopes: readonly string[],
  ): Promise<ChangeRequest | undefined> => {
    const caller = await authenticate(request, reply, altinn, { scopes });
    if (caller === undefined) return undefined;
    const { id } = request.params;
    if (!UUID.test(id)) {
      missingInput(request, reply, { requestId: [`The value '${id}' is not valid.`] });
      return undefined;
    }
    const found = liveChanges(altinn).find((known) => known.id === id.toLowerCase());
    note(request, 'request.found', found !== undefined, id);
    if (found === undefined) authProblem(request, reply, 'AUTH-00010');
    else if (isOwn(found, caller.vendor, altinn)) return found;
    else authProblem(request, reply, 'AUTH-00011');
    return undefined;
  };

  app.get<{ Params: { id: string } }>(`${BASE}/:id`, async (request, reply) => {
    const found = await own(request, reply, REQUEST_READ);
    return found === undefined ? reply : reply.send(changeView(found, altinn));
  });

  app.delete<{ Params: { id: string } }>(`${BASE}/:id`, async (request, reply) => {
    const found = await own(request, reply, REQUEST_WRITE);
    if (found === undefined) return reply;
    altinn.changeRequests.remove(found.id);
    return reply.code(202).send('');
  });

  app.get<{ Params: { systemId: string; orgNo: string; externalRef: string } }>(
    `${BASE}/byexternalref/:systemId/:orgNo/:externalRef`,
    async (request, reply) => {
      const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_READ });
      if (caller === undefined) return reply;
      const { systemId, orgNo, externalRef } = request.params;
      if (altinn.systemOf(caller.vendor, systemId) === undefined) return authProblem(request, reply, 'AUTH-00011');
      const user = altinn.findSystemUser(systemId, orgNo, externalRef);
      const found = liveChanges(altinn).find(({ systemUserId }) => systemUserId === user?.id);
      return found === undefined ? authProblem(request, reply, 'AUTH-00010') : reply.send(changeView(found, altinn));
    },
  );

  app.get<{ Params: { systemId: string }; Querystring: { token?: string } }>(
    `${BASE}/bysystem/:systemId`,
    async (request, reply) => {
      const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_READ });
      if (caller === undefined) return reply;
      const { systemId } = request.params;
      const { token } = request.query;
      if (altinn.systemOf(caller.vendor, systemId) === undefined) return authProblem(request, reply, 'AUTH-00011');
      const page = liveChanges(altinn)
        .filter((change) => altinn.systemUsers.get(change.systemUserId)?.systemId === systemId)
        .filter(({ id }) => token === undefined || id > token.toLowerCase())
        .toSorted((left, right) => (left.id < right.id ? -1 : 1));
      return reply.send({
        links: links(altinn, `${BASE}/bysystem/${encodeURIComponent(systemId)}`, page[PAGE_SIZE]?.id),
        data: page.slice(0, PAGE_SIZE).map((change) => changeView(change, altinn)),
      });
    },
  );
}
