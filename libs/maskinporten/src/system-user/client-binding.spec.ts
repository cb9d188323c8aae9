import { Controller, Get, Logger, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import request from 'supertest';
import { organisationNumber } from '../altinn/altinn-client.fixtures.js';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import { isMaskinportenError } from '../errors/index.js';
import {
  CallerPolicy,
  MaskinportenContext,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  MaskinportenTokenService,
  RequireSystemUser,
  Scopes,
  attachMaskinporten,
  fromParam,
  getMaskinportenToken,
  maskinportenFetch,
  type ScopesFunction,
} from '../index.js';
import { PDP, RESOURCE, TestPolicy, optionsFor } from './system-user.fixtures.js';

const CUSTOMER = organisationNumber(1);
const OTHER = organisationNumber(2);

/** What a handler does, decided by the test. */
const probe: { work: () => Promise<unknown>; scopes: ScopesFunction; asked: number } = {
  work: async () => Promise.resolve(),
  scopes: () => 'acme:read',
  asked: 0,
};

@Controller(':orgno')
class ProbeController {
  @Get('payroll')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, client: 'payroll' })
  async payroll(): Promise<unknown> {
    return probe.work();
  }

  @Get('default')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE })
  async default(): Promise<unknown> {
    return probe.work();
  }

  @Get('function')
  @Scopes((context) => {
    probe.asked += 1;
    return probe.scopes(context);
  })
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, client: 'payroll' })
  async function(): Promise<unknown> {
    return probe.work();
  }
}

@Controller('unguarded/:orgno')
@Scopes(() => 'acme:class')
class FunctionController {
  @Get()
  @Scopes(async (context) => {
    probe.asked += 1;
    return probe.scopes(context);
  })
  async function(): Promise<unknown> {
    return probe.work();
  }
}

const systemUser = { organisation: CUSTOMER };
/** An instance that names no client. */
let any: AxiosInstance;
const plain = async (): Promise<unknown> => any.get('/acme/claims');
const ownRequest = async (): Promise<unknown> =>
  any.get('/acme/claims', { maskinporten: { scopes: 'acme:own', systemUser } });
const ownContext = async (): Promise<unknown> => MaskinportenContext.run({ scopes: 'acme:own', systemUser }, plain);
const inOwnName = async (): Promise<unknown> =>
  any.get('/acme/claims', { maskinporten: { scopes: 'acme:own', client: 'payroll' } });

