import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  type AltinnState,
  askRight,
  emptyAnswer,
  hasScope,
  identify,
  isExchanged,
  organisationOfPartyId,
  partyIdOf,
} from '../altinn/index.js';
import { isOrganisationNumber, isRecord, sendProblem } from '../kernel/index.js';
import { TokenFailure } from '../maskinporten/index.js';
import { type AppInstances, type DataElement, type Instance, TASKS } from './app-instances.js';

const READ = 'altinn:instances.read';
const WRITE = 'altinn:instances.write';
/** What a token that began at Maskinporten is worth (Altinn, access control). */
const SYSTEM_USER_LEVEL = 3;

interface AppParams {
  readonly org: string;
  readonly app: string;
}
interface InstanceParams extends AppParams {
  readonly partyId: string;
  readonly guid: string;
}

function dataView({ id, dataType, contentType, filename, content }: DataElement): object {
  return { id, dataType, contentType, filename, size: Buffer.byteLength(content) };
}

function processView({ created, task, ended }: Instance): object {
  const current = TASKS[task];
  return {
    started: created,
    ...(current === undefined ? { ended, endEvent: 'EndEvent_1' } : { currentTask: { flow: task + 2, ...current } }),
  };
}

function instanceView(instance: Instance): object {
  const partyId = String(partyIdOf(instance.owner));
  return {
    id: `${partyId}/${instance.guid}`,
    instanceOwner: { partyId, organisationNumber: instance.owner },
    appId: `${instance.org}/${instance.app}`,
    org: instance.org,
    created: instance.created,
    status: { isArchived: instance.ended !== undefined, archived: instance.ended },
    process: processView(instance),
    data: instance.data.map(dataView),
  };
}

function ownerOf(body: unknown): string | undefined {
  const owner = isRecord(body) ? body['instanceOwner'] : undefined;
  if (!isRecord(owner)) return undefined;
  const { organisationNumber, partyId } = owner;
  if (isOrganisationNumber(organisationNumber)) return organisationNumber;
  return typeof partyId === 'string' || typeof partyId === 'number'
    ? organisationOfPartyId(String(partyId))
    : undefined;
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  return body === undefined || body === null ? '' : JSON.stringify(body);
}

const conflict = (reply: FastifyReply, detail: string): FastifyReply => sendProblem(reply, 409, 'Conflict', { detail });

