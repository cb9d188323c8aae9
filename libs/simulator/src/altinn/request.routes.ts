import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRecord } from '../kernel/index.js';
import type { AltinnState } from './altinn-state.js';
import { authenticate, note } from './caller.js';
import { type Objection, packagesObjection, redirectObjection, rightsObjection } from './demanded.js';
import { PAGE_SIZE, links } from './paging.js';
import { authProblem, missingInput } from './problems.js';
import { type SystemUserRequest, isTimedOut } from './requests.js';
import { AUTHENTICATION, REQUEST_READ, REQUEST_WRITE } from './scopes.js';
import { packagesOf, readPackages, readRights, trimmed } from './wire.js';

type UserType = SystemUserRequest['userType'];

const BASE = `${AUTHENTICATION}/systemuser/request/vendor`;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Where the customer decides: in reality on a host of Altinn's, here on the operator's (Altinn, requests). */
export function confirmUrl(
  altinn: AltinnState,
  kind: 'request' | 'agentrequest' | 'changerequest',
  id: string,
): string {
  const { browserUrl } = altinn.world.urls();
  return `${browserUrl}/accessmanagement/ui/systemuser/${kind}?id=${id}&DONTCHOOSEREPORTEE=true`;
}

export function requestView(request: SystemUserRequest, altinn: AltinnState): object {
  const agent = request.userType === 'agent';
  return {
    id: request.id,
    integrationTitle: request.integrationTitle,
    externalRef: request.externalRef,
    systemId: request.systemId,
    partyOrgNo: request.orgno,
    ...(!agent && { rights: request.rights }),
    accessPackages: packagesOf(request.accessPackages),
    status: request.status,
    redirectUrl: request.redirectUrl,
    confirmUrl: confirmUrl(altinn, agent ? 'agentrequest' : 'request', request.id),
    escalated: false,
    created: request.created,
    timedOut: isTimedOut(request, altinn.world.clock),
  };
}

/** One request or change request for a vendor: its own, or an answer that says why not. */
function ownRequest(
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  altinn: AltinnState,
  vendor: string | undefined,
  userType: UserType | 'any',
): SystemUserRequest | undefined {
  const { id } = request.params;
  if (!UUID.test(id)) {
    missingInput(request, reply, { requestId: [`The value '${id}' is not valid.`] });
    return undefined;
  }
  const found = altinn.requests.get(id);
  note(request, 'request.found', found !== undefined, id);
  if (found === undefined || (userType === 'standard' && found.userType === 'agent')) {
    authProblem(request, reply, 'AUTH-00010');
    return undefined;
  }
  if (altinn.systemOf(vendor, found.systemId) === undefined) {
    authProblem(request, reply, 'AUTH-00011');
    return undefined;
  }
  if (userType === 'agent' && found.userType !== 'agent') {
    authProblem(request, reply, 'AUTH-00025');
    return undefined;
  }
  return found;
}

async function create(
  request: FastifyRequest,
  reply: FastifyReply,
  altinn: AltinnState,
  userType: UserType,
): Promise<FastifyReply> {
  const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_WRITE });
  if (caller === undefined) return reply;
  if (caller.vendor === undefined) return authProblem(request, reply, 'AUTH-00023');
  const body = isRecord(request.body) ? request.body : {};
  const systemId = trimmed(body['systemId']);
  const orgno = trimmed(body['partyOrgNo']);
  if (systemId === undefined || orgno === undefined) {
    return missingInput(request, reply, {
      ...(systemId === undefined && { SystemId: ['The SystemId field is required.'] }),
      ...(orgno === undefined && { PartyOrgNo: ['The PartyOrgNo field is required.'] }),
    });
  }
  const externalRef = trimmed(body['externalRef']) ?? orgno;
  const system = altinn.systemOf(caller.vendor, systemId);
  // In Altinn's order (Altinn, requests), but what belongs to other vendors is never shown.
  if (system !== undefined) {
    const user = altinn.findSystemUser(systemId, orgno, externalRef);
    note(request, 'system_user.absent', user === undefined, user?.id);
    if (user !== undefined) return authProblem(request, reply, 'AUTH-00004');
    const existing = altinn.requests
      .list()
      .find((known) => known.systemId === systemId && known.orgno === orgno && known.externalRef === externalRef);
    if (existing !== undefined && existing.status !== 'Timedout') {
      note(request, 'request.new', false, `${existing.id} exists and is ${existing.status}`);
      return reply.send(requestView(existing, altinn));
    }
  }
  note(request, 'system.own', system !== undefined, systemId);
  if (system === undefined) return authProblem(request, reply, 'AUTH-00011');
  if (!altinn.organisations.isRegistered(orgno)) return authProblem(request, reply, 'AUTH-00000');
  const redirectUrl = trimmed(body['redirectUrl']);
  const wanted = userType === 'agent' ? { ...body, rights: undefined } : body;
  const rights = readRights(wanted['rights'], 'rights');
  const accessPackages = readPackages(body['accessPackages'], 'accessPackages');
  const objection =
    redirectObjection(redirectUrl, system) ??
    emptyObjection(wanted, rights.length + accessPackages.length, userType) ??
    rightsObjection(rights, system, altinn) ??
    packagesObjection(accessPackages, system, userType, altinn);
  note(request, 'request.allowed', objection === undefined, objection?.code);
  if (objection !== undefined) return authProblem(request, reply, objection.code, objection.extensions);
  const [created] = altinn.requests.addUnknown({
    systemId,
    orgno,
    externalRef,
    userType,
    integrationTitle: trimmed(body['integrationTitle']) ?? system.name?.nb ?? systemId,
    rights,
    accessPackages,
    redirectUrl,
  });
  if (created === undefined) throw new Error('The request was not stored.');
  note(request, 'request.new', true, created.id);
  const path = userType === 'agent' ? `${BASE}/agent/${created.id}` : `${BASE}/${created.id}`;
  return reply
    .code(201)
    .header('location', `${altinn.world.urls().platformUrl}${path}`)
    .send(requestView(created, altinn));
}

