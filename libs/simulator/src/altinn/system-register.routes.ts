// Longer than 250 lines because the order of checks differs from call to call, and is seen only where the calls stand together.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRecord } from '../kernel/index.js';
import type { Right, System } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { type Caller, authenticate, emptyAnswer, note } from './caller.js';
import {
  type ValidationProblem,
  missingInput,
  plainNotFound,
  plainText,
  unhandled,
  validationProblem,
} from './problems.js';
import {
  type WireSystem,
  changedSystemProblems,
  newSystemProblems,
  notIso6523,
  otherId,
  packagesProblems,
  readWireSystem,
  rightsProblems,
  vendorOf,
  wirePackages,
  wireRights,
} from './register-rules.js';
import { AUTHENTICATION, REGISTER_ADMIN, REGISTER_SCOPES } from './scopes.js';
import { packagesOf, trimmed } from './wire.js';

const BASE = `${AUTHENTICATION}/systemregister/vendor`;
/** As Altinn spells it: not `success`. */
const DONE = { succeeded: true };
const UPDATED_WHEN_DELETED = 'Cannot update a system marked as deleted.';

/** A text in three languages; a language that was left out gets another's. */
function localised(value: unknown, fallback: string) {
  const texts = isRecord(value) ? value : {};
  const [nb, nn, en] = [trimmed(texts['nb']), trimmed(texts['nn']), trimmed(texts['en'])];
  const any = nb ?? nn ?? en ?? fallback;
  return { nb: nb ?? any, nn: nn ?? any, en: en ?? any };
}

const rightView = ({ action, resource }: Right): object => ({ ...(action !== undefined && { action }), resource });

/** The answer about one system. The list has another model. */
function systemView(system: System): object {
  const name = localised(system.name, system.id);
  return {
    id: system.id,
    vendor: { ID: `0192:${system.vendor}` },
    name,
    description: system.description ?? name,
    rights: system.rights.map(rightView),
    accessPackages: packagesOf(system.accessPackages),
    isDeleted: system.isDeleted,
    clientId: system.clientIds,
    isVisible: system.isVisible,
    allowedRedirectUrls: system.allowedRedirectUrls,
  };
}

function itemView(system: System): object {
  const name = localised(system.name, system.id);
  return {
    systemId: system.id,
    systemVendorOrgNumber: system.vendor,
    systemVendorOrgName: '',
    name,
    description: system.description ?? name,
    rights: system.rights.map(rightView),
    accessPackages: packagesOf(system.accessPackages),
    isVisible: system.isVisible,
  };
}

const dotNetRights = (rights: WireSystem['rights']): readonly object[] =>
  rights.map(({ action, resource }) => ({ Action: action ?? null, Resource: resource }));

/** The body as .NET wrote it into the change log. */
function dotNetSystem(system: WireSystem): object {
  return {
    Id: system.id,
    Vendor: { ID: system.vendorId },
    Name: system.name,
    Description: system.description,
    Rights: dotNetRights(system.rights),
    AccessPackages: packagesOf(system.packages),
    ClientId: system.clientIds,
    IsVisible: system.isVisible,
    AllowedRedirectUrls: system.redirectUrls,
  };
}

/** Keeps what passed the rules. `PUT` replaces everything: what the body leaves out is gone. */
function store(system: WireSystem, vendor: string, altinn: AltinnState): void {
  altinn.systems.put({
    id: system.id,
    vendor,
    clientIds: system.clientIds,
    rights: system.rights,
    accessPackages: system.packages,
    allowedRedirectUrls: system.redirectUrls,
    name: localised(system.name, system.id),
    description: localised(system.description, system.id),
    isVisible: system.isVisible,
    isDeleted: false,
  });
}

interface OneSystem {
  readonly Params: { readonly systemId: string };
}

interface Entered {
  readonly caller: Caller;
  /** `undefined`: no such system. */
  readonly system: System | undefined;
}

const mayTouch = (caller: Caller, vendor: string): boolean =>
  caller.vendor === vendor || caller.scopes.includes(REGISTER_ADMIN);

const invalid = (request: FastifyRequest, reply: FastifyReply, problems: readonly ValidationProblem[]): boolean => {
  note(request, 'system.valid', problems.length === 0, problems.map(({ code }) => code).join(' '));
  if (problems.length > 0) validationProblem(request, reply, problems);
  return problems.length > 0;
};

const incomplete = (request: FastifyRequest, reply: FastifyReply, { missing }: WireSystem): boolean => {
  const errors = missing.map((name) => [name, [`The ${name} field is required.`]] as const);
  if (errors.length > 0) missingInput(request, reply, Object.fromEntries(errors));
  return errors.length > 0;
};

