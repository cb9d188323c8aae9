import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { organisationNumber, testClient, type TestClient } from './altinn-client.fixtures.js';
import { AltinnStandIn } from './altinn-stand-in.fixtures.js';

const CUSTOMER = organisationNumber(1);
const OTHER = organisationNumber(2);
const RESOURCE = 'ske-krav-og-betalinger';
const PACKAGE = 'urn:altinn:accesspackage:lonn';

async function collect<T>(list: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const entry of list) all.push(entry);
  return all;
}

const entry = (organizationNumber: string, more: object): object => ({ organizationNumber, ...more });

describe('Altinn client', () => {
  const standIn = new AltinnStandIn();
  let client: TestClient;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    client = await testClient(standIn);
  });
  afterEach(async () => client.close());
  const system = (): string => standIn.system.id;
  const findCustomer = async (): Promise<unknown> =>
    client.altinn.systemUsers.find(system(), { organisation: CUSTOMER });
  const create = async (more: object = {}): Promise<Record<string, unknown>> =>
    (await client.altinn.requests.create({
      systemId: system(),
      organisation: CUSTOMER,
      rights: [{ resource: RESOURCE, action: 'read' }],
      ...more,
    })) as unknown as Record<string, unknown>;

  describe('presence', () => {
    it('finds a live system user with the token of its own least scope', async () => {
      const user = standIn.addUser({ organisation: CUSTOMER });
      const found = await client.altinn.systemUsers.find(system(), { organisation: CUSTOMER });
      expect(found).toMatchObject({ id: user.id, organisation: CUSTOMER, externalRef: CUSTOMER, userType: 'standard' });
      expect(standIn.calls('/byquery')[0]).toMatchObject({
        scope: 'altinn:authentication/systemuser.request.write',
        owner: undefined,
        exchanged: false,
        query: { 'system-id': system(), orgno: CUSTOMER },
      });
    });

    it('F-84: 404 is "there is none", with and without a body', async () => {
      await expect(client.altinn.systemUsers.find(system(), { organisation: CUSTOMER })).resolves.toBeUndefined();
      standIn.fail('/byquery', 404);
      await expect(client.altinn.systemUsers.find(system(), { organisation: CUSTOMER })).resolves.toBeUndefined();
    });

    it('F-85: a web page with status 404 is a wrong address, not a missing system user', async () => {
      standIn.fail('/byquery', 404, { headers: { 'content-type': 'text/html' }, body: '<h1>Not found</h1>' });
      await expect(client.altinn.systemUsers.find(system(), { organisation: CUSTOMER })).rejects.toMatchObject({
        code: 'MP_CONFIG_ENDPOINT',
      });
    });

    it.each([
      ['no JSON', 'nonsense'],
      ['no object', '[]'],
      ['an empty object', '{}'],
      [
        'an unknown type',
        JSON.stringify({ id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', reporteeOrgNo: CUSTOMER, userType: 'x' }),
      ],
    ])('F-85: 200 with %s is MP_PROTOCOL', async (_, body) => {
      standIn.fail('/byquery', 200, { headers: { 'content-type': 'application/json' }, body });
      await expect(client.altinn.systemUsers.find(system(), { organisation: CUSTOMER })).rejects.toMatchObject({
        code: 'MP_PROTOCOL',
      });
    });

    it.each([
      ['organisation', { reporteeOrgNo: OTHER }],
      ['reference', { externalRef: 'shop-2' }],
      ['system', { systemId: 'other' }],
    ])('T-54: an answer about another %s is refused', async (_, difference) => {
      const asked = { reporteeOrgNo: CUSTOMER, externalRef: 'shop-1', systemId: system(), userType: 'standard' };
      const answer = { id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', ...asked };
      const key = { organisation: CUSTOMER, externalRef: 'shop-1' };
      const type = { 'content-type': 'application/json' };
      standIn.fail('/byquery', 200, { times: 1, headers: type, body: JSON.stringify(answer) });
      await expect(client.altinn.systemUsers.find(system(), key)).resolves.toMatchObject({ organisation: CUSTOMER });
      standIn.fail('/byquery', 200, { headers: type, body: JSON.stringify({ ...answer, ...difference }) });
      await expect(client.altinn.systemUsers.find(system(), key)).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
    });

    it('tries a 401 once with a fresh token, and passes 403 on as a refusal of ours', async () => {
      standIn.fail('/byquery', 401, { times: 1 });
      standIn.addUser({ organisation: CUSTOMER });
      await expect(client.altinn.systemUsers.find(system(), { organisation: CUSTOMER })).resolves.toBeDefined();
      standIn.fail('/byquery', 403);
      await expect(client.altinn.systemUsers.find(system(), { organisation: CUSTOMER })).rejects.toMatchObject({
        code: 'MP_UPSTREAM_REJECTED',
        status: 403,
      });
    });

    it('stops asking while Altinn is down', async () => {
      standIn.fail('/byquery', 503);
      await expect(findCustomer()).rejects.toMatchObject({ code: 'MP_UPSTREAM', attempts: 3 });
      await expect(findCustomer()).rejects.toMatchObject({ code: 'MP_UPSTREAM', attempts: 0 });
      expect(standIn.calls('/byquery')).toHaveLength(3);
    });
  });

  describe('list of system users', () => {
    it('walks through pages as they are read, with the token of the register scope', async () => {
      for (let index = 1; index <= 7; index += 1) standIn.addUser({ organisation: organisationNumber(index) });
      standIn.pageSize = 3;
      const found = await collect(client.altinn.systemUsers.list(system()));
      expect(found.map(({ organisation }) => organisation)).toEqual(
        standIn.users.map(({ organisation }) => organisation),
      );
      expect(standIn.calls('/bysystem/').map(({ scope }) => scope)).toEqual(
        Array.from({ length: 3 }, () => 'altinn:authentication/systemregister.write'),
      );
    });

    it('asks for no more pages than are read', async () => {
      for (let index = 1; index <= 7; index += 1) standIn.addUser({ organisation: organisationNumber(index) });
      standIn.pageSize = 3;
      for await (const user of client.altinn.systemUsers.list(system())) {
        expect(user.organisation).toBe(organisationNumber(1));
        break;
      }
      expect(standIn.calls('/bysystem/')).toHaveLength(1);
    });

    it('never follows the host of a link', async () => {
      for (let index = 1; index <= 4; index += 1) standIn.addUser({ organisation: organisationNumber(index) });
      Object.assign(standIn, { pageSize: 2 });
      standIn.style.internalNext = true;
      await expect(collect(client.altinn.systemUsers.list(system()))).resolves.toHaveLength(4);
    });

    it.each([
      ['a circle', { links: { next: 'https://x.example/?token=MQ' }, data: [] }],
      ['a link without token', { links: { next: 'https://x.example/' }, data: [] }],
      ['no list', { links: {} }],
    ])('F-85: ends at %s', async (_, body) => {
      standIn.fail('/bysystem/', 200, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      await expect(collect(client.altinn.systemUsers.list(system()))).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
      expect(standIn.calls('/bysystem/').length).toBeLessThanOrEqual(2);
    });

    it('says that the system is not ours', async () => {
      await expect(collect(client.altinn.systemUsers.list('310000019_typo'))).rejects.toMatchObject({
        code: 'MP_CONFIG',
        authCode: 'AUTH-00011',
        failures: [{ field: 'ALTINN_SYSTEM_ID' }],
      });
    });

    it('keeps a path inside its segment', async () => {
      await expect(collect(client.altinn.systemUsers.list('..'))).rejects.toMatchObject({ code: 'MP_REQUEST' });
      await expect(collect(client.altinn.systemUsers.list('a/../../x'))).rejects.toMatchObject({ code: 'MP_CONFIG' });
      expect(standIn.calls('a/../../x')[0]?.path).toContain('/bysystem/a/../../x');
    });
  });

  describe('authorized parties', () => {
    it('asks as the system user, one resource per call, with an exchanged token', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      const { parties, tokenExpiresAt } = await client.altinn.parties.withResource(
        { organisation: CUSTOMER },
        RESOURCE,
      );
      expect(parties).toMatchObject([{ organisation: CUSTOMER, hasAccess: true }]);
      expect(tokenExpiresAt).toBeInstanceOf(Date);
      expect(standIn.calls('/authorizedparties')[0]).toMatchObject({
        owner: CUSTOMER,
        exchanged: true,
        scope: 'altinn:accessmanagement/authorizedparties',
        query: { anyOfResourceIds: RESOURCE },
      });
    });

    it.each([
      ['plain', false, false],
      ['nested, URN', true, true],
    ])(
      'reads data and packages as they are documented and as they are sent (%s)',
      async (_, nestedData, packageUrn) => {
        Object.assign(standIn.style, { nestedData, packageUrn });
        standIn.addUser({ organisation: CUSTOMER, packages: [PACKAGE] });
        const { parties } = await client.altinn.parties.withResource({ organisation: CUSTOMER }, PACKAGE);
        expect(parties).toMatchObject([{ organisation: CUSTOMER, accessPackages: ['lonn'] }]);
        expect(standIn.calls('/authorizedparties')[0]?.query).toEqual({ includeAccessPackages: 'true' });
      },
    );

    it('finds subunits however deep, and does not count what has no access', async () => {
      const data = [
        entry(CUSTOMER, {
          onlyHierarchyElementWithNoAccess: true,
          subunits: [entry(OTHER, { isDeleted: false, subunits: [entry(organisationNumber(3), { isDeleted: true })] })],
        }),
        entry(organisationNumber(4), { isDeleted: 'no' }),
      ];
      standIn.addUser({ organisation: CUSTOMER });
      standIn.fail('/authorizedparties', 200, { body: JSON.stringify({ links: {}, data }) });
      const { parties } = await client.altinn.parties.all({ organisation: CUSTOMER });
      const access = Object.fromEntries(parties.map(({ organisation, hasAccess }) => [organisation, hasAccess]));
      expect(access).toEqual({
        [CUSTOMER]: false,
        [OTHER]: true,
        [organisationNumber(3)]: false,
        [organisationNumber(4)]: false,
      });
    });

    it('F-85: an answer without list is MP_PROTOCOL, and MP-303 comes through', async () => {
      await expect(client.altinn.parties.all({ organisation: CUSTOMER })).rejects.toMatchObject({
        code: 'MP_SYSTEMUSER_MISSING',
      });
      standIn.addUser({ organisation: OTHER });
      standIn.fail('/authorizedparties', 200, { body: '{"data":[1]}' });
      await expect(client.altinn.parties.all({ organisation: OTHER })).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
    });
  });

  describe('requests', () => {
    it('asks for a system user and gives the link to approve it', async () => {
      const made = await create({ title: ' Books ', redirectUrl: 'https://vendor.example/back' });
      expect(made).toMatchObject({ kind: 'standard', status: 'New', organisation: CUSTOMER });
      expect(made['confirmUrl']).toMatch(/^https:\/\/am\.ui\.tt02\.altinn\.no\/.*DONTCHOOSEREPORTEE=true$/);
      expect(standIn.calls('/request/vendor')[0]?.body).toEqual({
        systemId: system(),
        partyOrgNo: CUSTOMER,
        integrationTitle: 'Books',
        rights: [{ action: 'read', resource: [{ id: 'urn:altinn:resource', value: RESOURCE }] }],
        accessPackages: [],
        redirectUrl: 'https://vendor.example/back',
      });
    });

    it('gets the existing request back, whatever its status', async () => {
      const first = await create();
      const [stored] = standIn.requests;
      if (stored !== undefined) stored.status = 'Rejected';
      await expect(create()).resolves.toMatchObject({ id: first['id'], status: 'Rejected' });
    });

    it('asks for an agent with packages only', async () => {
      const made = await create({ agent: true, accessPackages: ['lonn'] });
      expect(made).toMatchObject({ kind: 'agent', accessPackages: [PACKAGE] });
      expect(standIn.calls('/request/vendor/agent')[0]?.body).not.toHaveProperty('rights');
      await expect(create({ agent: true, externalRef: 'x' })).rejects.toMatchObject({ authCode: 'AUTH-00058' });
    });

    it('tells an existing system user by its code, with hints in two languages', async () => {
      standIn.addUser({ organisation: CUSTOMER });
      await expect(create()).rejects.toMatchObject({
        name: 'AltinnError',
        authCode: 'AUTH-00004',
        code: 'MP_REQUEST',
        hint: { en: expect.stringContaining('approved'), nb: expect.stringContaining('godkjenning') },
      });
    });

    it.each([
      ['timedOut flag', { status: 'New', timedOut: true }, 'TimedOut'],
      ['documented spelling', { status: 'TimedOut' }, 'TimedOut'],
      ['other documented spelling', { status: 'Timedout' }, 'TimedOut'],
      ['lower case', { status: 'accepted' }, 'Accepted'],
    ])('reads the status: %s', async (_, facts, status) => {
      const request = standIn.addRequest({ partyOrgNo: CUSTOMER, ...facts });
      await expect(client.altinn.requests.get('standard', request.id)).resolves.toMatchObject({ status });
    });

    it('finds a request by reference, deletes it, and then finds nothing', async () => {
      const { id } = standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'Rejected' });
      const { requests } = client.altinn;
      await expect(requests.findByKey('standard', system(), { organisation: CUSTOMER })).resolves.toMatchObject({ id });
      await expect(requests.findByKey('agent', system(), { organisation: CUSTOMER })).resolves.toBeUndefined();
      await expect(requests.get('agent', id)).resolves.toBeUndefined();
      await expect(requests.delete('standard', id)).resolves.toBe(true);
      await expect(requests.delete('standard', id)).resolves.toBe(false);
      await expect(requests.get('standard', id)).resolves.toBeUndefined();
      expect(new Set(standIn.calls('/request/vendor').map(({ method, scope }) => `${method} ${scope}`))).toEqual(
        new Set([
          'GET altinn:authentication/systemuser.request.read',
          'DELETE altinn:authentication/systemuser.request.write',
        ]),
      );
    });

    it('F-85: refuses a status that nobody knows, a link that is no web address and an id that is no UUID', async () => {
      const odd = standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'Perhaps' });
      await expect(client.altinn.requests.get('standard', odd.id)).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
      standIn.fail('/request/vendor', 200, {
        body: JSON.stringify({ id: odd.id, status: 'New', confirmUrl: 'javascript:alert(1)' }),
      });
      await expect(client.altinn.requests.get('standard', odd.id)).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
      await expect(client.altinn.requests.get('standard', '../x')).rejects.toMatchObject({ code: 'MP_REQUEST' });
    });

    it('asks for other rights, idempotently by correlation id', async () => {
      const user = standIn.addUser({ organisation: CUSTOMER });
      const correlationId = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff';
      const change = async (): Promise<unknown> =>
        client.altinn.requests.change({
          systemUserId: user.id,
          correlationId,
          requiredRights: [{ resource: RESOURCE }],
          unwantedAccessPackages: ['lonn'],
        });
      const first = await change();
      expect(first).toMatchObject({
        kind: 'change',
        id: correlationId,
        status: 'New',
        requiredRights: [{ resource: RESOURCE }],
      });
      await expect(change()).resolves.toEqual(first);
      await expect(client.altinn.requests.getChange(correlationId)).resolves.toMatchObject({ id: correlationId });
      expect(standIn.calls('/changerequest')[0]?.query).toEqual({
        'correlation-id': correlationId,
        'system-user-id': user.id,
      });
      await expect(client.altinn.requests.change({ systemUserId: user.id })).resolves.toMatchObject({
        status: 'NoChangeNeeded',
      });
      const agent = standIn.addUser({ organisation: OTHER, userType: 'agent' });
      await expect(client.altinn.requests.change({ systemUserId: agent.id })).rejects.toMatchObject({
        authCode: 'AUTH-00015',
      });
    });
  });

  describe('register', () => {
    it('reads the own system, and nothing of others', async () => {
      await expect(client.altinn.register.get(system())).resolves.toMatchObject({
        rights: [{ resource: RESOURCE }, { resource: 'app_acme_report' }],
        clientIds: ['client-1'],
      });
      // Unknown: 404. Somebody else's: 403, as a missing scope, which the list tells apart.
      await expect(client.altinn.register.get(`${system()}_2`)).resolves.toBeUndefined();
      await expect(client.altinn.register.get('310000027_other')).resolves.toBeUndefined();
    });

    it('takes a 403 for a missing scope when the list is refused too', async () => {
      standIn.fail('/systemregister/', 403);
      await expect(client.altinn.register.get(system())).rejects.toMatchObject({
        code: 'MP_UPSTREAM_REJECTED',
        status: 403,
      });
    });

    it('takes a deleted system, whose row Altinn still shows, for none', async () => {
      standIn.system.isDeleted = true;
      await expect(client.altinn.register.get(system())).resolves.toBeUndefined();
    });

    it('asks the open resource registry without a token', async () => {
      standIn.registry = [RESOURCE];
      await expect(client.altinn.register.knowsResource(RESOURCE)).resolves.toBe(true);
      await expect(client.altinn.register.knowsResource('typo')).resolves.toBe(false);
      expect(standIn.calls('/resourceregistry/').every(({ scope }) => scope === '')).toBe(true);
    });
  });
});