describe('T-74: the client that was verified is the client whose token is sent', () => {
  const standIn = new AltinnStandIn();
  let app: INestApplication;
  let payrolls: AxiosInstance;

  beforeAll(async () => {
    await standIn.start();
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn))),
        MaskinportenModule.forRoot({ ...optionsFor(standIn, PDP(standIn)), name: 'payroll', clientId: 'client-2' }),
        MaskinportenHttpModule.register({ baseURL: standIn.url }),
      ],
      controllers: [ProbeController, FunctionController],
      providers: [{ provide: CallerPolicy, useValue: new TestPolicy() }],
    }).compile();
    Logger.overrideLogger(false);
    app = module.createNestApplication();
    await app.listen(0, '127.0.0.1');
    any = app.get(MaskinportenHttpService).axiosRef;
    payrolls = axios.create({ baseURL: standIn.url });
    attachMaskinporten(payrolls, app.get<MaskinportenTokenService>(getMaskinportenToken('payroll')));
  });
  afterAll(async () => {
    await app?.close();
    await standIn.stop();
  });
  beforeEach(() => {
    standIn.reset();
    standIn.system.clientIds = ['client-1', 'client-2'];
    standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.addUser({ organisation: OTHER, rights: [RESOURCE] });
    probe.asked = 0;
    probe.scopes = () => 'acme:read';
  });
  afterEach(() => {
    probe.work = async () => Promise.resolve();
  });

  /** Runs `work` inside a handler: what it threw, or the client and organisation that the API saw. */
  const inside = async (path: string, work: () => Promise<unknown>): Promise<unknown> => {
    let outcome: unknown = 'the handler did not run';
    standIn.log.length = 0;
    probe.work = async () => {
      standIn.log.length = 0;
      try {
        await work();
        outcome = 'sent';
      } catch (error) {
        outcome = isMaskinportenError(error) ? `${error.code} ${error.failures[0]?.field ?? ''}`.trim() : error;
      }
      return {};
    };
    await request(app.getHttpServer() as never).get(`/${path}`);
    const [seen] = standIn.calls('/acme/');
    return outcome === 'sent' ? { client: seen?.client, owner: seen?.owner } : outcome;
  };
  const nothingSent = (): void => expect(standIn.calls('/acme/')).toHaveLength(0);

  it('a scope that names no client gets the verified one', async () => {
    expect(await inside(`${CUSTOMER}/payroll`, plain)).toEqual({ client: 'client-2', owner: CUSTOMER });
    expect(await inside(`${CUSTOMER}/default`, plain)).toEqual({ client: 'client-1', owner: CUSTOMER });
  });

  it('a request of its own that names no client gets it too', async () => {
    expect(await inside(`${CUSTOMER}/payroll`, ownRequest)).toEqual({ client: 'client-2', owner: CUSTOMER });
    expect(await inside(`${CUSTOMER}/payroll`, ownContext)).toEqual({ client: 'client-2', owner: CUSTOMER });
  });

  it.each<[what: string, path: string, work: () => Promise<unknown>]>([
    ['an instance of another', 'default', async () => payrolls.get('/acme/claims')],
    ['the call’s client', 'default', async () => any.get('/acme/claims', { maskinporten: { client: 'payroll' } })],
    [
      'the call’s request',
      'default',
      async () => any.get('/acme/claims', { maskinporten: { scopes: 'acme:own', systemUser, client: 'payroll' } }),
    ],
    [
      'the call’s consumerOrg',
      'default',
      async () =>
        any.get('/acme/claims', { maskinporten: { scopes: 'acme:own', consumerOrg: CUSTOMER, client: 'payroll' } }),
    ],
    [
      'a context of its own',
      'default',
      async () =>
        MaskinportenContext.run({ scopes: 'acme:own', systemUser, client: 'payroll' }, async () =>
          any.get('/acme/claims'),
        ),
    ],
    [
      'fetch of another',
      'default',
      async () =>
        maskinportenFetch(app.get<MaskinportenTokenService>(getMaskinportenToken('payroll')))(
          `${standIn.url}/acme/claims`,
        ),
    ],
    [
      'fetch of the default client, for a named one',
      'payroll',
      async () => maskinportenFetch(app.get(MaskinportenTokenService))(`${standIn.url}/acme/claims`),
    ],
    [
      'the default client by its name',
      'payroll',
      async () => any.get('/acme/claims', { maskinporten: { client: 'default' } }),
    ],
  ])('is refused before anything is sent: %s', async (_what, path, work) => {
    expect(await inside(`${CUSTOMER}/${path}`, work)).toBe('MP_REQUEST client');
    nothingSent();
  });

  it('leaves calls alone that have nothing to do with the delegation', async () => {
    expect(await inside(`${CUSTOMER}/default`, inOwnName)).toEqual({ client: 'client-2', owner: undefined });
  });

  it('an instance of another client in the module of the handler is refused too', async () => {
    const instance = axios.create({ baseURL: standIn.url });
    attachMaskinporten(instance, app.get(MaskinportenTokenService), { client: 'payroll' });
    expect(await inside(`${CUSTOMER}/default`, async () => instance.get('/acme/claims'))).toBe('MP_REQUEST client');
    nothingSent();
  });

  it('two clients on one handler refuse the start', async () => {
    @Controller(':orgno')
    class Mixed {
      @Get()
      @Scopes({ scopes: 'acme:read', client: 'payroll' })
      @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, client: 'default' })
      claims(): void {}
    }
    @Controller('class/:orgno')
    @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, client: 'default' })
    class MixedByClass {
      @Get()
      @Scopes({ scopes: 'acme:read', client: 'payroll' })
      claims(): void {}
    }
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn))),
        MaskinportenModule.forRoot({ ...optionsFor(standIn, PDP(standIn)), name: 'payroll', clientId: 'client-2' }),
      ],
      controllers: [Mixed, MixedByClass],
      providers: [{ provide: CallerPolicy, useValue: new TestPolicy() }],
    }).compile();
    await expect(module.init()).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [
        {
          field: '@RequireSystemUser on Mixed.claims',
          reason: expect.stringMatching(/"default".*"payroll".*same client in both/) as unknown,
        },
        { field: '@RequireSystemUser on MixedByClass.claims' },
      ],
    });
  });

  describe('@Scopes with a function', () => {
    it('is asked once per call, also when the class has one too', async () => {
      probe.scopes = (context) => ({
        scopes: 'acme:read',
        consumerOrg: context.switchToHttp().getRequest<{ params: { orgno: string } }>().params.orgno,
        client: 'payroll',
      });
      let seen: unknown;
      const work = async (): Promise<unknown> => {
        seen = MaskinportenContext.current;
        return any.get('/acme/claims');
      };
      expect(await inside(`unguarded/${OTHER}`, work)).toEqual({ client: 'client-2', owner: undefined });
      expect(seen).toMatchObject({ client: 'payroll', request: { consumerOrg: OTHER } });
      expect(probe.asked).toBe(1);
    });

    it.each<[what: string, scopes: ScopesFunction, code: string]>([
      ['nothing', () => undefined as never, 'MP_REQUEST'],
      ['no scope', () => ({ scopes: [] }), 'MP_REQUEST'],
      ['a wrong number', () => ({ scopes: 'acme:read', consumerOrg: '123456789' }), 'MP_REQUEST'],
      ['a client that is not a text', () => ({ scopes: 'acme:read', client: 5 }) as never, 'MP_REQUEST'],
      ['an unknown client', () => ({ scopes: 'acme:read', client: 'unknown' }), 'MP_REQUEST'],
      ['a rejection', async () => Promise.reject(new TypeError('database down')), ''],
    ])('refuses the call when it returns %s', async (_what, scopes, code) => {
      probe.scopes = scopes;
      expect(await inside(`unguarded/${OTHER}`, async () => any.get('/acme/claims'))).toBe('the handler did not run');
      nothingSent();
      expect(standIn.calls('/token')).toHaveLength(0);
      const refused = await request(app.getHttpServer() as never).get(`/unguarded/${OTHER}`);
      expect(refused.status).toBe(500);
      expect(code === '' || refused.text !== '').toBe(true);
    });

    it('cannot override the organisation that was verified, nor the client', async () => {
      probe.scopes = async () => Promise.resolve({ scopes: 'acme:read', systemUser: { organisation: OTHER } });
      expect(await inside(`${CUSTOMER}/function`, plain)).toEqual({ client: 'client-2', owner: CUSTOMER });
      probe.scopes = () => ({ scopes: 'acme:read', client: 'default' });
      expect(await inside(`${CUSTOMER}/function`, plain)).toBe('the handler did not run');
      nothingSent();
    });

    it('is not asked when a guard has said no', async () => {
      expect(await inside(`${organisationNumber(7)}/function`, async () => Promise.resolve())).toBe(
        'the handler did not run',
      );
      expect(probe.asked).toBe(0);
    });
  });
});
