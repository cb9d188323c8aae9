import { Controller, Get } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { organisationNumber } from '../altinn/altinn-client.fixtures.js';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import { RequireSystemUser, fromParam } from '../index.js';
import { expectAnswer, PARTIES, PDP, RESOURCE, startApp, type TestApp } from './system-user.fixtures.js';

const CUSTOMER = organisationNumber(1);
const CLIENT = organisationNumber(2);

@Controller('o/:orgno')
class MistypedController {
  @Get('claims')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: 'ske-krav-og-betalniger' })
  claims(): string {
    return 'reached';
  }
}

/** Altinn, access control, with both sources of rights that ask Altinn. */
describe.each(['pdp', 'authorized-parties'] as const)('scenarios with %s', (rights) => {
  const standIn = new AltinnStandIn();
  let app: TestApp | undefined;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(() => standIn.reset());
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  const start = async (): Promise<TestApp> => {
    app = await startApp(standIn, rights === 'pdp' ? PDP(standIn) : PARTIES);
    return app;
  };
  const expectDenial = async (path: string, code: string, status = 403): Promise<Record<string, unknown>> => {
    const { get } = await start();
    const response = await expectAnswer(get(path), status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.body).toMatchObject({
      code,
      status,
      title: expect.any(String),
      detail: expect.any(String),
      hint: { en: expect.any(String), nb: expect.any(String) },
    });
    expect(standIn.calls('/acme/')).toHaveLength(0);
    return { ...(response.body as object), retryAfter: response.headers['retry-after'] };
  };

  it('1: never requested → system_user_missing', async () => {
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_missing');
  });

  it('2: requested and not answered → system_user_request_pending with the link', async () => {
    const { id } = standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'New' });
    const problem = await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_request_pending');
    expect(problem['confirmUrl']).toContain(id);
  });

  it('2: a request that timed out is nobody’s turn any more → system_user_missing', async () => {
    standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'New', timedOut: true });
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_missing');
  });

  it('3: rejected → system_user_request_rejected', async () => {
    standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'Rejected' });
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_request_rejected');
  });

  it('4: approved with the right → the handler runs with a token of the customer’s system user', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const { get } = await start();
    const response = await expectAnswer(get(`/o/${CUSTOMER}/claims`), 200);
    expect(response.body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
  });

  it('5: the right was withdrawn → right_missing, although there is a system user and a token', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: ['app_acme_report'] });
    await expectDenial(`/o/${CUSTOMER}/claims`, 'right_missing');
  });

  it('6: created with an externalRef that is not given → system_user_missing; with it → the handler runs', async () => {
    standIn.addUser({ organisation: CUSTOMER, externalRef: 'shop-1', rights: [RESOURCE] });
    const problem = await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_missing');
    expect(problem['detail']).toContain('externalRef');
    const response = await app?.get(`/o/${CUSTOMER}/ref/shop-1`).expect(200);
    expect(response?.body).toMatchObject({ organisation: CUSTOMER, owner: CUSTOMER });
  });

  it('7: the client is not on the system → system_user_misconfigured', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.system.clientIds = ['another-client'];
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_misconfigured', 500);
  });

  it('8: deleted while its token is cached → system_user_missing for whoever asks afresh', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const { get } = await start();
    await expectAnswer(get(`/o/${CUSTOMER}/fresh`), 200);
    standIn.deleteUser(user);
    standIn.log.length = 0;
    await expectAnswer(get(`/o/${CUSTOMER}/fresh`), 403, /"code":"system_user_missing"/);
    expect(standIn.calls('/acme/')).toHaveLength(0);
  });

  it('9: an agent without the client → client_not_delegated; with it → the handler runs for the agent’s system user', async () => {
    const agent = standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE] });
    await expectDenial(`/o/${CUSTOMER}/clients/${CLIENT}`, 'client_not_delegated');
    await app?.close();
    agent.clients.push(CLIENT);
    const { get } = await start();
    const response = await expectAnswer(get(`/o/${CUSTOMER}/clients/${CLIENT}`), 200);
    expect(response.body).toEqual({ organisation: CUSTOMER, party: CLIENT, owner: CUSTOMER });
  });

  it('9: an agent with other clients only → client_not_delegated', async () => {
    standIn.addUser({
      organisation: CUSTOMER,
      userType: 'agent',
      rights: [RESOURCE],
      clients: [organisationNumber(3), organisationNumber(4)],
    });
    await expectDenial(`/o/${CUSTOMER}/clients/${CLIENT}`, 'client_not_delegated');
  });

  it('9: an agent that has the client, but not the right → right_missing', async () => {
    standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [], clients: [CLIENT] });
    await expectDenial(`/o/${CUSTOMER}/clients/${CLIENT}`, 'right_missing');
  });

  it.each([
    ['without clients', []],
    ['with clients', [CLIENT]],
  ])(
    '15: an agent %s that asks for its own organisation → right_missing, with a word about that',
    async (_what, clients) => {
      standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients });
      const problem = await expectDenial(`/o/${CUSTOMER}/claims`, 'right_missing');
      expect(problem['detail']).toContain('own organisation');
      expect(JSON.stringify(problem)).not.toMatch(/client/i);
    },
  );

  it('16: the same after the customer has delegated that → the handler runs', async () => {
    standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients: [CUSTOMER] });
    const { get } = await start();
    const response = await expectAnswer(get(`/o/${CUSTOMER}/claims`), 200);
    expect(response.body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
  });

  it.each([
    ['the PDP', '/authorize'],
    ['byquery', '/byquery'],
    ['the token exchange', '/exchange/'],
    ['the token endpoint', '/token'],
  ])('F-85: a web page with 200 instead of %s → 503 delegation_unknown with Retry-After', async (_what, path) => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const { get } = await start();
    standIn.fail(path, 200, { headers: { 'content-type': 'text/html' }, body: '<html>Maintenance</html>' });
    const response = await expectAnswer(get(`/o/${CUSTOMER}/claims`), 503, /"code":"delegation_unknown"/);
    expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(standIn.calls('/acme/')).toHaveLength(0);
  });

  it('10: an agent asked for by its client’s number → system_user_missing, with a word about the owner', async () => {
    standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients: [CLIENT] });
    const problem = await expectDenial(`/o/${CLIENT}/claims`, 'system_user_missing');
    expect(problem['detail']).toContain('number of the agent');
  });

  it.each([
    ['byquery 503', '/byquery', 503, {}],
    ['byquery 429', '/byquery', 429, {}],
    ['exchange 401', '/exchange/', 401, {}],
    ['exchange 503', '/exchange/', 503, {}],
    ['rights 500', rights === 'pdp' ? '/authorize' : '/authorizedparties', 500, {}],
    ['rights 200 with something else', rights === 'pdp' ? '/authorize' : '/authorizedparties', 200, { body: '{}' }],
    ['rights 200 with a web page', rights === 'pdp' ? '/authorize' : '/authorizedparties', 200, { body: '<p>' }],
  ])('11: no answer (%s) → delegation_unknown with Retry-After', async (_, path, status, options) => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.fail(path, status, options);
    const problem = await expectDenial(`/o/${CUSTOMER}/claims`, 'delegation_unknown', 503);
    expect(Number(problem['retryAfter'])).toBeGreaterThanOrEqual(1);
  });

  it('11: no answer is no "no": the same call succeeds as soon as Altinn answers', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.fail(rights === 'pdp' ? '/authorize' : '/authorizedparties', 200, { times: 1, body: 'x' });
    const { get } = await start();
    await expectAnswer(get(`/o/${CUSTOMER}/claims`), 503);
    await expectAnswer(get(`/o/${CUSTOMER}/claims`), 200);
  });

  it('12: a scope is not granted to the vendor → system_user_misconfigured', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.ungranted.add('altinn:authentication/systemuser.request.write');
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_misconfigured', 500);
  });

  it('12: Altinn refuses the scope of the lookup → system_user_misconfigured', async () => {
    standIn.fail('/byquery', 403);
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_misconfigured', 500);
  });

  it('12: the scope for rights is not granted → system_user_misconfigured', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.ungranted.add(
      rights === 'pdp' ? 'altinn:authorization/authorize' : 'altinn:accessmanagement/authorizedparties',
    );
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_misconfigured', 500);
  });

  it('F-83: the source of rights refuses a fresh token → system_user_misconfigured', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.fail(rights === 'pdp' ? '/authorize' : '/authorizedparties', 403);
    await expectDenial(`/o/${CUSTOMER}/claims`, 'system_user_misconfigured', 500);
    expect(standIn.calls(rights === 'pdp' ? '/authorize' : '/authorizedparties')).toHaveLength(2);
  });

  it('13: created in the portal, without any request → the handler runs', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE], externalRef: CUSTOMER });
    const { get } = await start();
    await expectAnswer(get(`/o/${CUSTOMER}/claims`), 200);
    expect(standIn.calls('/request/vendor')).toHaveLength(0);
  });

  it('14: a mistyped resource refuses the start', async () => {
    const starting = startApp(standIn, rights === 'pdp' ? PDP(standIn) : PARTIES, [MistypedController]);
    await expect(starting).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [
        { field: '@RequireSystemUser on MistypedController.claims', reason: expect.stringContaining('spelling') },
      ],
    });
  });

  it('14: a mistyped resource that the register could not be asked about is never right_missing', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.registry = [RESOURCE];
    standIn.system.packages = ['urn:altinn:accesspackage:lonn'];
    standIn.fail('/systemregister/', 501, { times: 2 });
    app = await startApp(standIn, rights === 'pdp' ? PDP(standIn) : PARTIES, [MistypedController]);
    const response = await app.get(`/o/${CUSTOMER}/claims`);
    const expected = rights === 'pdp' ? 'delegation_unknown' : 'system_user_misconfigured';
    expect((response.body as { code: string }).code).toBe(expected);
  });

  it('a resource that comes with a package of the system is confirmed by the open registry', async () => {
    standIn.registry = [RESOURCE, 'ske-krav-og-betalniger'];
    standIn.system.packages = ['urn:altinn:accesspackage:lonn'];
    app = await startApp(standIn, rights === 'pdp' ? PDP(standIn) : PARTIES, [MistypedController]);
    expect(standIn.calls('/resourceregistry/')).toHaveLength(1);
  });

  it('a system that is somebody else’s refuses the start', async () => {
    const starting = startApp(standIn, { ...(rights === 'pdp' ? PDP(standIn) : PARTIES), systemId: '310000019_typo' });
    await expect(starting).rejects.toMatchObject({ failures: [{ field: 'altinn.systemId' }] });
  });

  it('a register that may not be read does not keep the application from starting', async () => {
    standIn.ungranted.add('altinn:authentication/systemregister.write');
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const { get } = await start();
    await expectAnswer(get(`/o/${CUSTOMER}/claims`), 200);
  });
});
