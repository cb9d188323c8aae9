import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { organisationNumber, testClient, type TestClient } from '../altinn/altinn-client.fixtures.js';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import type { RightsStrategy } from '../rights/index.js';
import { RESOURCE } from './system-user.fixtures.js';
import { SystemUserService } from './system-user.service.js';

const CUSTOMER = organisationNumber(1);
const CLIENT = organisationNumber(2);
const PACKAGE = 'urn:altinn:accesspackage:lonn';

const wire = (value: string): object => ({ resource: [{ id: 'urn:altinn:resource', value }] });

/** Moves with the test, and with real time, which the HTTP calls in between take. */
class ShiftedClock {
  shiftMs = 0;
  wallMs = (): number => Date.now() + this.shiftMs;
  monotonicMs = (): number => performance.now() + this.shiftMs;
}

describe('SystemUserService', () => {
  const standIn = new AltinnStandIn();
  let client: TestClient;
  let clock: ShiftedClock;
  const waits: number[] = [];
  const warnings: string[] = [];
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    waits.length = 0;
    warnings.length = 0;
    clock = new ShiftedClock();
    client = await testClient(standIn, { clock });
  });
  afterEach(async () => client.close());

  const service = (strategy: RightsStrategy | 'none' = 'pdp'): SystemUserService =>
    new SystemUserService({
      altinn: client.altinn,
      systemId: standIn.system.id,
      strategy: strategy === 'none' ? undefined : strategy,
      clock,
      onWarning: (reason) => warnings.push(reason),
      sleep: async (ms) => {
        waits.push(ms);
        await Promise.resolve();
      },
    });

  const check = async (resource = RESOURCE): Promise<unknown> =>
    service('accepted-request').checkRight({ organisation: CUSTOMER, resource });

  const approve = (rights: string[], packages: string[] = []): string => {
    const { id } = standIn.addUser({ organisation: CUSTOMER });
    standIn.addRequest({
      id,
      partyOrgNo: CUSTOMER,
      status: 'Accepted',
      rights: rights.map(wire),
      accessPackages: packages.map((urn) => ({ urn })),
    });
    return id;
  };

  describe('findSystemUser', () => {
    it('gives the system user, or null', async () => {
      const users = service();
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.toBeNull();
      standIn.addUser({ organisation: CLIENT });
      await expect(users.findSystemUser({ organisation: `0192:${CLIENT}` })).resolves.toMatchObject({
        organisation: CLIENT,
      });
      await expect(users.findSystemUser({ organisation: '123' })).rejects.toMatchObject({ code: 'MP_REQUEST' });
    });

    it('8, F-86: a system user deleted while it is cached is missing within 30 s; an approval is seen within 2 s', async () => {
      const users = service();
      const user = standIn.addUser({ organisation: CUSTOMER });
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.not.toBeNull();
      standIn.deleteUser(user);
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.not.toBeNull();
      await expect(users.findSystemUser({ organisation: CUSTOMER, fresh: true })).resolves.toBeNull();
      clock.shiftMs += 30_000;
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.toBeNull();
      standIn.addUser({ organisation: CUSTOMER });
      clock.shiftMs += 2_000;
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.not.toBeNull();
    });
  });

  describe('checkRight', () => {
    it.each([
      ['pdp', 'action'],
      ['authorized-parties', 'resource'],
    ] as const)('%s says who answered and how exactly', async (strategy, granularity) => {
      standIn.addUser({ organisation: CUSTOMER, rights: [`${RESOURCE}#read`] });
      const users = service(strategy);
      const query = { organisation: CUSTOMER, resource: RESOURCE };
      await expect(users.checkRight(query)).resolves.toEqual({
        allowed: true,
        strategy,
        granularity,
        checkedAt: expect.any(Date),
      });
      const write = await users.checkRight({ ...query, action: 'write' });
      expect(write.allowed).toBe(strategy === 'authorized-parties');
    });

    it('no system user and no right are decisions; no answer is an error', async () => {
      const users = service();
      const query = { organisation: CUSTOMER, resource: RESOURCE };
      await expect(users.checkRight(query)).resolves.toMatchObject({ allowed: false, code: 'system_user_missing' });
      standIn.addUser({ organisation: CLIENT });
      await expect(users.checkRight({ ...query, organisation: CLIENT })).resolves.toMatchObject({
        allowed: false,
        code: 'right_missing',
      });
      standIn.fail('/authorize', 503);
      await expect(
        users.checkRight({ ...query, organisation: CLIENT, resource: 'app_acme_report' }),
      ).rejects.toMatchObject({
        code: 'delegation_unknown',
      });
      await expect(service('none').checkRight({ ...query, organisation: CLIENT })).rejects.toMatchObject({
        code: 'system_user_misconfigured',
      });
    });

    it('F-86: a withdrawn right is seen within 30 s, and what another system user had counts for nothing', async () => {
      const users = service();
      const query = { organisation: CUSTOMER, resource: RESOURCE };
      const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expect(users.checkRight(query)).resolves.toMatchObject({ allowed: true });
      user.rights = [];
      await expect(users.checkRight(query)).resolves.toMatchObject({ allowed: true });
      clock.shiftMs += 30_000;
      await expect(users.checkRight(query)).resolves.toMatchObject({ allowed: false });
      user.rights = [RESOURCE];
      clock.shiftMs += 2_000;
      await expect(users.checkRight(query)).resolves.toMatchObject({ allowed: true });
      standIn.deleteUser(user);
      standIn.addUser({ organisation: CUSTOMER });
      await expect(users.checkRight({ ...query, fresh: true })).resolves.toMatchObject({ code: 'right_missing' });
    });

    it('forget drops every remembered yes of one system user, and of no other', async () => {
      const users = service();
      for (const organisation of [CUSTOMER, CLIENT]) {
        standIn.addUser({ organisation, rights: [RESOURCE] });
        await users.checkRight({ organisation, resource: RESOURCE });
      }
      for (const user of standIn.users) user.rights = [];
      users.forget({ organisation: CUSTOMER });
      await expect(users.checkRight({ organisation: CUSTOMER, resource: RESOURCE })).resolves.toMatchObject({
        allowed: false,
      });
      await expect(users.checkRight({ organisation: CLIENT, resource: RESOURCE })).resolves.toMatchObject({
        allowed: true,
      });
    });

    it('F-81: Indeterminate is no answer, and is asked again', async () => {
      const users = service();
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      const indeterminate = JSON.stringify({ response: [{ decision: 'Indeterminate' }] });
      standIn.fail('/authorize', 200, { times: 1, body: indeterminate });
      const query = { organisation: CUSTOMER, resource: RESOURCE };
      await expect(users.checkRight(query)).rejects.toMatchObject({
        code: 'delegation_unknown',
        reason: expect.stringContaining('Indeterminate'),
      });
      await expect(users.checkRight(query)).resolves.toMatchObject({ allowed: true });
    });

    it('finds access packages of a party, whichever way they are written', async () => {
      standIn.system.packages = [PACKAGE];
      standIn.addUser({ organisation: CUSTOMER, packages: [PACKAGE] });
      const users = service('authorized-parties');
      await expect(users.checkRight({ organisation: CUSTOMER, resource: PACKAGE })).resolves.toMatchObject({
        allowed: true,
      });
      standIn.addUser({ organisation: CLIENT });
      await expect(users.checkRight({ organisation: CLIENT, resource: PACKAGE })).resolves.toMatchObject({
        code: 'right_missing',
      });
    });

    it('a yes lives no longer than the token it was asked with', async () => {
      const users = service('authorized-parties');
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      clock.shiftMs += 1_000;
      const query = { organisation: CUSTOMER, resource: RESOURCE };
      await users.checkRight(query);
      clock.shiftMs += 1_780_000;
      await users.checkRight(query);
      const before = standIn.calls('/authorizedparties').length;
      clock.shiftMs += 20_000;
      await users.checkRight(query);
      expect(standIn.calls('/authorizedparties')).toHaveLength(before + 1);
    });
  });

  describe('accepted-request', () => {
    it('knows what was approved, and says that it is no more than that', async () => {
      approve([RESOURCE], [PACKAGE]);
      await expect(check()).resolves.toMatchObject({ allowed: true, granularity: 'granted-at-approval' });
      await expect(check(PACKAGE)).resolves.toMatchObject({ allowed: true });
      await expect(check('app_acme_report')).resolves.toMatchObject({ allowed: false, code: 'right_missing' });
    });

    it('counts accepted changes in their order, and no others', async () => {
      const systemUserId = approve([RESOURCE]);
      const change = (created: string, status: string, more: object): void => {
        standIn.changes.push({ id: systemUserId, systemUserId, status, created, ...more });
      };
      change('2026-11-03T00:00:00Z', 'Accepted', { requiredRights: [wire('app_acme_report')] });
      change('2026-11-02T00:00:00Z', 'Accepted', { unwantedRights: [wire(RESOURCE), wire('app_acme_report')] });
      change('2026-11-04T00:00:00Z', 'Rejected', { unwantedRights: [wire('app_acme_report')] });
      await expect(check()).resolves.toMatchObject({ allowed: false });
      await expect(check('app_acme_report')).resolves.toMatchObject({ allowed: true });
    });

    it('13: one created in the portal has what the system is registered with', async () => {
      standIn.addUser({ organisation: CUSTOMER });
      await expect(check()).resolves.toMatchObject({ allowed: true });
    });

    it('of an agent say nothing about its own organisation: its packages hold for clients', async () => {
      standIn.system.packages = [PACKAGE];
      const { id } = standIn.addUser({ organisation: CUSTOMER, userType: 'agent', clients: [CLIENT] });
      standIn.addRequest({
        id,
        agent: true,
        partyOrgNo: CUSTOMER,
        status: 'Accepted',
        accessPackages: [{ urn: PACKAGE }],
        rights: [wire(RESOURCE)],
      });
      for (const resource of [PACKAGE, RESOURCE]) {
        await expect(
          service('accepted-request').checkRight({ organisation: CUSTOMER, resource }),
        ).resolves.toMatchObject({ allowed: false, code: 'right_missing' });
      }
    });

    it('cannot speak for the clients of an agent', async () => {
      standIn.addUser({ organisation: CUSTOMER, userType: 'agent', clients: [CLIENT] });
      const asking = service('accepted-request').checkRight({
        organisation: CUSTOMER,
        party: CLIENT,
        resource: RESOURCE,
      });
      await expect(asking).rejects.toMatchObject({ code: 'system_user_misconfigured' });
    });
  });

  describe('requests', () => {
    it('asks for what is named, follows the request, and takes it back', async () => {
      const users = service();
      const { id, confirmUrl, status } = await users.createRequest({
        organisation: CUSTOMER,
        externalRef: 'shop-1',
        resources: [RESOURCE],
        accessPackages: ['lonn'],
        title: 'Books',
      });
      expect([confirmUrl?.includes(id), status]).toEqual([true, 'New']);
      await expect(users.getRequest(id)).resolves.toMatchObject({ id, externalRef: 'shop-1', status: 'New' });
      await expect(users.deleteRequest(id)).resolves.toBe(true);
      await expect(users.getRequest(id)).resolves.toBeNull();
      await expect(users.deleteRequest(id)).resolves.toBe(false);
    });

    it('asks for what the system is registered with when nothing is named', async () => {
      await service().createRequest({ organisation: CUSTOMER });
      expect(standIn.requests[0]?.rights).toHaveLength(2);
      await service()
        .createRequest({ organisation: CLIENT, agent: true })
        .catch(() => undefined);
      expect(standIn.requests).toHaveLength(1);
      standIn.system.packages = [PACKAGE];
      await service().createRequest({ organisation: CLIENT, agent: true });
      expect(standIn.requests[1]).toMatchObject({ agent: true, accessPackages: [{ urn: PACKAGE }] });
    });

    it('waits for the answer, and the guard sees it at once', async () => {
      const users = service();
      const { id } = await users.createRequest({ organisation: CUSTOMER, resources: [RESOURCE] });
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.toBeNull();
      standIn.faults.push((call) => {
        if (call.path.endsWith(id) && waits.length === 3) {
          const [request] = standIn.requests;
          if (request !== undefined) request.status = 'Accepted';
          standIn.addUser({ id, organisation: CUSTOMER });
          standIn.faults.length = 0;
        }
        return false;
      });
      await expect(users.waitForRequest(id)).resolves.toMatchObject({ status: 'Accepted' });
      expect(waits).toHaveLength(3);
      await expect(users.findSystemUser({ organisation: CUSTOMER })).resolves.toMatchObject({ id });
    });

    it('waiting ends when the request is gone', async () => {
      await expect(service().waitForRequest('6f9619ff-8b86-4d01-b42d-00cf4fc964ff')).resolves.toBeNull();
    });

    it('changes a system user, follows the change, and refuses an agent', async () => {
      const users = service();
      const user = standIn.addUser({ organisation: CUSTOMER });
      const change = await users.createChangeRequest({
        systemUserId: user.id,
        requiredRights: [{ resource: RESOURCE }],
      });
      expect(change.status).toBe('New');
      await expect(users.getRequest(change.id)).resolves.toMatchObject({ kind: 'change', id: change.id });
    });

    it('lists the system users of the system', async () => {
      standIn.addUser({ organisation: CUSTOMER });
      standIn.addUser({ organisation: CLIENT, userType: 'agent' });
      const found: string[] = [];
      for await (const { organisation } of service().listSystemUsers()) found.push(organisation);
      expect(found).toEqual([CUSTOMER, CLIENT]);
    });

    it('that a request cannot be read is told to the operator, and the customer is still known to be missing', async () => {
      standIn.ungranted.add('altinn:authentication/systemuser.request.read');
      await expect(service().findSystemUser({ organisation: CUSTOMER })).resolves.toBeNull();
      expect(warnings).toEqual([expect.stringContaining('MP-250')]);
    });
  });

  it('says what is not configured', () => {
    const users = new SystemUserService({ altinn: undefined, systemId: undefined, strategy: undefined });
    expect(() => users.listSystemUsers()).toThrow(/platformUrl.*systemId/);
  });
});
