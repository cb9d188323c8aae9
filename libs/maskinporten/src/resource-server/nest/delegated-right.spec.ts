import { Controller, Get, Logger, Post, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rsaKeyPair } from '../../../../../test/support/pool.js';
import { organisationNumber } from '../../altinn/altinn-client.fixtures.js';
import { AltinnStandIn, type StandInUser } from '../../altinn/altinn-stand-in.fixtures.js';
import { MaskinportenModule, RequireSystemUser } from '../../index.js';
import { InboundCalls, type InboundCall } from '../../signals/index.js';
import { optionsFor, PDP, RESOURCE } from '../../system-user/system-user.fixtures.js';
import {
  CurrentConsumer,
  MaskinportenResourceServerModule,
  RequireDelegatedRight,
  RequireScope,
  fromParam,
  type Consumer,
} from '../index.js';
import { TestIssuer, claimsOf, organisation, published, signed } from '../verification/tokens.fixtures.js';

const KEY = rsaKeyPair().privateKey;
const CUSTOMER = organisationNumber(1);
const CLIENT = organisationNumber(2);
const READ = 'acme:reports.read';

const issuer = new TestIssuer();
const standIn = new AltinnStandIn();
let app: INestApplication | undefined;
let calls: InboundCall[] = [];

@Controller('o/:orgno')
@RequireScope(READ)
class ReportsController {
  @Get('own')
  @RequireDelegatedRight({ resource: RESOURCE, action: 'read' })
  own(@CurrentConsumer() { systemUser }: Consumer): object {
    return { customer: systemUser?.organisation };
  }

  @Get('for')
  @RequireDelegatedRight({ resource: RESOURCE, action: 'read', party: fromParam('orgno') })
  for(): string {
    return 'for';
  }

  @Post('own')
  @RequireDelegatedRight({ resource: RESOURCE, action: 'write' })
  write(): string {
    return 'written';
  }

  @Get('delegated')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, action: 'read' })
  delegated(): string {
    return 'delegated';
  }

  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, action: 'read' })
  @Get('delegated-first')
  @RequireScope('acme:reports.write')
  delegatedFirst(): string {
    return 'delegated';
  }
}

@Controller('class')
@RequireSystemUser({ organisation: () => CUSTOMER, resource: RESOURCE, action: 'read' })
class DelegatedController {
  @Get()
  @RequireScope(READ)
  both(): string {
    return 'both';
  }
}

const token = (user?: Partial<StandInUser>, changes: object = {}): string => {
  const details = {
    type: 'urn:altinn:systemuser',
    systemuser_id: [user?.id],
    systemuser_org: organisation(user?.organisation ?? CUSTOMER),
    system_id: user?.systemId,
    ...changes,
  };
  const claims = { scope: READ, ...(user === undefined ? {} : { authorization_details: [details] }) };
  return signed({ alg: 'RS256', kid: 'key-1' }, claimsOf(issuer.issuer, Date.now(), claims), KEY);
};

interface Got {
  readonly status: number;
  readonly body: unknown;
}

async function call(path: string, bearer?: string, method = 'GET'): Promise<Got> {
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
  const response = await fetch(`${await app?.getUrl()}${path}`, { method, headers });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
}

const own = async (user?: Partial<StandInUser>, changes?: object): Promise<Got> =>
  call(`/o/${CUSTOMER}/own`, token(user, changes));
const refusal = (code: string, status = 403): object => ({ status, body: expect.objectContaining({ code }) });
const NO_RIGHT = refusal('right_missing');
const UNKNOWN = refusal('delegation_unknown', 503);
const asked = (): number => standIn.calls('/authorize').length;

async function start(metadata: ModuleMetadata): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    ...metadata,
    imports: [MaskinportenResourceServerModule.forRoot({ issuer: issuer.issuer }), ...(metadata.imports ?? [])],
  }).compile();
  return module.createNestApplication({ logger: false });
}

/** With no token, answer or outage remembered. */
async function restart(): Promise<void> {
  await app?.close();
  app = await start({
    imports: [MaskinportenModule.forRoot(optionsFor(standIn, { ...PDP(standIn), allowAnyCaller: true }))],
    controllers: [ReportsController, DelegatedController],
  });
  app.get(InboundCalls).onCall((heard) => calls.push(heard));
  await app.listen(0, '127.0.0.1');
}

