import { Logger, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import request from 'supertest';
import { startTestSimulator, testClientOptions } from '../testing/simulator.fixtures.js';
import { organisationNumber } from '../altinn/altinn-client.fixtures.js';
import {
  CallerPolicy,
  CurrentSystemUser,
  MaskinportenHttpModule,
  MaskinportenModule,
  RequireSystemUser,
  SystemUserService,
  VerifiedDelegation,
  fromParam,
  type MaskinportenOptions,
} from '../index.js';
import { Controller, Get } from '@nestjs/common';
import { TestPolicy } from './system-user.fixtures.js';

const CUSTOMER = organisationNumber(1);
const AGENT = organisationNumber(2);
const CLIENT = organisationNumber(3);
const RESOURCE = 'ske-krav-og-betalinger';
const VENDOR = '310000019';
const SYSTEM = `${VENDOR}_books`;
const SCOPES = [
  'altinn:authentication/systemuser.request.write',
  'altinn:authentication/systemuser.request.read',
  'altinn:authentication/systemregister.write',
  'altinn:accessmanagement/authorizedparties',
  'altinn:authorization/authorize',
];

@Controller('o/:orgno')
class DelegatedController {
  @Get('claims')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, fresh: true })
  claims(@CurrentSystemUser() { party }: VerifiedDelegation): string {
    return party;
  }

  @Get('clients/:client')
  @RequireSystemUser({ organisation: fromParam('orgno'), party: fromParam('client'), resource: RESOURCE, fresh: true })
  client(@CurrentSystemUser() { party }: VerifiedDelegation): string {
    return party;
  }
}

