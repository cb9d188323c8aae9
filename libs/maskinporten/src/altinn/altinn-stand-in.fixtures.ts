import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An own reading of Altinn's documentation, next to the simulator's: one mistake should not hide in both. */
export interface StandInUser {
  id: string;
  systemId: string;
  organisation: string;
  externalRef: string;
  userType: 'standard' | 'agent';
  /** Resources, or `resource#action` for one action only. */
  rights: string[];
  packages: string[];
  /** Clients of an agent. */
  clients: string[];
}

export interface StandInRequest {
  id: string;
  agent: boolean;
  systemId: string;
  partyOrgNo: string;
  externalRef: string;
  rights: unknown[];
  accessPackages: unknown[];
  status: string;
  timedOut?: boolean;
  redirectUrl?: string;
}

interface Claims {
  client_id: string;
  scope: string;
  exchanged: boolean;
  owner?: string;
  systemUserId?: string;
}

export interface LoggedCall {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly scope: string;
  readonly owner: string | undefined;
  /** Whose token it was called with. */
  readonly client: string | undefined;
  readonly exchanged: boolean;
  readonly body: unknown;
  status: number;
}

type Fault = (call: LoggedCall, response: ServerResponse) => boolean;
const VENDOR = '310000019';
const AUTHN = '/authentication/api/v1';

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Unsigned: nobody in these tests checks a signature, and everybody decodes. */
export const unsignedJwt = (claims: object): string =>
  `${base64url({ alg: 'RS256' })}.${base64url({ jti: randomUUID(), ...claims })}.${Buffer.from(randomUUID()).toString('base64url')}`;
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString() || '{}') as Record<string, unknown>;

/** Maskinporten, Altinn and an API behind them on one loopback port. */
export class AltinnStandIn {
  readonly users: StandInUser[] = [];
  readonly requests: StandInRequest[] = [];
  readonly log: LoggedCall[] = [];
  readonly system = {
    id: `${VENDOR}_books`,
    rights: ['ske-krav-og-betalinger', 'app_acme_report'],
    packages: [] as string[],
    clientIds: ['client-1'],
    isDeleted: false,
  };
  /** What the open resource registry holds; undefined: there is no registry. */
  registry: string[] | undefined;
  readonly ungranted = new Set<string>();
  readonly faults: Fault[] = [];
  readonly changes: Record<string, unknown>[] = [];
  subscriptionKey = 'subscription-key-of-the-tests';
  tokenLifeSeconds = 120;
  /** Switches for what Altinn's documentation contradicts itself in. */
  readonly style = { nestedData: false, pascalCase: false, packageUrn: false, quotedToken: false, internalNext: false };
  pageSize = 50;
  #server = createServer((request, response) => void this.#serve(request, response));
  url = '';

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  addUser(user: Partial<StandInUser> & { organisation: string }): StandInUser {
    const made: StandInUser = {
      id: randomUUID(),
      systemId: this.system.id,
      externalRef: user.organisation,
      userType: 'standard',
      rights: [],
      packages: [],
      clients: [],
      ...user,
    };
    this.users.push(made);
    return made;
  }

  addRequest(request: Partial<StandInRequest> & { partyOrgNo: string; status: string }): StandInRequest {
    const made: StandInRequest = {
      id: randomUUID(),
      agent: false,
      systemId: this.system.id,
      externalRef: request.partyOrgNo,
      rights: [],
      accessPackages: [],
      ...request,
    };
    this.requests.push(made);
    return made;
  }

  /** The customer deletes it; its request goes with it. */
  deleteUser(user: StandInUser): void {
    this.users.splice(this.users.indexOf(user), 1);
    const index = this.requests.findIndex(({ id }) => id === user.id);
    if (index >= 0) this.requests.splice(index, 1);
  }

  /** Answers calls whose path contains `part`, `times` times. */
  fail(
    part: string,
    status: number,
    options: { times?: number; headers?: Record<string, string>; body?: string } = {},
  ): void {
    let left = options.times ?? Number.POSITIVE_INFINITY;
    this.faults.push((call, response) => {
      if (left <= 0 || !call.path.includes(part)) return false;
      left -= 1;
      call.status = status;
      response.writeHead(status, options.headers ?? {}).end(options.body ?? '');
      return true;
    });
  }

