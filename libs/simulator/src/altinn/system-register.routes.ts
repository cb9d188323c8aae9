import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRecord, organisationIdentifier } from '../kernel/index.js';
import type { System } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { type Caller, authenticate, emptyAnswer, note } from './caller.js';
import { authProblem, validationProblem } from './problems.js';
import {
  packagesProblems,
  readWireSystem,
  rightsProblems,
  systemProblems,
  wirePackages,
  wireRights,
} from './register-rules.js';
import { AUTHENTICATION, REGISTER_SCOPES } from './scopes.js';
import { packagesOf, readPackages, readRights } from './wire.js';

const BASE = `${AUTHENTICATION}/systemregister/vendor`;
const DONE = { success: true };

function systemView(system: System, altinn: AltinnState): object {
  const name = system.name ?? { nb: system.id, nn: system.id, en: system.id };
  return {
    internalId: altinn.factsOf('system', system.id).internalId,
    id: system.id,
    vendor: organisationIdentifier(system.vendor),
    systemVendorOrgNumber: system.vendor,
    name,
    description: system.description ?? name,
    rights: system.rights,
    accessPackages: packagesOf(system.accessPackages),
    clientId: system.clientIds,
    allowedRedirectUrls: system.allowedRedirectUrls,
    isVisible: system.isVisible,
    isDeleted: false,
  };
}

/** Keeps what passed the rules. PUT replaces everything: what the body leaves out is gone. */
function store(body: unknown, vendor: string, altinn: AltinnState): void {
  const members = isRecord(body) ? body : {};
  const wire = readWireSystem(body);
  altinn.systems.addUnknown({
    id: wire.id,
    vendor,
    clientIds: wire.clientIds,
    rights: readRights(members['rights'], 'rights'),
    accessPackages: readPackages(members['accessPackages'], 'accessPackages'),
    allowedRedirectUrls: wire.redirectUrls,
    name: members['name'] ?? undefined,
    description: members['description'] ?? undefined,
    isVisible: wire.isVisible,
  });
}

type OneSystem = { Params: { systemId: string } };

/** The system register, for vendors (Altinn, system register). */
export function systemRegisterRoutes(app: FastifyInstance, altinn: AltinnState): void {
  const enter = (request: FastifyRequest, reply: FastifyReply): Promise<Caller | undefined> =>
    authenticate(request, reply, altinn, { scopes: REGISTER_SCOPES });

  const own = async (request: FastifyRequest<OneSystem>, reply: FastifyReply): Promise<System | undefined> => {
    const caller = await enter(request, reply);
    if (caller === undefined) return undefined;
    const system = altinn.systemOf(caller.vendor, request.params.systemId);
    note(request, 'system.own', system !== undefined, request.params.systemId);
    if (system === undefined) authProblem(request, reply, 'AUTH-00011');
    return system;
  };

  app.get(BASE, async (request, reply) => {
    const caller = await enter(request, reply);
    if (caller === undefined) return reply;
    const systems = altinn.systems.list().filter(({ vendor }) => vendor === caller.vendor);
    return reply.send(systems.map((system) => systemView(system, altinn)));
  });

  app.post(BASE, async (request, reply) => {
    const caller = await enter(request, reply);
    if (caller === undefined) return reply;
    const system = readWireSystem(request.body);
    const problems = systemProblems(system, altinn);
    note(request, 'system.valid', problems.length === 0, problems.map(({ code }) => code).join(' '));
    if (problems.length > 0) return validationProblem(request, reply, problems);
    const vendor = system.vendorId.slice(5);
    note(request, 'system.vendor', vendor === caller.vendor);
    if (vendor !== caller.vendor) return emptyAnswer(reply, 403);
    store(request.body, vendor, altinn);
    altinn.recordChange(system.id, 'Create', { ...system });
    // A bare JSON string, not an object.
    return reply
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(altinn.factsOf('system', system.id).internalId));
  });

  app.get<OneSystem>(`${BASE}/:systemId`, async (request, reply) => {
    const system = await own(request, reply);
    return system === undefined ? reply : reply.send(systemView(system, altinn));
  });

  app.put<OneSystem>(`${BASE}/:systemId`, async (request, reply) => {
    const existing = await own(request, reply);
    if (existing === undefined) return reply;
    const system = readWireSystem(request.body);
    const problems = systemProblems(system, altinn, existing.id);
    note(request, 'system.valid', problems.length === 0, problems.map(({ code }) => code).join(' '));
    if (problems.length > 0) return validationProblem(request, reply, problems);
    if (system.vendorId.slice(5) !== existing.vendor) return emptyAnswer(reply, 403);
    store(request.body, existing.vendor, altinn);
    altinn.recordChange(existing.id, 'Update', { ...system });
    return reply.send(DONE);
  });

  app.put<OneSystem>(`${BASE}/:systemId/rights`, async (request, reply) => {
    const system = await own(request, reply);
    if (system === undefined) return reply;
    const problems = rightsProblems(wireRights(request.body), altinn);
    if (problems.length > 0) return validationProblem(request, reply, problems);
    altinn.systems.addUnknown({ ...system, rights: readRights(request.body, 'rights') });
    altinn.recordChange(system.id, 'RightsUpdate', { rights: wireRights(request.body) });
    return reply.send(DONE);
  });

  app.put<OneSystem>(`${BASE}/:systemId/accesspackages`, async (request, reply) => {
    const system = await own(request, reply);
    if (system === undefined) return reply;
    const problems = packagesProblems(wirePackages(request.body), altinn);
    if (problems.length > 0) return validationProblem(request, reply, problems);
    altinn.systems.addUnknown({ ...system, accessPackages: readPackages(request.body, 'accessPackages') });
    altinn.recordChange(system.id, 'AccessPackageUpdate', { accessPackages: wirePackages(request.body) });
    return reply.send(DONE);
  });

  app.delete<OneSystem>(`${BASE}/:systemId`, async (request, reply) => {
    const system = await own(request, reply);
    if (system === undefined) return reply;
    altinn.systems.remove(system.id);
    altinn.recordChange(system.id, 'Delete', {});
    return reply.send(DONE);
  });

  app.get<OneSystem>(`${BASE}/:systemId/changelog`, async (request, reply) => {
    const system = await own(request, reply);
    if (system === undefined) return reply;
    const { internalId } = altinn.factsOf('system', system.id);
    const changes = altinn.changesOf(system.id);
    return reply.send(
      changes.map(({ changeType, changedData, created }) => ({
        systemInternalId: internalId,
        changedByOrgNumber: system.vendor,
        changeType,
        changedData,
        created,
      })),
    );
  });
}