function emptyObjection(
  body: Readonly<Record<string, unknown>>,
  count: number,
  userType: UserType,
): Objection | undefined {
  if (count > 0) return undefined;
  if (userType === 'agent') return { code: 'AUTH-00058' };
  const neither = (body['rights'] ?? undefined) === undefined && (body['accessPackages'] ?? undefined) === undefined;
  return { code: neither ? 'AUTH-00001' : 'AUTH-00059' };
}

/** Requests for system users (Altinn, requests). */
export function requestRoutes(app: FastifyInstance, altinn: AltinnState): void {
  for (const [userType, base] of [
    ['standard', BASE],
    ['agent', `${BASE}/agent`],
  ] as const) {
    app.post(base, (request, reply) => create(request, reply, altinn, userType));

    app.get<{ Params: { id: string } }>(`${base}/:id`, async (request, reply) => {
      const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_READ });
      const found = caller && ownRequest(request, reply, altinn, caller.vendor, userType);
      return found === undefined ? reply : reply.send(requestView(found, altinn));
    });

    app.get<{ Params: { systemId: string; orgNo: string; externalRef: string } }>(
      `${base}/byexternalref/:systemId/:orgNo/:externalRef`,
      async (request, reply) => {
        const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_READ });
        if (caller === undefined) return reply;
        const { systemId, orgNo, externalRef } = request.params;
        if (altinn.systemOf(caller.vendor, systemId) === undefined) return authProblem(request, reply, 'AUTH-00011');
        const found = altinn.requests
          .list()
          .find(
            (known) =>
              known.systemId === systemId &&
              known.orgno === orgNo &&
              known.externalRef === externalRef &&
              known.userType === userType,
          );
        note(request, 'request.found', found !== undefined, `${systemId}, ${orgNo}, ${externalRef}`);
        return found === undefined ? authProblem(request, reply, 'AUTH-00010') : reply.send(requestView(found, altinn));
      },
    );

    app.get<{ Params: { systemId: string }; Querystring: { token?: string } }>(
      `${base}/bysystem/:systemId`,
      async (request, reply) => {
        const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_READ });
        if (caller === undefined) return reply;
        const { systemId } = request.params;
        const { token } = request.query;
        if (altinn.systemOf(caller.vendor, systemId) === undefined) return authProblem(request, reply, 'AUTH-00011');
        if (token !== undefined && !UUID.test(token)) return missingInput(request, reply, { token: ['Not valid.'] });
        // The cursor is the first id that was not shown, and the next page asks for ids greater than it: the row at
        // each border is lost, as in Altinn (Altinn, requests). Lists are for reconciliation; polling goes by id.
        const page = altinn.requests
          .list()
          .filter((known) => known.systemId === systemId && known.userType === userType)
          .filter(({ id }) => token === undefined || id > token.toLowerCase())
          .toSorted((left, right) => (left.id < right.id ? -1 : 1));
        return reply.send({
          links: links(altinn, `${base}/bysystem/${encodeURIComponent(systemId)}`, page[PAGE_SIZE]?.id),
          data: page.slice(0, PAGE_SIZE).map((known) => requestView(known, altinn)),
        });
      },
    );
  }

  app.delete<{ Params: { id: string } }>(`${BASE}/:id`, async (request, reply) => {
    const caller = await authenticate(request, reply, altinn, { scopes: REQUEST_WRITE });
    const found = caller && ownRequest(request, reply, altinn, caller.vendor, 'any');
    if (found === undefined) return reply;
    altinn.requests.remove(found.id);
    return reply.code(202).send('');
  });
}