beforeAll(async () => {
  Logger.overrideLogger(false);
  await Promise.all([issuer.start(), standIn.start()]);
  issuer.keys = [published(KEY, 'key-1')];
  await restart();
});
afterAll(async () => {
  await app?.close();
  await Promise.all([issuer.stop(), standIn.stop()]);
});
beforeEach(() => {
  standIn.reset();
  calls = [];
});

/** The scenarios of Altinn's system users, as they look from an API that gets the token. */
describe('@RequireDelegatedRight', () => {
  it('a system user with the right is let in, for the customer that owns it', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    expect(await own(user)).toEqual({ status: 200, body: { customer: CUSTOMER } });
    expect(standIn.calls('/authorize')).toMatchObject([{ exchanged: true, client: 'client-1' }]);
    expect(JSON.stringify(standIn.calls('/authorize')[0]?.body)).toContain(user.id);
    expect(calls).toMatchObject([
      { outcome: 'accepted', customer: CUSTOMER, consumer: '310000019', resource: RESOURCE, action: 'read' },
    ]);
  });

  it.each<[string, () => Partial<StandInUser> | undefined, object | undefined, object]>([
    ['a token that is not a system user’s', () => undefined, undefined, NO_RIGHT],
    [
      '1–3, 8: a system user that does not exist any more',
      () => ({ id: 'a2ed712d-4144-4471-839f-80ae4a68146b' }),
      undefined,
      NO_RIGHT,
    ],
    ['5: the right was withdrawn', () => standIn.addUser({ organisation: CUSTOMER, rights: [] }), undefined, NO_RIGHT],
    [
      '5: another right',
      () => standIn.addUser({ organisation: CUSTOMER, rights: ['app_acme_report'] }),
      undefined,
      NO_RIGHT,
    ],
    [
      'another action',
      () => standIn.addUser({ organisation: CUSTOMER, rights: [`${RESOURCE}#write`] }),
      undefined,
      NO_RIGHT,
    ],
    [
      '6, 13: with whatever externalRef',
      () => standIn.addUser({ organisation: CUSTOMER, externalRef: 'shop', rights: [RESOURCE] }),
      { externalRef: 'shop' },
      { status: 200 },
    ],
    [
      '9: an agent without clients',
      () => standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE] }),
      undefined,
      NO_RIGHT,
    ],
    [
      '15: an agent for its own organisation, with a client',
      () => standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients: [CLIENT] }),
      undefined,
      NO_RIGHT,
    ],
    [
      '16: an agent for itself',
      () => standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients: [CUSTOMER] }),
      undefined,
      { status: 200 },
    ],
    [
      'a consumer that says it is another customer’s',
      () => ({ ...standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] }), organisation: CLIENT }),
      undefined,
      NO_RIGHT,
    ],
  ])('%s', async (_, make, changes, expected) => {
    expect(await own(make(), changes)).toMatchObject(expected);
  });

  it('9, 10: an agent is asked about the client that the call names', async () => {
    const agent = standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients: [CLIENT] });
    expect(await call(`/o/${CLIENT}/for`, token(agent))).toMatchObject({ status: 200 });
    expect(await call(`/o/${CUSTOMER}/for`, token(agent))).toMatchObject(NO_RIGHT);
    expect(await call('/o/310000018/for', token(agent))).toEqual({
      status: 403,
      body: expect.objectContaining({ code: 'right_missing', detail: 'The call does not name an organisation.' }),
    });
    expect(asked()).toBe(2);
  });

  it('says what is missing', async () => {
    expect((await own()).body).toMatchObject({ detail: 'The token is not that of a system user.', actBy: 'customer' });
    expect((await own(standIn.addUser({ organisation: CUSTOMER, rights: [] }))).body).toMatchObject({
      detail: `Altinn does not give this system user the right read on ${RESOURCE} for the organisation.`,
    });
  });

  it('nobody is asked for a token that is not valid or lacks the scope', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    expect(await call(`/o/${CUSTOMER}/own`, `${token(user)}x`)).toMatchObject({ status: 401 });
    expect(await call(`/o/${CUSTOMER}/own`)).toMatchObject({ status: 401 });
    const claims = claimsOf(issuer.issuer, Date.now(), { scope: 'acme:x' });
    expect(await call(`/o/${CUSTOMER}/own`, signed({ alg: 'RS256', kid: 'key-1' }, claims, KEY))).toMatchObject(
      refusal('scope_missing'),
    );
    expect(standIn.log).toEqual([]);
  });

  it('F-86: a yes is used again for reading, and never for what may change something', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    for (let times = 0; times < 3; times += 1) {
      expect(await own(user)).toMatchObject({ status: 200 });
      expect(await call(`/o/${CUSTOMER}/own`, token(user), 'POST')).toMatchObject({ status: 201 });
    }
    expect(asked()).toBe(4);
    user.rights = [];
    expect(await own(user)).toMatchObject({ status: 200 });
    expect(await call(`/o/${CUSTOMER}/own`, token(user), 'POST')).toMatchObject(NO_RIGHT);
  });
});