  calls(part: string): LoggedCall[] {
    return this.log.filter(({ path }) => path.includes(part));
  }

  reset(): void {
    for (const list of [this.users, this.requests, this.log, this.faults, this.changes]) list.length = 0;
    this.ungranted.clear();
    this.registry = undefined;
    this.pageSize = 50;
    this.tokenLifeSeconds = 120;
    this.system.clientIds = ['client-1'];
    this.system.isDeleted = false;
    this.system.packages = [];
    Object.assign(this.style, {
      nestedData: false,
      pascalCase: false,
      packageUrn: false,
      quotedToken: false,
      internalNext: false,
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', this.url);
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const claims = bearer === undefined ? undefined : (claimsOf(bearer) as unknown as Claims);
    const json = request.headers['content-type']?.includes('json') === true;
    const call: LoggedCall = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: Object.fromEntries(url.searchParams),
      scope: claims?.scope ?? '',
      owner: claims?.owner,
      client: claims?.client_id,
      exchanged: claims?.exchanged ?? false,
      body: json && text !== '' ? JSON.parse(text) : text,
      status: 0,
    };
    this.log.push(call);
    if (this.faults.some((fault) => fault(call, response))) return;
    const send = (status: number, body?: unknown, type = 'application/json'): void => {
      call.status = status;
      const content = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, body === undefined ? {} : { 'content-type': type }).end(content);
    };
    if (call.path === '/token') return this.#token(new URLSearchParams(text).get('assertion') ?? '', send);
    if (call.path.startsWith('/resourceregistry/')) {
      const id = call.path.split('/').at(-1) ?? '';
      return this.registry?.includes(id) === true ? send(200, { identifier: id }) : send(404);
    }
    if (claims === undefined) return send(401);
    this.#route(call, claims, request, send);
  }

  #token(assertion: string, send: (status: number, body?: unknown) => void): void {
    const claims = claimsOf(assertion);
    const scope = String(claims['scope']);
    const refuse = (status: number, error: string, code: string, said: string): void =>
      send(status, {
        error,
        error_description: `${said} (MP-${code}). trace_id: ${randomUUID()}`,
        error_uri: `https://x.example/feil#MP-${code}`,
      });
    const missing = scope.split(' ').find((name) => this.ungranted.has(name));
    if (missing !== undefined) return refuse(403, 'forbidden', '250', 'not granted');
    const [detail] = (claims['authorization_details'] ?? []) as {
      systemuser_org: { ID: string };
      externalRef?: string;
    }[];
    const common = { client_id: claims['iss'], scope, exchanged: false, iat: claims['iat'] };
    if (detail === undefined) {
      return send(200, this.#granted(scope, { ...common }));
    }
    const owner = detail.systemuser_org.ID.replace('0192:', '');
    const user = this.users.find(
      (entry) => entry.organisation === owner && entry.externalRef === (detail.externalRef ?? owner),
    );
    if (user === undefined || !this.system.clientIds.includes(String(claims['iss']))) {
      return refuse(400, 'invalid_altinn_customer_configuration', '303', 'System user not found');
    }
    const details = [{ ...detail, type: 'urn:altinn:systemuser', systemuser_id: [user.id], system_id: user.systemId }];
    send(200, this.#granted(scope, { ...common, owner, systemUserId: user.id, authorization_details: details }));
  }

  #granted(scope: string, claims: object): object {
    return {
      access_token: unsignedJwt(claims),
      token_type: 'Bearer',
      expires_in: this.tokenLifeSeconds - 1,
      scope,
    };
  }

