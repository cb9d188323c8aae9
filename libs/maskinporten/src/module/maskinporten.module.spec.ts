import { EventEmitter, once } from 'node:events';
import { Controller, Get, Injectable, Logger, Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import axios from 'axios';
import request from 'supertest';
import { startTestSimulator, testClientOptions } from '../testing/simulator.fixtures.js';
import {
  InjectMaskinporten,
  MaskinportenContext,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  MaskinportenTokenService,
  Scopes,
  attachMaskinporten,
  getMaskinportenToken,
  type MaskinportenOptions,
  type MaskinportenOptionsFactory,
} from '../index.js';
import { rejection, textsWithin } from '../outbound/outbound.fixtures.js';
import { FakeMaskinportenTokenService } from '../testing/index.js';

Logger.overrideLogger(false);

interface WhoAmI {
  readonly scope: string;
  readonly client_id: string;
}

@Controller()
class ProbeController {
  constructor(private readonly http: MaskinportenHttpService) {}

  @Get('default')
  @Scopes('acme:read')
  async default(): Promise<WhoAmI> {
    return (await this.http.axiosRef.get<WhoAmI>('/whoami')).data;
  }

  @Get('payroll')
  @Scopes({ scopes: 'acme:read', client: 'payroll' })
  async payroll(): Promise<WhoAmI> {
    return (await this.http.axiosRef.get<WhoAmI>('/whoami')).data;
  }
}

@Controller()
class PlainController {
  constructor(private readonly http: MaskinportenHttpService) {}

  @Get('default')
  @Scopes('acme:read')
  async default(): Promise<WhoAmI> {
    return (await this.http.axiosRef.get<WhoAmI>('/whoami')).data;
  }
}

@Module({})
class FeatureRoot {}

const starting = async (metadata: {
  imports: (DynamicModule | Type)[];
  controllers?: Type[];
  providers?: Type[];
}): Promise<unknown> => {
  const app = (await Test.createTestingModule(metadata).compile()).createNestApplication();
  await app.init();
  return app;
};

describe('MaskinportenModule', () => {
  let simulator: Simulator;
  let options: MaskinportenOptions;
  let payroll: MaskinportenOptions;

  beforeAll(async () => {
    simulator = await startTestSimulator();
    options = await testClientOptions(simulator, { scopes: ['acme:read', 'acme:write'] });
    payroll = await testClientOptions(simulator, { scopes: ['acme:read'] });
  });
  afterAll(async () => simulator?.close());
  beforeEach(() => simulator.operator.clearLog());

  const whoami = async (path: string, ...imports: (DynamicModule | Type)[]): Promise<WhoAmI> => {
    const module = await Test.createTestingModule({
      imports: [...imports, MaskinportenHttpModule.register({ baseURL: simulator.apiUrl })],
      controllers: [imports.length > 1 ? ProbeController : PlainController],
    }).compile();
    const app = module.createNestApplication();
    await app.init();
    try {
      return (await request(app.getHttpServer()).get(path).expect(200)).body as WhoAmI;
    } finally {
      await app.close();
    }
  };

  describe('registration', () => {
    @Injectable()
    class Factory implements MaskinportenOptionsFactory {
      async createMaskinportenOptions(): Promise<MaskinportenOptions> {
        return Promise.resolve(options);
      }
    }
    @Module({ providers: [Factory], exports: [Factory] })
    class FactoryModule {}
    @Module({ providers: [{ provide: 'OPTIONS', useFactory: () => options }], exports: ['OPTIONS'] })
    class OptionsModule {}

    it.each([
      ['forRoot', () => MaskinportenModule.forRoot(options)],
      [
        'forRootAsync with useFactory',
        () =>
          MaskinportenModule.forRootAsync({
            imports: [OptionsModule],
            inject: ['OPTIONS'],
            useFactory: (given: MaskinportenOptions) => given,
          }),
      ],
      ['forRootAsync with useClass', () => MaskinportenModule.forRootAsync({ useClass: Factory })],
      [
        'forRootAsync with useExisting',
        () => MaskinportenModule.forRootAsync({ imports: [FactoryModule], useExisting: Factory }),
      ],
    ])('%s gives decorated handlers their token', async (_name, register) => {
      expect(await whoami('/default', register())).toMatchObject({ scope: 'acme:read', client_id: options.clientId });
    });

    it('forRootAsync without any source of options is refused', () => {
      expect(() => MaskinportenModule.forRootAsync({})).toThrow(/useFactory, useClass or useExisting/);
    });

    it('is global unless told otherwise', async () => {
      @Injectable()
      class Uses {
        constructor(readonly tokens: MaskinportenTokenService) {}
      }
      @Module({ providers: [Uses] })
      class FeatureModule {}
      const module = await Test.createTestingModule({
        imports: [MaskinportenModule.forRoot(options), FeatureModule],
      }).compile();
      expect(module.get(Uses, { strict: false }).tokens).toBeInstanceOf(MaskinportenTokenService);
      await module.close();
      const local = Test.createTestingModule({
        imports: [MaskinportenModule.forRoot({ ...options, isGlobal: false }), FeatureModule],
      }).compile();
      expect((await rejection(local)).message).toContain('MaskinportenTokenService');
    });
  });

  describe('named clients', () => {
    it('T-27: two clients with the same destination: the context says which one asks', async () => {
      const both = [MaskinportenModule.forRoot(options), MaskinportenModule.forRoot({ ...payroll, name: 'payroll' })];
      expect(await whoami('/default', ...both)).toMatchObject({ client_id: options.clientId });
      expect(await whoami('/payroll', ...both)).toMatchObject({ client_id: payroll.clientId });
    });

    it('injects each by its name, and calls with each', async () => {
      @Injectable()
      class Uses {
        constructor(
          readonly tokens: MaskinportenTokenService,
          @InjectMaskinporten() readonly same: MaskinportenTokenService,
          @InjectMaskinporten('payroll') readonly salaries: MaskinportenTokenService,
          readonly http: MaskinportenHttpService,
        ) {}
      }
      const module = await Test.createTestingModule({
        imports: [
          MaskinportenModule.forRoot(options),
          MaskinportenModule.forRootAsync({ name: 'payroll', useFactory: () => payroll }),
          MaskinportenHttpModule.registerAsync({
            useFactory: () => ({ baseURL: simulator.apiUrl, maskinporten: { client: 'payroll', scopes: 'acme:read' } }),
          }),
        ],
        providers: [Uses],
      }).compile();
      await module.init();
      const uses = module.get(Uses);
      expect(uses.same).toBe(uses.tokens);
      expect([uses.tokens.clientId, uses.salaries.clientId]).toEqual([options.clientId, payroll.clientId]);
      expect(module.get(getMaskinportenToken('payroll'))).toBe(uses.salaries);
      expect((await uses.http.axiosRef.get<WhoAmI>('/whoami')).data.client_id).toBe(payroll.clientId);
      const inContext = await MaskinportenContext.run({ scopes: 'acme:write', client: 'default' }, async () =>
        uses.http.axiosRef.get<WhoAmI>('/whoami'),
      );
      expect(inContext.data).toMatchObject({ client_id: options.clientId, scope: 'acme:write' });
      const instance = axios.create();
      attachMaskinporten(instance, uses.tokens);
      const named = await instance.get<WhoAmI>(`${simulator.apiUrl}/whoami`, {
        maskinporten: { scopes: 'acme:read', client: 'payroll' },
      });
      expect(named.data.client_id).toBe(payroll.clientId);
      const unknown = rejection(
        instance.get(simulator.apiUrl, { maskinporten: { scopes: 'acme:read', client: 'typo' } }),
      );
      expect((await unknown).message).toMatch(/"typo".*"default", "payroll"/);
      await module.close();
    });

    it('refuses two clients of one name', async () => {
      const error = await rejection(
        starting({ imports: [MaskinportenModule.forRoot(options), MaskinportenModule.forRoot(payroll)] }),
      );
      expect(error).toMatchObject({ code: 'MP_CONFIG' });
      expect(error.message).toContain('two clients are called "default"');
    });

    it('refuses the start when @Scopes names a client that does not exist', async () => {
      const error = await rejection(
        starting({
          imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register()],
          controllers: [ProbeController],
        }),
      );
      expect(error).toMatchObject({ code: 'MP_CONFIG' });
      expect(error.message).toContain(
        '@Scopes on ProbeController.payroll: there is no client called "payroll"; known are "default"',
      );
    });

    it('refuses the start when MaskinportenHttpModule names a client that does not exist', async () => {
      const http = MaskinportenHttpModule.register({ maskinporten: { client: 'typo' } });
      expect((await rejection(starting({ imports: [MaskinportenModule.forRoot(options), http] }))).message).toContain(
        '"typo"',
      );
    });
  });

  describe('without the module', () => {
    @Controller()
    class LonelyController {
      @Get()
      @Scopes('acme:read')
      get(): void {}
    }

    it('an application with @Scopes does not start, and says what to import', async () => {
      const error = await rejection(starting({ imports: [], controllers: [LonelyController] }));
      expect(error).toMatchObject({ code: 'MP_CONFIG' });
      expect(error.message).toContain('@Scopes is used, but MaskinportenModule is not imported');
    });

    it('an application with MaskinportenHttpModule does not start either', async () => {
      const error = await rejection(starting({ imports: [MaskinportenHttpModule.register()] }));
      expect(error.message).toContain('MaskinportenHttpModule is used, but MaskinportenModule is not imported');
    });
  });

  describe('MaskinportenHttpModule', () => {
    it('gives one object under both names, of an instance of its own', async () => {
      const module = await Test.createTestingModule({
        imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register()],
      }).compile();
      const http = module.get(MaskinportenHttpService);
      expect(module.get(HttpService)).toBe(http);
      expect(http.axiosRef).not.toBe(axios);
      await module.close();
    });

    it('T-25: leaves a plain HttpModule and the process-wide axios alone', async () => {
      const { adapter } = axios.defaults;
      @Injectable()
      class Plain {
        constructor(readonly http: HttpService) {}
      }
      @Module({ imports: [HttpModule], providers: [Plain] })
      class PlainModule {}
      const module = await Test.createTestingModule({
        imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register(), PlainModule],
      }).compile();
      const { http } = module.get(Plain, { strict: false });
      const refused = await rejection(
        MaskinportenContext.run('acme:read', async () => http.axiosRef.get(`${simulator.apiUrl}/whoami`)),
      );
      expect(refused).toMatchObject({ response: { status: 401 } });
      expect(axios.defaults.adapter).toBe(adapter);
      await module.close();
    });

    it('T-26, F-144: 100 applications, one after the other, leave nothing running, and their instances closed', async () => {
      const { adapter } = axios.defaults;
      const tokens = new FakeMaskinportenTokenService();
      for (let cycle = 0; cycle < 100; cycle += 1) {
        const module = await Test.createTestingModule({
          imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register()],
        })
          .overrideProvider(MaskinportenTokenService)
          .useValue(tokens)
          .compile();
        await module.init();
        const { axiosRef } = module.get(MaskinportenHttpService);
        expect(axiosRef.defaults.adapter).not.toBe(adapter);
        await module.close();
        await expect(axiosRef.get('/', { maskinporten: 'acme:read' })).rejects.toMatchObject({ code: 'MP_ABORTED' });
      }
      expect(axios.defaults.adapter).toBe(adapter);
    });
  });

  it('T-06: nothing in the container shows a secret, at any depth', async () => {
    const canaries = ['canary-passphrase-1', 'canary-subscription-2'];
    const key = options.key as { pem: string; kid: string };
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRootAsync({
          useFactory: () => ({
            ...options,
            key: { ...key, passphrase: canaries[0] ?? '' },
            altinn: { subscriptionKey: canaries[1] ?? '' },
          }),
        }),
        MaskinportenHttpModule.register({ baseURL: simulator.apiUrl }),
      ],
      controllers: [PlainController],
    }).compile();
    const app = module.createNestApplication();
    await app.init();
    await request(app.getHttpServer()).get('/default').expect(200);
    const token = await app.get(MaskinportenTokenService).getToken('acme:read');
    const pemBody = key.pem.split('\n')[3] ?? 'no body';
    const texts = [...textsWithin(Reflect.get(app, 'container'))];
    expect(texts).toContain(simulator.apiUrl);
    for (const secret of [...canaries, token.value, pemBody]) {
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
    await app.close();
  });

  it('F-130: a request that is being served when the application closes still gets its token', async () => {
    const gate = new EventEmitter();
    const inHandler = once(gate, 'entered');
    const closing = once(gate, 'closing');
    @Controller()
    class SlowController {
      constructor(private readonly http: MaskinportenHttpService) {}
      @Get()
      @Scopes('acme:read')
      async get(): Promise<WhoAmI> {
        gate.emit('entered');
        await closing;
        return (await this.http.axiosRef.get<WhoAmI>('/whoami')).data;
      }
    }
    const app = await NestFactory.create(
      {
        module: FeatureRoot,
        imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register({ baseURL: simulator.apiUrl })],
        controllers: [SlowController],
      },
      { logger: false },
    );
    await app.listen(0, '127.0.0.1');
    const answer = axios.get<WhoAmI>(await app.getUrl(), { headers: { connection: 'close' } });
    await inHandler;
    const closed = app.close();
    gate.emit('closing');
    expect((await answer).data).toMatchObject({ scope: 'acme:read' });
    await closed;
  });
});
