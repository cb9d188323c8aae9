import { randomUUID } from 'node:crypto';
import { isUuid } from '../basics/index.js';
import { createError } from '../errors/index.js';
import { ownToken, segment, type AltinnApi } from './altinn-api.js';
import { isAltinnError } from './altinn-error.js';
import { ALTINN_SCOPES, AUTHENTICATION } from './altinn-config.js';
import { pages } from './pages.js';
import { unusableAnswer } from './refused-answer.js';
import { inputRecord, inputText, optionalFlag, optionalText } from './input.js';
import { writePackages, writeRights, type RightInput } from './right.js';
import type { SystemUserKey } from './system-user-lookup.js';
import {
  readChangeRequest,
  readRequest,
  type SystemUserChangeRequest,
  type SystemUserRequest,
} from './system-user-request.js';

export interface NewRequest extends SystemUserKey {
  readonly systemId: string;
  readonly rights?: readonly RightInput[] | undefined;
  /** With or without `urn:altinn:accesspackage:`. */
  readonly accessPackages?: readonly string[] | undefined;
  readonly redirectUrl?: string | undefined;
  /** Shown to the customer. */
  readonly title?: string | undefined;
  readonly agent?: boolean | undefined;
}

export interface NewChangeRequest {
  readonly systemUserId: string;
  readonly requiredRights?: readonly RightInput[] | undefined;
  readonly unwantedRights?: readonly RightInput[] | undefined;
  readonly requiredAccessPackages?: readonly string[] | undefined;
  readonly unwantedAccessPackages?: readonly string[] | undefined;
  readonly redirectUrl?: string | undefined;
  /** Same id, same change request: use one again to repeat a call safely. Default: a new UUID. */
  readonly correlationId?: string | undefined;
}

const ROOTS = {
  standard: `${AUTHENTICATION}/systemuser/request/vendor`,
  agent: `${AUTHENTICATION}/systemuser/request/vendor/agent`,
  change: `${AUTHENTICATION}/systemuser/changerequest/vendor`,
} as const;
const PAGE_BYTES = 2 * 1024 * 1024;

/** Requests and change requests of a vendor: ask, look, take back. */
export class SystemUserRequests {
  readonly #api: AltinnApi;
  readonly #write = ownToken(ALTINN_SCOPES.requestWrite);
  readonly #read = ownToken(ALTINN_SCOPES.requestRead);

  constructor(api: AltinnApi) {
    this.#api = api;
  }