/** An Altinn app, as a system user meets it: create, fill, submit (Altinn, submit data). Any `app_<org>_<app>` that is a resource. */
export function altinnAppRoutes(root: FastifyInstance, altinn: AltinnState, instances: AppInstances): void {
  const { clock } = altinn.world;

  /** Token, scope, party, right, level: the first that fails is the answer, and `false`. */
  const admit = async (
    request: FastifyRequest<{ Params: AppParams }>,
    reply: FastifyReply,
    needs: { scope: string; action: string; party: () => string | undefined },
  ): Promise<boolean> => {
    const { org, app } = request.params;
    const resource = altinn.resource(`app_${org}_${app}`);
    if (resource === undefined) {
      sendProblem(reply, 404, 'Not found', { detail: `There is no app ${org}/${app}.` });
      return false;
    }
    const caller = await identify(request, altinn);
    if (caller instanceof TokenFailure || !isExchanged(request, caller)) {
      emptyAnswer(reply, 401);
      return false;
    }
    if (!hasScope(request, caller, [needs.scope])) {
      emptyAnswer(reply, 403);
      return false;
    }
    const party = needs.party();
    if (party === undefined || !altinn.organisations.isRegistered(party)) {
      sendProblem(reply, 404, 'Not found', { detail: 'The party or instance is not found.' });
      return false;
    }
    const question = { party, resource: resource.id, action: needs.action };
    if (askRight(request, caller, question, altinn) === undefined) {
      emptyAnswer(reply, 403);
      return false;
    }
    if (resource.minimumLevelOrg <= SYSTEM_USER_LEVEL) return true;
    reply.code(403).send({ RequiredAuthenticationLevel: String(resource.minimumLevelOrg) });
    return false;
  };

  const found = ({ org, app, partyId, guid }: InstanceParams): Instance | undefined => {
    const instance = instances.find(org, app, guid);
    return instance !== undefined && String(partyIdOf(instance.owner)) === partyId ? instance : undefined;
  };

  /** An instance that the caller may do this to. */
  const open = async (
    request: FastifyRequest<{ Params: InstanceParams }>,
    reply: FastifyReply,
    scope: string,
    action: string,
  ): Promise<Instance | undefined> => {
    const instance = found(request.params);
    const admitted = await admit(request, reply, { scope, action, party: () => instance?.owner });
    return admitted ? instance : undefined;
  };
  root.register((app, _options, done) => {
    const instance = '/:org/:app/instances/:partyId/:guid';
    // Attachments are any type; the main form is JSON or XML.
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, parsed) => parsed(null, body));

    app.post<{ Params: AppParams }>('/:org/:app/instances/create', async (request, reply) => {
      const owner = ownerOf(request.body);
      if (!(await admit(request, reply, { scope: WRITE, action: 'instantiate', party: () => owner }))) return reply;
      if (owner === undefined) return reply;
      const { org, app: appName } = request.params;
      const prefill: unknown = isRecord(request.body) ? request.body['prefill'] : undefined;
      const created = clock.date().toISOString();
      return reply.code(201).send(instanceView(instances.create({ org, app: appName, owner, created }, prefill)));
    });

    app.get<{ Params: InstanceParams }>(instance, async (request, reply) => {
      const existing = await open(request, reply, READ, 'read');
      return existing === undefined ? reply : reply.send(instanceView(existing));
    });

    app.put<{ Params: InstanceParams & { dataGuid: string } }>(`${instance}/data/:dataGuid`, async (request, reply) => {
      const existing = await open(request, reply, WRITE, 'write');
      if (existing === undefined) return reply;
      const element = existing.data.find(({ id }) => id === request.params.dataGuid);
      if (element === undefined) return sendProblem(reply, 404, 'Not found', { detail: 'No such data element.' });
      if (existing.task !== 0) return conflict(reply, 'The form can no longer be changed.');
      element.content = textOf(request.body);
      return reply.send(dataView(element));
    });

    app.post<{ Params: InstanceParams; Querystring: { dataType?: string } }>(
      `${instance}/data`,
      async (request, reply) => {
        const existing = await open(request, reply, WRITE, 'write');
        if (existing === undefined) return reply;
        const { dataType } = request.query;
        const filename = /^attachment;.*filename="?([^";]+)"?/i.exec(request.headers['content-disposition'] ?? '')?.[1];
        if (dataType === undefined || filename === undefined) {
          const detail = 'An attachment needs ?dataType= and Content-Disposition: attachment; filename=…';
          return sendProblem(reply, 400, 'Bad request', { detail });
        }
        if (existing.task !== 0) return conflict(reply, 'Attachments can no longer be added.');
        const contentType = request.headers['content-type'] ?? 'application/octet-stream';
        const element = { id: randomUUID(), dataType, contentType, filename, content: textOf(request.body) };
        existing.data.push(element);
        return reply.code(201).send(dataView(element));
      },
    );

    app.get<{ Params: InstanceParams & { dataGuid: string } }>(`${instance}/data/:dataGuid`, async (request, reply) => {
      const existing = await open(request, reply, READ, 'read');
      const element = existing?.data.find(({ id }) => id === request.params.dataGuid);
      if (existing === undefined) return reply;
      if (element === undefined) return sendProblem(reply, 404, 'Not found', { detail: 'No such data element.' });
      return reply.type(element.contentType).send(element.content);
    });

    app.put<{ Params: InstanceParams }>(`${instance}/process/next`, async (request, reply) => {
      const task = found(request.params)?.task;
      const existing = await open(request, reply, WRITE, task === 0 ? 'write' : 'confirm');
      if (existing === undefined) return reply;
      if (existing.task >= TASKS.length) return conflict(reply, 'The process has ended.');
      existing.task += 1;
      if (existing.task >= TASKS.length) existing.ended = clock.date().toISOString();
      return reply.send(processView(existing));
    });
    done();
  });
}