  #route(
    call: LoggedCall,
    claims: Claims,
    request: IncomingMessage,
    send: (status: number, body?: unknown, type?: string) => void,
  ): void {
    const { method, path, query } = call;
    const scopes = claims.scope.split(' ');
    const needs = (scope: string): boolean => {
      if (scopes.includes(scope)) return true;
      send(403);
      return false;
    };
    const problem = (status: number, code: string): void =>
      send(
        status,
        { type: `urn:altinn:error:${code}`, title: `Refused by the stand-in.`, status, code },
        'application/problem+json',
      );
    if (path === `${AUTHN}/exchange/maskinporten`) return this.#exchange(request, send);
    if (path === `${AUTHN}/systemuser/vendor/byquery`) {
      if (!needs('altinn:authentication/systemuser.request.write')) return;
      const found = this.users.find(
        (user) =>
          user.systemId === query['system-id'] &&
          user.organisation === query['orgno'] &&
          user.externalRef === (query['external-ref'] ?? query['orgno']),
      );
      return found === undefined ? send(404, { title: 'Not Found', status: 404 }) : send(200, this.#dto(found));
    }
    if (path.startsWith(`${AUTHN}/systemuser/vendor/bysystem/`)) {
      if (!needs('altinn:authentication/systemregister.write')) return;
      if (!path.endsWith(this.system.id)) return problem(404, 'AUTH-00011');
      const from = query['token'] === undefined ? 0 : Number(Buffer.from(query['token'], 'base64url').toString());
      const page = this.users.slice(from, from + this.pageSize).map((user) => this.#dto(user));
      const more = from + this.pageSize < this.users.length;
      const next = Buffer.from(String(from + this.pageSize)).toString('base64url');
      const host = this.style.internalNext ? 'https://internal.platform.tt02.altinn.cloud' : this.url;
      return send(200, { links: more ? { next: `${host}${path}?token=${next}` } : {}, data: page });
    }
    if (path === `${AUTHN}/systemregister/vendor`) {
      return needs('altinn:authentication/systemregister.write') ? send(200, []) : undefined;
    }
    if (path.startsWith(`${AUTHN}/systemregister/vendor/`)) {
      if (!needs('altinn:authentication/systemregister.write')) return;
      if (!path.includes(`/${VENDOR}_`)) return send(403);
      if (!path.endsWith(`/${this.system.id}`)) return send(404, { title: 'Not Found', status: 404 });
      return send(200, {
        id: this.system.id,
        vendor: { ID: `0192:${VENDOR}` },
        isDeleted: this.system.isDeleted,
        rights: this.system.rights.map((value) => ({ resource: [{ id: 'urn:altinn:resource', value }] })),
        accessPackages: this.system.packages.map((urn) => ({ urn })),
        clientId: this.system.clientIds,
        allowedRedirectUrls: [],
      });
    }
    if (path.startsWith(`${AUTHN}/systemuser/request/vendor`)) return this.#request(call, method, needs, problem, send);
    if (path.startsWith(`${AUTHN}/systemuser/changerequest/vendor`)) return this.#change(call, needs, problem, send);
    if (path === '/accessmanagement/api/v1/enduser/authorizedparties') {
      if (!claims.exchanged) return send(401);
      if (!needs('altinn:accessmanagement/authorizedparties')) return;
      return send(200, this.#parties(claims, query['anyOfResourceIds']));
    }
    if (path === '/authorization/api/v1/authorize') {
      if (!claims.exchanged || request.headers['ocp-apim-subscription-key'] !== this.subscriptionKey) return send(401);
      if (!needs('altinn:authorization/authorize')) return;
      return send(200, this.#decide(call.body as Record<string, unknown>));
    }
    if (path.startsWith('/acme/')) return send(200, { scope: claims.scope, owner: claims.owner ?? null });
    send(404);
  }

  #exchange(request: IncomingMessage, send: (status: number, body?: unknown, type?: string) => void): void {
    const {
      exp: _,
      authorization_details: details,
      ...claims
    } = claimsOf((request.headers.authorization ?? '').slice('Bearer '.length));
    const now = Math.floor(Date.now() / 1000);
    const token = unsignedJwt({
      ...claims,
      exchanged: true,
      iat: now,
      exp: now + 1800,
      ...(details === undefined ? {} : { authorization_details: (details as unknown[])[0] }),
    });
    send(200, this.style.quotedToken ? JSON.stringify(token) : token, 'text/plain');
  }

  #dto(user: StandInUser): object {
    return {
      id: user.id,
      integrationTitle: 'Books',
      systemId: user.systemId,
      reporteeOrgNo: user.organisation,
      created: '2026-10-01T08:00:00Z',
      isDeleted: false,
      supplierOrgno: VENDOR,
      externalRef: user.externalRef,
      userType: user.userType,
    };
  }

  #request(
    call: LoggedCall,
    method: string,
    needs: (scope: string) => boolean,
    problem: (status: number, code: string) => void,
    send: (status: number, body?: unknown) => void,
  ): void {
    const rest = call.path.slice(`${AUTHN}/systemuser/request/vendor`.length).split('/').filter(Boolean);
    const agent = rest[0] === 'agent';
    if (agent) rest.shift();
    if (!needs(`altinn:authentication/systemuser.request.${method === 'GET' ? 'read' : 'write'}`)) return;
    if (method === 'POST') return this.#createRequest(call.body as never, agent, problem, send);
    const found =
      rest[0] === 'byexternalref'
        ? this.requests.find(
            (entry) =>
              entry.systemId === rest[1] &&
              entry.partyOrgNo === rest[2] &&
              entry.externalRef === rest[3] &&
              entry.agent === agent,
          )
        : this.requests.find((entry) => entry.id === rest[0]);
    if (found === undefined) return problem(404, 'AUTH-00010');
    if (agent && !found.agent) return problem(400, 'AUTH-00025');
    if (!agent && found.agent) return problem(404, 'AUTH-00010');
    if (method === 'DELETE') {
      this.requests.splice(this.requests.indexOf(found), 1);
      return send(202);
    }
    send(200, this.#requestBody(found));
  }

  #createRequest(
    body: {
      systemId: string;
      partyOrgNo: string;
      externalRef?: string;
      rights?: unknown[];
      accessPackages?: unknown[];
    },
    agent: boolean,
    problem: (status: number, code: string) => void,
    send: (status: number, body?: unknown) => void,
  ): void {
    const externalRef = body.externalRef ?? body.partyOrgNo;
    if (this.users.some((user) => user.organisation === body.partyOrgNo && user.externalRef === externalRef)) {
      return problem(400, 'AUTH-00004');
    }
    const existing = this.requests.find(
      (entry) =>
        entry.partyOrgNo === body.partyOrgNo && entry.externalRef === externalRef && entry.status !== 'Timedout',
    );
    if (existing !== undefined) return send(200, this.#requestBody(existing));
    if (body.systemId !== this.system.id) return problem(404, 'AUTH-00011');
    const { rights = [], accessPackages = [] } = body;
    if (agent && accessPackages.length === 0) return problem(400, 'AUTH-00058');
    if (rights.length === 0 && accessPackages.length === 0) return problem(400, 'AUTH-00059');
    const made = this.addRequest({
      partyOrgNo: body.partyOrgNo,
      externalRef,
      agent,
      status: 'New',
      rights,
      accessPackages,
    });
    send(201, this.#requestBody(made));
  }

  #requestBody(request: StandInRequest): object {
    const page = request.agent ? 'agentrequest' : 'request';
    return {
      ...request,
      integrationTitle: 'Books',
      confirmUrl: `https://am.ui.tt02.altinn.no/accessmanagement/ui/systemuser/${page}?id=${request.id}&DONTCHOOSEREPORTEE=true`,
      escalated: false,
      created: '2026-11-22T10:00:00Z',
      timedOut: request.timedOut ?? false,
    };
  }

  #change(
    call: LoggedCall,
    needs: (scope: string) => boolean,
    problem: (status: number, code: string) => void,
    send: (status: number, body?: unknown, type?: string) => void,
  ): void {
    const [first] = call.path.slice(`${AUTHN}/systemuser/changerequest/vendor/`.length).split('/');
    if (!needs(`altinn:authentication/systemuser.request.${call.method === 'GET' ? 'read' : 'write'}`)) return;
    if (first === 'bysystem') return send(200, { links: {}, data: this.changes });
    if (call.method !== 'POST') {
      const found = this.changes.find(({ id }) => id === first);
      return found === undefined ? problem(404, 'AUTH-00010') : send(200, found);
    }
    const { 'correlation-id': id, 'system-user-id': systemUserId } = call.query;
    if (id === undefined || id === systemUserId) return send(400, 'correlation-id is required', 'text/plain');
    const existing = this.changes.find((entry) => entry['id'] === id);
    if (existing !== undefined) return send(200, existing);
    const user = this.users.find((entry) => entry.id === systemUserId && entry.userType === 'standard');
    if (user === undefined) return problem(404, 'AUTH-00015');
    const body = call.body as Record<string, unknown[]>;
    const empty = Object.values(body).every((list) => list.length === 0);
    const made = {
      id: empty ? randomUUID() : id,
      systemUserId,
      partyOrgNo: user.organisation,
      systemId: user.systemId,
      ...body,
      status: empty ? 'NoChangeNeeded' : 'New',
      confirmUrl: `https://am.ui.tt02.altinn.no/accessmanagement/ui/systemuser/changerequest?id=${id}`,
      created: '2026-11-22T10:00:00Z',
    };
    if (!empty) this.changes.push(made);
    send(empty ? 200 : 201, made);
  }

  #parties(claims: Claims, resource: string | undefined): object {
    const user = this.users.find(({ id }) => id === claims.systemUserId);
    const holds = user?.rights.some((right) => resource === undefined || right.split('#')[0] === resource) ?? false;
    const who = user === undefined ? [] : user.userType === 'agent' ? user.clients : [user.organisation];
    const code = (urn: string): string => (this.style.packageUrn ? urn : urn.replace('urn:altinn:accesspackage:', ''));
    const listed = who.filter(() => (resource === undefined ? true : holds));
    const data = listed.map((organizationNumber) => ({
      partyUuid: randomUUID(),
      name: 'A party',
      organizationNumber,
      type: 'Organization',
      isDeleted: false,
      onlyHierarchyElementWithNoAccess: false,
      authorizedAccessPackages: (user?.packages ?? []).map(code),
      authorizedResources: [],
      subunits: [],
    }));
    return { links: {}, data: this.style.nestedData ? [data] : data };
  }

  #decide(body: Record<string, unknown>): object {
    type Part = { Id?: string; Attribute: { AttributeId: string; Value: string }[] };
    const request = body['Request'] as Record<'AccessSubject' | 'Action' | 'Resource', Part[]> & {
      MultiRequests?: { RequestReference: { ReferenceId: string[] }[] };
    };
    const one = (subject: Part, action: Part, resource: Part): object => {
      const value = (part: Part, id: string): string =>
        part.Attribute.find(({ AttributeId }) => AttributeId === id)?.Value ?? '';
      const user = this.users.find(({ id }) => id === value(subject, 'urn:altinn:systemuser:uuid'));
      const wanted = value(resource, 'urn:altinn:resource');
      const party = value(resource, 'urn:altinn:organization:identifier-no');
      const does = value(action, 'urn:oasis:names:tc:xacml:1.0:action:action-id');
      if (!this.system.rights.includes(wanted) && this.registry?.includes(wanted) !== true)
        return this.#result('Indeterminate', 'syntax-error');
      const parties = user === undefined ? [] : user.userType === 'agent' ? user.clients : [user.organisation];
      const holds = user?.rights.some((right) => right === wanted || right === `${wanted}#${does}`) ?? false;
      return this.#result(holds && parties.includes(party) ? 'Permit' : 'NotApplicable', 'ok');
    };
    const references = request.MultiRequests?.RequestReference;
    const part = (list: Part[], id: string | undefined): Part =>
      list.find(({ Id }) => Id === id) ?? list[0] ?? { Attribute: [] };
    const results =
      references === undefined || references.length < 2
        ? [
            one(
              part(request.AccessSubject, undefined),
              part(request.Action, undefined),
              part(request.Resource, undefined),
            ),
          ]
        : references.map(({ ReferenceId: [s, a, r] }) =>
            one(part(request.AccessSubject, s), part(request.Action, a), part(request.Resource, r)),
          );
    return this.style.pascalCase ? { Response: results } : { response: results };
  }

  #result(decision: string, status: string): object {
    const obligations =
      decision === 'Permit'
        ? [
            ['urn:altinn:minimum-authenticationlevel', '4'],
            ['urn:altinn:minimum-authenticationlevel-org', '3'],
          ].map(([category, value], index) => ({
            id: `urn:altinn:obligation:authenticationLevel${index + 1}`,
            attributeAssignment: [{ attributeId: `urn:altinn:obligation-assignment:${index + 1}`, value, category }],
          }))
        : [];
    const value = `urn:oasis:names:tc:xacml:1.0:status:${status}`;
    if (!this.style.pascalCase) return { decision, status: { statusCode: { value } }, obligations };
    return {
      Decision: decision,
      Status: { StatusCode: { Value: value } },
      Obligations: obligations.map(({ id, attributeAssignment }) => ({
        Id: id,
        AttributeAssignment: attributeAssignment.map(({ attributeId, value: level, category }) => ({
          AttributeId: attributeId,
          Value: level,
          Category: category,
        })),
      })),
    };
  }
}