  /**
   * Asks for a system user. Altinn answers 200 with the existing request, whatever its status, when there is one for
   * the same organisation, externalRef and system: the status of what comes back has to be looked at.
   *
   * @throws AltinnError with `authCode` `AUTH-00004` when the system user exists already; others per its table
   */
  async create(request: NewRequest): Promise<SystemUserRequest> {
    const kind = request.agent === true ? 'agent' : 'standard';
    const { json } = await this.#api.call({
      what: 'create request',
      method: 'POST',
      path: ROOTS[kind],
      body: createBody(request),
      token: this.#write,
      accept: [200, 201],
      circuit: 'authentication',
    });
    const created = readRequest('create request', json, kind, this.#api.insecureHosts);
    if (created.organisation !== undefined && created.organisation !== request.organisation) {
      throw unusableAnswer('create request', 'it is about another organisation than was asked for');
    }
    return created;
  }

  /** @returns undefined when it does not exist (any more), or is somebody else’s */
  async get(kind: SystemUserRequest['kind'], id: string, signal?: AbortSignal): Promise<SystemUserRequest | undefined> {
    const json = await this.#get(`${ROOTS[kind]}/${idSegment(id)}`, signal);
    return json === undefined ? undefined : readRequest('read request', json, kind, this.#api.insecureHosts);
  }

  async getChange(id: string, signal?: AbortSignal): Promise<SystemUserChangeRequest | undefined> {
    const json = await this.#get(`${ROOTS.change}/${idSegment(id)}`, signal);
    return json === undefined ? undefined : readChangeRequest('read change request', json, this.#api.insecureHosts);
  }

  /** The request of one customer, by the reference it was made with. */
  async findByKey(
    kind: SystemUserRequest['kind'],
    systemId: string,
    { organisation, externalRef = organisation }: SystemUserKey,
    signal?: AbortSignal,
  ): Promise<SystemUserRequest | undefined> {
    const path = [systemId, organisation, externalRef].map((part) => segment(part, 'externalRef')).join('/');
    const json = await this.#get(`${ROOTS[kind]}/byexternalref/${path}`, signal);
    if (json === undefined) return undefined;
    const request = readRequest('read request', json, kind, this.#api.insecureHosts);
    if (request.organisation !== undefined && request.organisation !== organisation) {
      throw unusableAnswer('read request', 'it is about another organisation than was asked for');
    }
    return request;
  }

  /** All change requests of a system. Page boundaries may lose one (Altinn, requests). */
  async *listChanges(systemId: string, signal?: AbortSignal): AsyncGenerator<SystemUserChangeRequest, void, undefined> {
    const what = 'change requests by system';
    const path = `${ROOTS.change}/bysystem/${segment(systemId, 'systemId')}`;
    const page = async (token: string | undefined): ReturnType<AltinnApi['call']> =>
      this.#api.call({
        what,
        path,
        query: { token },
        token: this.#read,
        accept: [200],
        maxBytes: PAGE_BYTES,
        circuit: 'authentication',
        signal,
      });
    for await (const records of pages(what, page)) {
      for (const record of records) yield readChangeRequest(what, record, this.#api.insecureHosts);
    }
  }

  /** @returns false when there was nothing to delete */
  async delete(kind: keyof typeof ROOTS, id: string): Promise<boolean> {
    const { status } = await this.#api.call({
      what: 'delete request',
      method: 'DELETE',
      path: `${ROOTS[kind]}/${idSegment(id)}`,
      token: this.#write,
      accept: [200, 202, 204, 404],
      circuit: 'authentication',
    });
    return status !== 404;
  }

  /**
   * Asks for other rights of an existing system user.
   *
   * @throws AltinnError with `authCode` `AUTH-00015` when there is no such standard system user
   */
  async change(request: NewChangeRequest): Promise<SystemUserChangeRequest> {
    const given = inputRecord(request, 'request');
    const systemUserId = uuidFrom(given['systemUserId'], 'systemUserId');
    const correlationId = uuidFrom(given['correlationId'] ?? randomUUID(), 'correlationId');
    const { json } = await this.#api.call({
      what: 'create change request',
      method: 'POST',
      path: ROOTS.change,
      // Identification is in the query only: the body of older contracts is ignored.
      query: { 'correlation-id': correlationId, 'system-user-id': systemUserId },
      body: changeBody(given),
      token: this.#write,
      accept: [200, 201],
      circuit: 'authentication',
    });
    return readChangeRequest('create change request', json, this.#api.insecureHosts);
  }

  async #get(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    try {
      const { status, json } = await this.#api.call({
        what: 'read request',
        path,
        token: this.#read,
        accept: [200, 404],
        circuit: 'authentication',
        signal,
      });
      return status === 404 ? undefined : json;
    } catch (error) {
      // An ordinary request that is asked for as an agent's: there is no agent request of that id.
      if (isAltinnError(error, 'AUTH-00025')) return undefined;
      throw error;
    }
  }
}

function createBody(request: NewRequest): object {
  const { systemId, organisation, externalRef, rights, accessPackages, redirectUrl, title, agent } = inputRecord(
    request,
    'request',
  );
  const reference = optionalText(externalRef, 'externalRef');
  const shown = optionalText(title, 'title');
  const back = optionalText(redirectUrl, 'redirectUrl');
  const written = writeRights(rights, 'rights');
  return {
    systemId,
    partyOrgNo: organisation,
    externalRef: reference,
    integrationTitle: shown,
    ...(optionalFlag(agent, 'agent') === true ? {} : { rights: written }),
    accessPackages: writePackages(accessPackages, 'accessPackages'),
    redirectUrl: back,
  };
}

function changeBody(request: Readonly<Record<string, unknown>>): object {
  const redirectUrl = optionalText(request['redirectUrl'], 'redirectUrl');
  return {
    requiredRights: writeRights(request['requiredRights'], 'requiredRights'),
    unwantedRights: writeRights(request['unwantedRights'], 'unwantedRights'),
    requiredAccessPackages: writePackages(request['requiredAccessPackages'], 'requiredAccessPackages'),
    unwantedAccessPackages: writePackages(request['unwantedAccessPackages'], 'unwantedAccessPackages'),
    redirectUrl,
  };
}

const idSegment = (id: string): string => uuidFrom(id, 'id');

function uuidFrom(value: unknown, field: string): string {
  const id = inputText(value, field);
  if (!isUuid(id)) throw createError('MP_REQUEST', { message: `${field} must be a UUID. Nothing was sent.`, field });
  return id;
}