/** The system register, for vendors (Altinn, system register). */
export function systemRegisterRoutes(app: FastifyInstance, altinn: AltinnState): void {
  const enter = (request: FastifyRequest, reply: FastifyReply): Promise<Caller | undefined> =>
    authenticate(request, reply, altinn, { scopes: REGISTER_SCOPES });

  /** The system of the path; another vendor's is answered with 403, and `undefined` here. */
  const open = async (request: FastifyRequest<OneSystem>, reply: FastifyReply): Promise<Entered | undefined> => {
    const caller = await enter(request, reply);
    if (caller === undefined) return undefined;
    const { systemId } = request.params;
    const system = altinn.systems.get(systemId);
    note(request, 'system.found', system !== undefined, systemId);
    if (system === undefined) return { caller, system };
    const own = mayTouch(caller, system.vendor);
    note(request, 'system.own', own, `${systemId} of ${system.vendor}`);
    if (own) return { caller, system };
    emptyAnswer(reply, 403);
    return undefined;
  };

  const record = ({ vendor, claims }: Caller, systemId: string, changeType: string, changedData?: unknown): void => {
    const clientId = typeof claims['client_id'] === 'string' ? claims['client_id'] : undefined;
    altinn.recordChange(systemId, { changeType, changedData, clientId, orgno: vendor });
  };

  app.get(BASE, async (request, reply) => {
    const caller = await enter(request, reply);
    if (caller === undefined) return reply;
    note(request, 'token.consumer', caller.vendor !== undefined, caller.vendor);
    if (caller.vendor === undefined) return emptyAnswer(reply, 403);
    const systems = altinn.systems.list().filter(({ vendor, isDeleted }) => vendor === caller.vendor && !isDeleted);
    return reply.send(systems.map(itemView));
  });

  app.post(BASE, async (request, reply) => {
    const caller = await enter(request, reply);
    if (caller === undefined) return reply;
    const system = readWireSystem(request.body);
    if (incomplete(request, reply, system)) return reply;
    const vendor = vendorOf(system);
    if (vendor === undefined) return validationProblem(request, reply, [notIso6523()]);
    note(request, 'system.vendor', mayTouch(caller, vendor), vendor);
    if (!mayTouch(caller, vendor)) return emptyAnswer(reply, 403);
    if (invalid(request, reply, newSystemProblems(system, vendor, altinn))) return reply;
    store(system, vendor, altinn);
    record(caller, system.id, 'create', dotNetSystem(system));
    // A bare JSON string, not an object.
    const { internalId } = altinn.factsOf('system', system.id);
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(internalId));
  });

  app.get<OneSystem>(`${BASE}/:systemId`, async (request, reply) => {
    const entered = await open(request, reply);
    if (entered === undefined) return reply;
    return entered.system === undefined ? plainNotFound(request, reply) : reply.send(systemView(entered.system));
  });

  app.put<OneSystem>(`${BASE}/:systemId`, async (request, reply) => {
    const wire = readWireSystem(request.body);
    const caller = await enter(request, reply);
    if (caller === undefined || incomplete(request, reply, wire)) return reply;
    const { systemId } = request.params;
    const existing = altinn.systems.get(systemId);
    const notFound = `System with ID '${systemId}' not found.`;
    note(request, 'system.found', existing !== undefined, systemId);
    if (existing === undefined) return plainText(request, reply, 404, notFound);
    note(request, 'system.own', mayTouch(caller, existing.vendor), `${systemId} of ${existing.vendor}`);
    if (!mayTouch(caller, existing.vendor)) return emptyAnswer(reply, 403);
    if (vendorOf(wire) !== existing.vendor) return plainText(request, reply, 404, notFound);
    if (wire.id !== systemId) return validationProblem(request, reply, [otherId()]);
    if (existing.isDeleted) return plainText(request, reply, 400, UPDATED_WHEN_DELETED);
    if (invalid(request, reply, changedSystemProblems(wire, altinn))) return reply;
    store(wire, existing.vendor, altinn);
    record(caller, systemId, 'update', dotNetSystem(wire));
    return reply.send(DONE);
  });

  app.put<OneSystem>(`${BASE}/:systemId/rights`, async (request, reply) => {
    const entered = await open(request, reply);
    if (entered === undefined) return reply;
    const { caller, system } = entered;
    // That the source does not handle it, and fails, is inferred.
    if (system === undefined) return unhandled(request, reply);
    if (system.isDeleted) return plainText(request, reply, 400, UPDATED_WHEN_DELETED);
    const rights = wireRights(request.body);
    if (invalid(request, reply, rightsProblems(rights, altinn))) return reply;
    altinn.systems.put({ ...system, rights: rights });
    record(caller, system.id, 'rightsupdate', dotNetRights(rights));
    return reply.send(DONE);
  });

  app.put<OneSystem>(`${BASE}/:systemId/accesspackages`, async (request, reply) => {
    const entered = await open(request, reply);
    if (entered === undefined) return reply;
    const { caller, system } = entered;
    if (system === undefined) return unhandled(request, reply);
    if (system.isDeleted) return plainText(request, reply, 400, UPDATED_WHEN_DELETED);
    const packages = wirePackages(request.body);
    if (invalid(request, reply, packagesProblems(packages, altinn))) return reply;
    altinn.systems.put({ ...system, accessPackages: packages });
    record(caller, system.id, 'accesspackageupdate', packagesOf(packages));
    return reply.send(DONE);
  });

  app.delete<OneSystem>(`${BASE}/:systemId`, async (request, reply) => {
    const entered = await open(request, reply);
    if (entered === undefined) return reply;
    const { caller, system } = entered;
    if (system === undefined) return missingInput(request, reply, { return: ['System not found'] });
    // The row stays and keeps its id; its clients may be used by another system.
    altinn.systems.put({ ...system, isDeleted: true, clientIds: [] });
    record(caller, system.id, 'delete');
    // A system without clients is marked as deleted too, although the answer says otherwise; its text is inferred.
    if (system.clientIds.length === 0) return missingInput(request, reply, { return: ['No client ids were deleted'] });
    return reply.send(DONE);
  });

  app.get<OneSystem>(`${BASE}/:systemId/changelog`, async (request, reply) => {
    const entered = await open(request, reply);
    if (entered === undefined) return reply;
    const { systemId } = request.params;
    if (entered.system === undefined) return plainText(request, reply, 404, `System with ID ${systemId} not found.`);
    const { internalId } = altinn.factsOf('system', systemId);
    const entries = altinn.changesOf(systemId).map(({ changeType, changedData, clientId, orgno, created }) => ({
      systemInternalId: internalId,
      changedByOrgNumber: orgno,
      changeType,
      changedData,
      clientId,
      created,
    }));
    return reply.send(entries);
  });
}