describe('beside @RequireSystemUser', () => {
  it.each([`/o/${CUSTOMER}/delegated`, `/o/${CUSTOMER}/delegated-first`, '/class'])(
    '%s: nobody is asked about anybody before the token of the caller is verified',
    async (path) => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      expect(await call(path)).toMatchObject(refusal('token_missing', 401));
      expect(standIn.log).toEqual([]);
      const claims = claimsOf(issuer.issuer, Date.now(), { scope: `${READ} acme:reports.write` });
      expect(await call(path, signed({ alg: 'RS256', kid: 'key-1' }, claims, KEY))).toMatchObject({ status: 200 });
      expect(calls.map(({ outcome }) => outcome)).toEqual(['token_missing', 'accepted']);
    },
  );
});

const reasonOf = async (metadata: ModuleMetadata): Promise<unknown> => {
  const refused = await start(metadata);
  return refused.init().then(
    () => 'started',
    (error: { failures: { field: string; reason: string }[] }) => error.failures,
  );
};

describe('refused starts', () => {
  @Controller()
  class Plain {
    @Get()
    @RequireScope(READ)
    @RequireDelegatedRight({ resource: RESOURCE, action: 'read' })
    plain(): void {}
  }
  @Controller()
  class Named {
    @Get()
    @RequireScope(READ)
    @RequireDelegatedRight({ resource: RESOURCE, action: 'read', client: 'other' })
    named(): void {}
  }

  it('without a client that could ask', async () => {
    expect(await reasonOf({ controllers: [Plain] })).toMatchObject([
      {
        field: '@RequireDelegatedRight on Plain.plain',
        reason: 'asks Altinn with a client of this application: import MaskinportenModule too',
      },
    ]);
    const imports = [MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn)))];
    expect(await reasonOf({ imports, controllers: [Named] })).toMatchObject([
      { reason: 'there is no client called "other"; known are default' },
    ]);
  });

  it.each<[object, string]>([
    [{ action: 'read' }, 'resource must be an id of the resource registry'],
    [{ resource: 'a b', action: 'read' }, 'resource must be an id of the resource registry'],
    [{ resource: 'a' }, 'action must be a text, such as read'],
    [{ resource: 'a', action: '' }, 'action must be a text, such as read'],
    [{ resource: 'a', action: 'read', party: '310000027' }, 'party must be fromParam, fromBody or a function'],
    [{ resource: 'a', action: 'read', client: 1 }, 'client must be the name of a client'],
  ])('%j', (right, reason) => {
    expect(() => RequireDelegatedRight(right as never)).toThrow(reason);
  });
});

describe('no clear answer', () => {
  beforeEach(restart);

  it.each<[string, string, number, object]>([
    ['11: the PDP fails', '/authorize', 500, {}],
    ['11: the PDP says something else', '/authorize', 200, { body: '{}' }],
    ['11: the PDP says Indeterminate', '/authorize', 200, { body: '{"response":[{"decision":"Indeterminate"}]}' }],
    ['11: two answers', '/authorize', 200, { body: '{"response":[{"decision":"Permit"},{"decision":"Permit"}]}' }],
    ['11: a web page', '/authorize', 200, { body: '<p>' }],
    ['11: the exchange fails', '/exchange/', 503, {}],
    ['F-83: the PDP refuses our token', '/authorize', 403, {}],
  ])('%s: 503 and no entry, and yes as soon as it answers', async (_, path, status, options) => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.fail(path, status, options);
    expect(await own(user)).toMatchObject(UNKNOWN);
    expect(calls).toMatchObject([{ outcome: 'delegation_unknown' }]);
  });

  it('12: a scope that was not granted to us is our fault, and nothing for the caller', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.ungranted.add('altinn:authorization/authorize');
    const { status, body } = await own(user);
    expect([status, JSON.stringify(body)]).toEqual([503, expect.not.stringContaining('altinn:authorization')]);
    expect(body).toMatchObject({ detail: 'Altinn could not be asked about the right of the system user.' });
  });
});