/** The same guard against the other reading of Altinn's documentation. */
describe.each(['pdp', 'authorized-parties'] as const)('against the simulator, with %s', (rights) => {
  let simulator: Simulator;
  let app: INestApplication;
  let users: SystemUserService;
  let clientId: string;
  beforeAll(async () => {
    simulator = await startTestSimulator();
    const options = await testClientOptions(simulator, { scopes: SCOPES, orgno: VENDOR });
    ({ clientId } = options);
    await operate('systems', {
      id: SYSTEM,
      vendor: VENDOR,
      clientIds: [options.clientId],
      rights: [RESOURCE],
      accessPackages: [],
      allowedRedirectUrls: [],
    });
    const altinn: NonNullable<MaskinportenOptions['altinn']> = {
      platformUrl: simulator.platformUrl,
      systemId: SYSTEM,
      ...(rights === 'pdp' ? { subscriptionKey: 'any' } : { rights }),
    };
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot({ ...options, altinn }), MaskinportenHttpModule.register({})],
      controllers: [DelegatedController],
      providers: [{ provide: CallerPolicy, useClass: TestPolicy }],
    }).compile();
    Logger.overrideLogger(false);
    app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    users = app.get(SystemUserService);
  });
  afterAll(async () => {
    await app?.close();
    await simulator?.close();
  });

  const operate = async (path: string, body?: object, method = 'POST'): Promise<unknown> => {
    const response = await fetch(`${simulator.operatorUrl}/operator/api/${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const call = async (path: string): Promise<{ status: number; code: unknown; text: string }> => {
    const { status, body, text } = await request(app.getHttpServer() as never).get(path);
    return { status, code: (body as { code?: unknown }).code, text };
  };

  it('the whole way: missing → pending → approved → right withdrawn → deleted', async () => {
    const path = `/o/${CUSTOMER}/claims`;
    expect(await call(path)).toMatchObject({ status: 403, code: 'system_user_missing' });
    const made = await users.createRequest({ organisation: CUSTOMER });
    users.forget({ organisation: CUSTOMER });
    const pending = await call(path);
    expect(pending).toMatchObject({ status: 403, code: 'system_user_request_pending' });
    expect(pending.text).toContain(made.id);
    await operate(`requests/${made.id}/approve`);
    const answered = await users.waitForRequest(made.id);
    expect(answered).toMatchObject({ status: 'Accepted' });
    expect(await call(path)).toMatchObject({ status: 200, text: CUSTOMER });
    await operate(`systemUsers/${made.id}/rights/${RESOURCE}`, undefined, 'DELETE');
    expect(await call(path)).toMatchObject({ status: 403, code: 'right_missing' });
    await operate(`systemUsers/${made.id}`, undefined, 'DELETE');
    expect(await call(path)).toMatchObject({ status: 403, code: 'system_user_missing' });
    await expect(users.getRequest(made.id)).resolves.toBeNull();
  });

  it('a rejected request is told, and a new one can be made after it is taken back', async () => {
    const organisation = organisationNumber(4);
    const made = await users.createRequest({ organisation, resources: [RESOURCE] });
    await operate(`requests/${made.id}/reject`);
    expect(await call(`/o/${organisation}/claims`)).toMatchObject({ code: 'system_user_request_rejected' });
    await expect(users.createRequest({ organisation, resources: [RESOURCE] })).resolves.toMatchObject({
      id: made.id,
      status: 'Rejected',
    });
    await expect(users.deleteRequest(made.id)).resolves.toBe(true);
    await expect(users.createRequest({ organisation, resources: [RESOURCE] })).resolves.toMatchObject({
      status: 'New',
    });
  });

  it('13: one made in the portal, and agents with and without the client', async () => {
    const organisation = organisationNumber(5);
    await operate('systemUsers', { systemId: SYSTEM, orgno: organisation, rights: [RESOURCE] });
    expect(await call(`/o/${organisation}/claims`)).toMatchObject({ status: 200, text: organisation });
    await operate('systemUsers', {
      systemId: SYSTEM,
      orgno: AGENT,
      rights: [RESOURCE],
      userType: 'agent',
      clients: [],
    });
    const agent = await users.findSystemUser({ organisation: AGENT });
    expect(agent).toMatchObject({ userType: 'agent' });
    const path = `/o/${AGENT}/clients/${CLIENT}`;
    expect(await call(path)).toMatchObject({ status: 403, code: 'client_not_delegated' });
    await operate(`systemUsers/${agent?.id}/clients/${CLIENT}`);
    const found = await users.checkRight({ organisation: AGENT, party: CLIENT, resource: RESOURCE, fresh: true });
    expect(found.allowed || found.code === 'client_not_delegated').toBe(true);
    users.forget({ organisation: AGENT });
    expect(await call(path)).toMatchObject({ status: 200, text: CLIENT });
    expect(await call(`/o/${CLIENT}/claims`)).toMatchObject({ code: 'system_user_missing' });
  });

  it('lists the system users of the system', async () => {
    const found = [];
    for await (const user of users.listSystemUsers()) found.push(user.organisation);
    expect(found).toContain(AGENT);
  });

  it('15, 16: an agent acts for its own organisation when that was delegated to it, and not before or after', async () => {
    const orgno = organisationNumber(6);
    const accessPackages = ['bookkeeping'];
    await operate('accessPackages', { urn: 'bookkeeping', resources: [RESOURCE] });
    await operate('systems', { id: SYSTEM, vendor: VENDOR, clientIds: [clientId], rights: [RESOURCE], accessPackages });
    const id = '61616161-6161-4161-8161-616161616161';
    await operate('systemUsers', { id, systemId: SYSTEM, orgno, accessPackages, userType: 'agent', clients: [CLIENT] });
    const own = `/o/${orgno}/claims`;
    const refused = await call(own);
    expect(refused).toMatchObject({ status: 403, code: 'right_missing' });
    expect(refused.text).toContain('own organisation');
    expect(await call(`/o/${orgno}/clients/${CLIENT}`)).toMatchObject({ status: 200, text: CLIENT });
    await operate(`systemUsers/${id}/self`);
    users.forget({ organisation: orgno });
    expect(await call(own)).toMatchObject({ status: 200, text: orgno });
    await operate(`systemUsers/${id}/self`, undefined, 'DELETE');
    expect(await call(own)).toMatchObject({ status: 403, code: 'right_missing' });
    expect(await call(`/o/${orgno}/clients/${CLIENT}`)).toMatchObject({ status: 200, text: CLIENT });
  });
});
