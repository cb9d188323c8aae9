import {
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
  Param,
  Scope,
  UseGuards,
  type ExecutionContext,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import request from 'supertest';
import { runs, sized } from '../../../../test/support/size.js';
import { organisationNumber } from '../altinn/altinn-client.fixtures.js';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import {
  CallerPolicy,
  CurrentSystemUser,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  RequireSystemUser,
  Scopes,
  SystemUserGuard,
  SystemUserService,
  VerifiedDelegation,
  fromBody,
  fromParam,
} from '../index.js';
import { DelegationDecisions, RequestContext, type DelegationFacts } from '../signals/index.js';
import {
  PARTIES,
  expectAnswer,
  PDP,
  ProbeController,
  RESOURCE,
  optionsFor,
  startApp,
  type Answer,
  type TestApp,
} from './system-user.fixtures.js';

const CUSTOMER = organisationNumber(1);
const OTHER = organisationNumber(2);

@Controller('class/:orgno')
@RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE })
@Scopes('acme:read')
class ClassLevelController {
  constructor(private readonly http: MaskinportenHttpService) {}

  @Get('inherited')
  async inherited(@CurrentSystemUser() { organisation }: VerifiedDelegation): Promise<Answer> {
    const { data } = await this.http.axiosRef.get<{ owner: string }>('/acme/claims');
    return { organisation, party: organisation, owner: data.owner };
  }

  @Get('replaced')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: 'app_acme_report' })
  replaced(@CurrentSystemUser() { resource }: VerifiedDelegation): string {
    return resource;
  }

  @Get('late')
  async late(@CurrentSystemUser() { tokenRequest }: VerifiedDelegation): Promise<unknown> {
    const maskinporten = { scopes: 'acme:late', systemUser: tokenRequest };
    return (await this.http.axiosRef.get<unknown>('/acme/claims', { maskinporten })).data;
  }

  @Get('forbidden')
  async forbidden(): Promise<unknown> {
    return (await this.http.axiosRef.get<unknown>('/acme/forbidden')).data;
  }
}

@Controller('bare/:orgno')
@UseGuards(SystemUserGuard)
class GuardWithoutRequirementController {
  @Get()
  reached(): string {
    return 'reached';
  }
}

@Controller('undecorated')
class UndecoratedController {
  @Get()
  reached(@CurrentSystemUser() delegation: VerifiedDelegation): unknown {
    return delegation;
  }
}

@Controller('custom/:orgno')
class CustomController {
  @Get('nothing')
  @RequireSystemUser({ organisation: () => undefined, resource: RESOURCE })
  nothing(): string {
    return 'reached';
  }

  @Get('later')
  @RequireSystemUser({ organisation: async () => Promise.resolve(`0192:${CUSTOMER}`), resource: RESOURCE })
  later(@CurrentSystemUser() { organisation }: VerifiedDelegation, @Param('orgno') orgno: string): string[] {
    return [organisation, orgno];
  }
}

/** A middleware that says which request is served, and who calls. */
const serve = (_request: unknown, _response: unknown, next: () => void): void =>
  RequestContext.run(new RequestContext({ requestId: 'r1', caller: 'acme' }), next);

describe('SystemUserGuard', () => {
  const standIn = new AltinnStandIn();
  let app: TestApp;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    app = await startApp(standIn, PDP(standIn), [
      ProbeController,
      ClassLevelController,
      GuardWithoutRequirementController,
      UndecoratedController,
      CustomController,
    ]);
    standIn.log.length = 0;
  });
  afterEach(async () => app.close());

  describe('order of the questions', () => {
    it.each(['123456789', '31000010', 'abc', `${CUSTOMER}0`, '%20', `${CUSTOMER},${OTHER}`])(
      'a number that is none (%s) is organisation_number_invalid, before anybody is asked',
      async (orgno) => {
        const { body } = await expectAnswer(app.get(`/o/${orgno}/claims`), 400);
        expect(body).toMatchObject({ code: 'organisation_number_invalid', status: 400 });
        expect(app.policy.asked).toHaveLength(0);
        expect(standIn.log).toHaveLength(0);
      },
    );

    it.each([[false], [undefined], [1], ['true'], [{}], [null]])(
      'anything but true of the policy (%p) denies, and Altinn is asked nothing about the organisation',
      async (answer) => {
        standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
        app.policy.answer = () => answer;
        const { body } = await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 403);
        expect(body).toMatchObject({ code: 'caller_not_allowed' });
        expect(body).not.toHaveProperty('organisation');
        expect(standIn.log).toHaveLength(0);
      },
    );

    it('a policy that fails is no "no": delegation_unknown, and the handler does not run', async () => {
      app.policy.answer = () => {
        throw new TypeError('database down');
      };
      const { body } = await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 503);
      expect(body).toMatchObject({ code: 'delegation_unknown' });
      expect(standIn.log).toHaveLength(0);
    });

    it('a policy may answer with an exception of its own', async () => {
      app.policy.answer = () => {
        throw new HttpException('log in first', 401);
      };
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 401);
    });

    it('F-89: the policy, Altinn, the token and the handler all get the same nine digits', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      const { body } = await expectAnswer(app.get(`/o/0192:${CUSTOMER}/claims`), 200);
      expect(body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
      expect(app.policy.asked).toEqual([
        { organisation: CUSTOMER, action: { party: CUSTOMER, resource: RESOURCE, action: 'read' } },
      ]);
      expect(standIn.calls('/byquery')[0]?.query['orgno']).toBe(CUSTOMER);
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 200);
      expect(standIn.calls('/byquery')).toHaveLength(1);
    });
  });

  describe('what is told about a decision', () => {
    let heard: (readonly [decision: string, facts: DelegationFacts])[];
    beforeEach(() => {
      heard = [];
      app.app.get(DelegationDecisions).onDecision((decision, facts) => heard.push([decision, facts]));
      // Before the routes, as a middleware is.
      app.app.use(serve);
      const { stack } = (app.app.getHttpAdapter().getInstance() as { router: { stack: unknown[] } }).router;
      stack.unshift(stack.pop());
    });
    const about = { requestId: 'r1', caller: 'acme', resource: RESOURCE, action: 'read' };

    it('a yes: who, for whom, what, and who answered', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/0192:${CUSTOMER}/claims`), 200);
      expect(heard).toEqual([['allowed', { ...about, organisation: CUSTOMER, externalRef: undefined, source: 'pdp' }]]);
    });

    it('a no: as much as was known when it was said', async () => {
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 403);
      app.policy.answer = () => false;
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 403);
      await expectAnswer(app.get('/o/01819000391/claims'), 400);
      expect(heard).toEqual([
        ['system_user_missing', { ...about, organisation: CUSTOMER, externalRef: undefined }],
        ['caller_not_allowed', { ...about, organisation: CUSTOMER }],
        ['organisation_number_invalid', about],
      ]);
    });

    it('a policy that answers with an exception of its own is a no too', async () => {
      app.policy.answer = () => {
        throw new HttpException('log in first', 401);
      };
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 401);
      expect(heard).toEqual([['caller_not_allowed', { ...about, organisation: CUSTOMER }]]);
    });

    it('a yes that a refusal downstream took back: both', async () => {
      const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 200);
      user.rights = [];
      standIn.fail('/acme/', 403);
      await expectAnswer(app.get(`/class/${CUSTOMER}/inherited`), 403);
      expect(heard.map(([decision]) => decision)).toEqual(['allowed', 'allowed', 'right_missing']);
      expect(heard[2]?.[1]).toEqual({ ...about, organisation: CUSTOMER, externalRef: undefined });
    });
  });

  describe('one value', () => {
    it('T-50: what the route says is what the token is for, whatever body and query say', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      standIn.addUser({ organisation: OTHER, rights: [RESOURCE] });
      const { body } = await app.get(`/o/${CUSTOMER}/claims?orgno=${OTHER}`).send({ orgno: OTHER }).expect(200);
      expect(body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
    });

    it('T-50: what the body says is what the token is for, whatever route and query say', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      standIn.addUser({ organisation: OTHER, rights: [RESOURCE] });
      const { body } = await app
        .post(`/o/${OTHER}/claims?orgno=${OTHER}`, { orgno: OTHER, customer: { orgno: CUSTOMER } })
        .expect(201);
      expect(body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
    });

    it('T-52: values that change after the guard change neither handler nor token', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      const { body } = await expectAnswer(
        app.post(`/o/${OTHER}/claims`, { customer: { orgno: `0192:${CUSTOMER}` } }),
        201,
      );
      expect(body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
    });

    it.each([
      ['a list', [CUSTOMER]],
      ['a list of two', [CUSTOMER, OTHER]],
      ['a number', Number(CUSTOMER)],
      ['an object', { toString: CUSTOMER }],
      ['null', null],
      ['nothing', undefined],
      ['spaces', ` ${CUSTOMER} `],
      ['other digits', '３１００００１０８'],
      ['a line break', `${CUSTOMER}\n`],
      ['two prefixes', `0192:0192:${CUSTOMER}`],
    ])('T-51: %s is not an organisation number', async (_, orgno) => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(
        app.post(`/o/${CUSTOMER}/claims`, { customer: { orgno } }),
        400,
        /organisation_number_invalid/,
      );
      expect(standIn.log).toHaveLength(0);
    });

    it('T-66: what a prototype says is not what the body says', async () => {
      const text = `{"customer":{"__proto__":{"orgno":"${CUSTOMER}"}}}`;
      await expectAnswer(app.post('/o/x/claims', JSON.parse(text) as object), 400);
      await expectAnswer(app.post('/o/x/claims', { __proto__: { customer: { orgno: CUSTOMER } } }), 400);
    });

    it('T-51: value authorised ≡ value used, or nothing happens', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(fc.constantFrom(CUSTOMER, `0192:${CUSTOMER}`, OTHER, [CUSTOMER]), fc.jsonValue()),
          async (orgno) => {
            app.policy.asked.length = 0;
            const response = await app.post('/o/x/claims', { customer: { orgno } });
            if (response.status !== 201) return [400, 403].includes(response.status);
            const answer = response.body as Answer;
            return app.policy.asked[0]?.organisation === answer.organisation && answer.owner === answer.organisation;
          },
        ),
        { numRuns: runs(60) },
      );
    });

    it('T-54: concurrent requests for many organisations never get each other’s token', async () => {
      const organisations = Array.from({ length: sized({ test: 20, soak: 50 }) }, (_, index) =>
        organisationNumber(index + 10),
      );
      for (const organisation of organisations) standIn.addUser({ organisation, rights: [RESOURCE] });
      const answers = await Promise.all(
        Array.from({ length: sized({ test: 40, soak: 500 }) }, async (_, index) => {
          const organisation = organisations[index % organisations.length] ?? '';
          const path = index % 3 === 0 ? 'fresh' : 'claims';
          const { status, body } = await app.get(`/o/${organisation}/${path}`);
          return { status, organisation, body: body as Answer };
        }),
      );
      for (const { status, organisation, body } of answers) {
        expect(status).toBe(200);
        expect(body).toEqual({ organisation, party: organisation, owner: organisation });
      }
    });
  });

  describe('decorator', () => {
    it('a method’s requirement replaces its class’s', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: ['app_acme_report'] });
      await expectAnswer(app.get(`/class/${CUSTOMER}/replaced`), 200, 'app_acme_report');
      await expectAnswer(app.get(`/class/${CUSTOMER}/inherited`), 403, /right_missing/);
    });

    it('works on a class, and asks each question once although class and method are decorated', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE, 'app_acme_report'] });
      const { body } = await expectAnswer(app.get(`/class/${CUSTOMER}/inherited`), 200);
      expect(body).toMatchObject({ organisation: CUSTOMER, owner: CUSTOMER });
      app.policy.asked.length = 0;
      await expectAnswer(app.get(`/class/${CUSTOMER}/replaced`), 200);
      expect(app.policy.asked).toHaveLength(1);
    });

    it('a guard without requirement lets nobody through', async () => {
      await expectAnswer(app.get(`/bare/${CUSTOMER}`), 500, /system_user_misconfigured/);
    });

    it('@CurrentSystemUser without @RequireSystemUser has nothing to give', async () => {
      await expectAnswer(app.get('/undecorated'), 500, /system_user_misconfigured/);
    });

    it('takes functions, also asynchronous ones, and checks what they give', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get('/custom/x/nothing'), 400, /organisation_number_invalid/);
      await expectAnswer(app.get('/custom/x/later'), 200, [CUSTOMER, 'x']);
    });

    it('an externalRef that Altinn could not have given names no system user', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/ref/${encodeURIComponent('a b')}`), 403, /system_user_missing/);
      expect(standIn.log).toHaveLength(0);
      await expectAnswer(app.get(`/o/${CUSTOMER}/ref/${CUSTOMER}`), 200);
    });

    it('gives the agent’s client to the policy', async () => {
      standIn.addUser({ organisation: CUSTOMER, userType: 'agent', rights: [RESOURCE], clients: [OTHER] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/clients/${OTHER}`), 200);
      expect(app.policy.asked[0]).toMatchObject({ organisation: CUSTOMER, action: { party: OTHER } });
      await expectAnswer(app.get(`/o/${CUSTOMER}/clients/1234`), 400, /organisation_number_invalid/);
    });
  });

  describe('caching', () => {
    it('a yes is used again by reads, and F-86: whatever writes is checked anew', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 200);
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 200);
      expect(standIn.calls('/byquery')).toHaveLength(1);
      expect(standIn.calls('/authorize')).toHaveLength(1);
      const body = { customer: { orgno: CUSTOMER } };
      await expectAnswer(app.post('/o/x/claims', body), 201);
      await expectAnswer(app.post('/o/x/claims', body), 201);
      expect(standIn.calls('/byquery')).toHaveLength(3);
      expect(standIn.calls('/authorize')).toHaveLength(3);
    });

    it('F-82: a cached yes outlives an outage for 30 s, never where fresh is asked for', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 200);
      standIn.fail('/authorize', 503);
      await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 200);
      await expectAnswer(app.get(`/o/${CUSTOMER}/fresh`), 503, /delegation_unknown/);
    });

    it('T-53: a right that is withdrawn between two fresh calls stops the second', async () => {
      const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/fresh`), 200);
      user.rights = ['app_acme_report'];
      await expectAnswer(app.get(`/o/${CUSTOMER}/fresh`), 403, /right_missing/);
    });

    it.each([401, 403])('a downstream %i drops what is cached, and one fresh check decides', async (status) => {
      const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/class/${CUSTOMER}/inherited`), 200);
      user.rights = ['app_acme_report'];
      standIn.fail('/acme/', status);
      const { body, headers } = await expectAnswer(app.get(`/class/${CUSTOMER}/inherited`), 403);
      expect(body).toMatchObject({ code: 'right_missing', organisation: CUSTOMER });
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    });

    it('a downstream 403 while Altinn still says yes stays what it was', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      standIn.fail('/acme/', 403);
      await expectAnswer(app.get(`/class/${CUSTOMER}/forbidden`), 500, /Internal server error/);
      expect(standIn.calls('/byquery')).toHaveLength(2);
      expect(standIn.calls('/authorize')).toHaveLength(2);
    });

    it('MP-303 in the handler drops what is cached: deleted meanwhile is missing, and still there is our own fault', async () => {
      const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/class/${CUSTOMER}/inherited`), 200);
      standIn.deleteUser(user);
      await expectAnswer(app.get(`/class/${CUSTOMER}/late`), 403, /system_user_missing/);
      standIn.addUser({ organisation: OTHER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/class/${OTHER}/inherited`), 200);
      standIn.system.clientIds = [];
      await expectAnswer(app.get(`/class/${OTHER}/late`), 500, /system_user_misconfigured/);
    });

    it('an error of the application itself is not taken for a refusal', async () => {
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      standIn.fail('/acme/', 500);
      await expectAnswer(app.get(`/class/${CUSTOMER}/forbidden`), 500);
      expect(standIn.calls('/byquery')).toHaveLength(1);
    });
  });

  describe("onMissing: 'request'", () => {
    it('sends one request for what the application needs, and answers with its link', async () => {
      const answers = await Promise.all(Array.from({ length: 5 }, async () => app.get(`/o/${CUSTOMER}/asking`)));
      for (const { status, body } of answers) {
        expect(status).toBe(403);
        expect(body).toMatchObject({
          code: 'system_user_request_pending',
          confirmUrl: expect.stringContaining('https:'),
        });
      }
      expect(standIn.log.filter(({ method, path }) => method === 'POST' && path.includes('/request/'))).toHaveLength(1);
      expect(standIn.requests[0]?.rights).toEqual([
        { resource: [{ id: 'urn:altinn:resource', value: RESOURCE }] },
        { resource: [{ id: 'urn:altinn:resource', value: 'app_acme_report' }] },
      ]);
    });

    it('does not ask again after a no', async () => {
      standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'Rejected' });
      await expectAnswer(app.get(`/o/${CUSTOMER}/asking`), 403, /system_user_request_rejected/);
      expect(standIn.requests).toHaveLength(1);
    });

    it('asks for nothing on behalf of a caller who may not act', async () => {
      app.policy.answer = () => false;
      await expectAnswer(app.get(`/o/${CUSTOMER}/asking`), 403, /caller_not_allowed/);
      expect(standIn.requests).toHaveLength(0);
    });

    it('lets the call through when the customer has approved meanwhile', async () => {
      standIn.fail('/byquery', 404, { times: 1 });
      standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
      await expectAnswer(app.get(`/o/${CUSTOMER}/asking`), 200, CUSTOMER);
    });

    it('a request that Altinn does not accept is our own fault', async () => {
      standIn.system.rights = [];
      standIn.fail('/request/vendor', 404, { times: 2 });
      standIn.fail('/request/vendor', 400, {
        headers: { 'content-type': 'application/problem+json' },
        body: JSON.stringify({ code: 'AUTH-00001', title: 'x' }),
      });
      const { body } = await expectAnswer(app.get(`/o/${CUSTOMER}/asking`), 500);
      expect(body).toMatchObject({ code: 'system_user_misconfigured', failures: [{ field: 'rights' }] });
      standIn.system.rights = [RESOURCE, 'app_acme_report'];
    });
  });

  it('deny-by-default: nothing about the customer is told to a caller that may not know', async () => {
    standIn.addRequest({ partyOrgNo: CUSTOMER, status: 'New' });
    app.policy.answer = () => false;
    const { text } = await expectAnswer(app.get(`/o/${CUSTOMER}/claims`), 403);
    expect(text).not.toContain(CUSTOMER);
    expect(text).not.toContain('confirmUrl');
  });
});

describe('SystemUserGuard at start', () => {
  const standIn = new AltinnStandIn();
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(() => standIn.reset());

  const starting = async (
    altinn: Parameters<typeof optionsFor>[1],
    providers: Parameters<typeof Test.createTestingModule>[0]['providers'] = [],
    controllers: NonNullable<Parameters<typeof Test.createTestingModule>[0]['controllers']> = [ProbeController],
  ): Promise<void> => {
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(optionsFor(standIn, altinn)),
        MaskinportenHttpModule.register({ baseURL: standIn.url }),
      ],
      controllers,
      providers,
    }).compile();
    const app = module.createNestApplication({ logger: false });
    try {
      await app.init();
    } finally {
      await app.close();
    }
  };

  class Policy extends CallerPolicy {
    override canActFor(_: ExecutionContext, organisation: string): boolean {
      return organisation === CUSTOMER;
    }
  }

  it('no CallerPolicy: the application does not start', async () => {
    await expect(starting(PARTIES)).rejects.toMatchObject({ code: 'MP_CONFIG', failures: [{ field: 'CallerPolicy' }] });
  });

  it('allowAnyCaller replaces it', async () => {
    await expect(starting({ ...PARTIES, allowAnyCaller: true })).resolves.toBeUndefined();
  });

  it('the policy may come from any module', async () => {
    @Module({ providers: [{ provide: CallerPolicy, useClass: Policy }] })
    class PolicyModule {}
    const module = await Test.createTestingModule({
      imports: [
        PolicyModule,
        MaskinportenModule.forRoot(optionsFor(standIn, PARTIES)),
        MaskinportenHttpModule.register({ baseURL: standIn.url }),
      ],
      controllers: [ProbeController],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    await expect(app.init()).resolves.toBeDefined();
    await app.close();
  });

  it('a policy made anew for each request is refused', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class ScopedPolicy extends Policy {}
    const providers = [{ provide: CallerPolicy, useClass: ScopedPolicy, scope: Scope.REQUEST }];
    await expect(starting(PARTIES, providers)).rejects.toMatchObject({
      failures: [{ field: 'CallerPolicy', reason: expect.stringContaining('request-scoped') }],
    });
  });

  it('no source of rights is chosen in silence', async () => {
    await expect(starting({}, [{ provide: CallerPolicy, useClass: Policy }])).rejects.toMatchObject({
      failures: [{ field: 'altinn.rights' }],
    });
  });

  it('without a system nothing can be asked', async () => {
    const module = Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot({ ...optionsFor(standIn), altinn: {} }),
        MaskinportenHttpModule.register({ baseURL: standIn.url }),
      ],
      controllers: [ProbeController],
      providers: [{ provide: CallerPolicy, useClass: Policy }],
    });
    const app = (await module.compile()).createNestApplication({ logger: false });
    await expect(app.init()).rejects.toMatchObject({
      failures: [{ field: 'ALTINN_PLATFORM_URL' }, { field: 'ALTINN_SYSTEM_ID' }],
    });
  });

  it('without the module the application does not start', async () => {
    const module = Test.createTestingModule({ controllers: [CustomController] });
    await expect(module.compile()).rejects.toMatchObject({ failures: [{ field: 'MaskinportenModule' }] });
  });

  it('an application without @RequireSystemUser needs neither policy nor system', async () => {
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot({ ...optionsFor(standIn), altinn: {} })],
    }).compile();
    await expect(module.init()).resolves.toBeDefined();
    expect(() => module.get(SystemUserService).delegations).toThrow(/platformUrl/);
    await module.close();
    expect(standIn.log).toHaveLength(0);
  });

  it.each([
    ['an organisation that is no function', { organisation: CUSTOMER as never, resource: RESOURCE }, PARTIES],
    ['a resource with spaces', { organisation: fromBody('x'), resource: 'two words' }, PARTIES],
    [
      'a package for the PDP',
      { organisation: fromBody('x'), resource: 'urn:altinn:accesspackage:lonn' },
      { subscriptionKey: 'x' },
    ],
    [
      'a client for accepted-request',
      { organisation: fromBody('x'), resource: RESOURCE, party: fromBody('y') },
      { rights: 'accepted-request' as const },
    ],
    [
      'a client that is not configured',
      { organisation: fromBody('x'), resource: RESOURCE, client: 'payroll' },
      PARTIES,
    ],
  ])('refuses %s', async (_, requirement, altinn) => {
    @Controller()
    class WrongController {
      @Get()
      @RequireSystemUser(requirement)
      reached(): string {
        return 'reached';
      }
    }
    await expect(
      starting(altinn, [{ provide: CallerPolicy, useClass: Policy }], [WrongController]),
    ).rejects.toMatchObject({ code: 'MP_CONFIG' });
  });
});

describe('SystemUserGuard on Fastify', () => {
  const standIn = new AltinnStandIn();
  let app: NestFastifyApplication;
  beforeAll(async () => {
    await standIn.start();
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(optionsFor(standIn, { ...PARTIES, allowAnyCaller: true })),
        MaskinportenHttpModule.register({ baseURL: standIn.url }),
      ],
      controllers: [ProbeController],
    }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    await app?.close();
    await standIn.stop();
  });

  it('verifies, and answers denials as problem documents', async () => {
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const server = app.getHttpServer();
    const good = await request(server).get(`/o/${CUSTOMER}/claims`).expect(200);
    expect(good.body).toEqual({ organisation: CUSTOMER, party: CUSTOMER, owner: CUSTOMER });
    const written = await request(server)
      .post(`/o/${OTHER}/claims`)
      .send({ customer: { orgno: CUSTOMER } })
      .expect(201);
    expect(written.body).toMatchObject({ organisation: CUSTOMER, owner: CUSTOMER });
    standIn.fail('/byquery', 429, { headers: { 'retry-after': '20' } });
    const denied = await request(server).get(`/o/${OTHER}/claims`).expect(503);
    expect(denied.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(denied.headers['retry-after']).toBe('20');
    expect(denied.body).toMatchObject({ code: 'delegation_unknown' });
  });
});
