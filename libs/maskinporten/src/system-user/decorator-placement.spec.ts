import {
  Controller,
  Get,
  Injectable,
  Logger,
  Module,
  Post,
  Scope,
  SetMetadata,
  UseGuards,
  type INestApplicationContext,
  type MiddlewareConsumer,
  type ModuleMetadata,
  type NestMiddleware,
  type NestModule,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import { isMaskinportenError, type Failure } from '../errors/index.js';
import {
  CallerPolicy,
  MaskinportenModule,
  RequireSystemUser,
  Scopes,
  SystemUserGuard,
  Unguarded,
  fromParam,
  guardedBy,
} from '../index.js';
import { ScopesMetadata } from '../outbound/index.js';
import { RequirementMetadata } from './requirement.js';
import { PDP, RESOURCE, TestPolicy, optionsFor } from './system-user.fixtures.js';

Logger.overrideLogger(false);

const Required = (): ClassDecorator & MethodDecorator =>
  RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE });

/** What tracing, caching and transactions do: another function in place of the method. */
const Wrapped: MethodDecorator = (_target, _member, descriptor: { value?: unknown }) => {
  const original = descriptor.value as (...values: unknown[]) => unknown;
  Object.assign(descriptor, {
    value(this: unknown, ...values: unknown[]): unknown {
      return original.apply(this, values);
    },
  });
};

/** A wrapper that takes the metadata along, as careful ones do. */
const WrappedWithMetadata: MethodDecorator = (_target, _member, descriptor: { value?: unknown }) => {
  const original = descriptor.value as (...values: unknown[]) => unknown;
  const value = function (this: unknown, ...values: unknown[]): unknown {
    return original.apply(this, values);
  };
  for (const key of Reflect.getMetadataKeys(original) as string[]) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), value);
  }
  Object.assign(descriptor, { value });
};

const Stripped =
  (): MethodDecorator =>
  (...where) => {
    SetMetadata('__guards__', [])(...where);
    SetMetadata('__interceptors__', [])(...where);
  };

/** A class decorator that returns a stand-in for the class. */
const Proxied: ClassDecorator = (target) => new Proxy(target, {});

const refuse = (): never => {
  throw new Error('a proxy that does not want to be looked at');
};

const SYMBOL_NAME = Symbol('claims');
const FOREIGN_TRANSPORT = Symbol('foreign transport');
const DECLARED_TRANSPORT = Symbol('declared transport');
guardedBy(DECLARED_TRANSPORT);

const graphql = (fieldResolverEnhancers: readonly string[] | undefined): Type => {
  @Module({ providers: [{ provide: 'GqlModuleOptions', useValue: { fieldResolverEnhancers } }] })
  class GraphQLStandIn {}
  return GraphQLStandIn;
};

/** The two halves of what `@ResolveField` leaves on a method. */
const ResolvedField: MethodDecorator = (...where) => {
  SetMetadata('graphql:resolve_property', true)(...where);
  SetMetadata('graphql:resolver_name', 'secret')(...where);
};

@Controller('base/:orgno')
class BaseController {
  @Get()
  @Required()
  claims(): string {
    return 'claims';
  }
}

/** One failure for one place, which says what to do. */
const expectRefused = (failures: readonly Failure[], field: string, reason: RegExp): void => {
  expect(failures.map((failure) => failure.field)).toEqual([field]);
  expect(failures[0]?.reason).toMatch(reason);
};

describe('T-72: a decorator that has no effect refuses the start', () => {
  const standIn = new AltinnStandIn();
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());

  const start = async (metadata: ModuleMetadata): Promise<readonly Failure[]> => {
    const module = await Test.createTestingModule({
      ...metadata,
      imports: [MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn))), ...(metadata.imports ?? [])],
      providers: [...(metadata.providers ?? []), { provide: CallerPolicy, useValue: new TestPolicy() }],
    }).compile();
    const started: INestApplicationContext = module;
    try {
      await started.init();
      return [];
    } catch (error) {
      if (!isMaskinportenError(error, 'MP_CONFIG')) throw error;
      return error.failures;
    } finally {
      await started.close().catch(() => undefined);
    }
  };

  describe.each([
    ['@RequireSystemUser', RequirementMetadata.KEY, Required],
    ['@Scopes', ScopesMetadata.KEY, (): ClassDecorator & MethodDecorator => Scopes('acme:read')],
    ['@Scopes', ScopesMetadata.KEY, (): ClassDecorator & MethodDecorator => Scopes(() => 'acme:read')],
  ])('%s', (name, metadataKey, decorate) => {
    const Decorated = decorate;
    const remedy = /Put it on a handler .*(MaskinportenContext\.run|SystemUserService\.checkRight).*guardedBy/;

    it.each([
      ['a plain method', (): MethodDecorator => () => undefined, remedy],
      [
        '@OnEvent',
        () => SetMetadata('EVENT_LISTENER_METADATA', [{ event: 'x' }]),
        /an event listener.*Put it on a handler/,
      ],
      ['@Cron', () => SetMetadata('SCHEDULE_CRON_OPTIONS', {}), /a scheduled job \(@Cron\)/],
      ['@Interval', () => SetMetadata('SCHEDULE_INTERVAL_OPTIONS', {}), /a scheduled job \(@Interval\)/],
      ['@Timeout', () => SetMetadata('SCHEDULE_TIMEOUT_OPTIONS', {}), /a scheduled job \(@Timeout\)/],
      ['@Process', () => SetMetadata('bull:module_queue_process', {}), /a queue processor \(@Process\)/],
      ['@Get', () => Get(), remedy],
      ['@MessagePattern', () => MessagePattern('x'), remedy],
      ['@SubscribeMessage without a gateway', () => SubscribeMessage('x'), remedy],
      ['a transport nobody vouched for', () => SetMetadata(FOREIGN_TRANSPORT, true), remedy],
      ['@ResolveField', () => ResolvedField, /fieldResolverEnhancers: \['(guards|interceptors)'\]/],
    ])('on a provider, on %s', async (_what, Other, reason) => {
      @Injectable()
      class ClaimsService {
        @Decorated()
        @Other()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(await start({ providers: [ClaimsService] }), `${name} on ClaimsService.claims`, reason);
    });

    it('on a WorkerHost of BullMQ', async () => {
      @SetMetadata('bullmq:processor_metadata', { name: 'reports' })
      class ReportProcessor {
        @Decorated()
        process(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ providers: [ReportProcessor] }),
        `${name} on ReportProcessor.process`,
        /a queue processor/,
      );
    });

    it('on a route that is an event listener too', async () => {
      @Controller()
      class ClaimsController {
        @Get()
        @SetMetadata('EVENT_LISTENER_METADATA', [{ event: 'x' }])
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController] }),
        `${name} on ClaimsController.claims`,
        /event listener/,
      );
    });

    it('on the same through its class', async () => {
      @Controller()
      @Decorated()
      class ClaimsController {
        @Get()
        @SetMetadata('EVENT_LISTENER_METADATA', [{ event: 'x' }])
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController] }),
        `${name} on ClaimsController.claims`,
        /event listener/,
      );
    });

    it('below a decorator that replaces the function', async () => {
      @Controller()
      class ClaimsController {
        @Get()
        @Wrapped
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController] }),
        `${name} on ClaimsController.claims`,
        /another decorator puts another function in its place.*write it above every decorator/,
      );
    });

    it('is well above such a decorator, and below one that keeps metadata', async () => {
      @Controller()
      class ClaimsController {
        @Get('a')
        @Decorated()
        @Wrapped
        above(): string {
          return 'claims';
        }

        @Get('b')
        @WrappedWithMetadata
        @Decorated()
        below(): string {
          return 'claims';
        }
      }
      expect(await start({ controllers: [ClaimsController] })).toEqual([]);
    });

    it('on a method that is overridden with a route of its own', async () => {
      @Controller()
      class Base {
        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      @Controller()
      class Middle extends Base {}
      @Controller()
      class Derived extends Middle {
        @Get()
        override claims(): string {
          return 'secret';
        }
      }
      expectRefused(
        await start({ controllers: [Derived] }),
        `${name} on Derived.claims`,
        /overrides a method.*repeat @\w+ on the override, or say @Unguarded/,
      );
      @Controller()
      class Deliberate extends Base {
        @Get()
        @Unguarded('made-up figures')
        override claims(): string {
          return 'example';
        }
      }
      @Controller()
      class Repeated extends Base {
        @Get()
        @Decorated()
        override claims(): string {
          return 'claims';
        }
      }
      expect(await start({ controllers: [Base, Middle, Deliberate, Repeated] })).toEqual([]);
      // What says it does without does not speak for those below it.
      @Controller()
      class Contradiction {
        @Get()
        @Unguarded('why')
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [Contradiction] }),
        `${name} on Contradiction.claims`,
        /remove one of the two/,
      );
    });

    it('on what is not a method of the prototype', async () => {
      @Controller()
      class ClaimsController {
        @Decorated()
        static claims(): string {
          return 'claims';
        }

        @Decorated()
        get secret(): string {
          throw new Error('an accessor was called');
        }

        get other(): string {
          throw new Error('an accessor was called');
        }

        @Get('symbol')
        @Decorated()
        [SYMBOL_NAME](): string {
          return 'claims';
        }
      }
      const failures = await start({ controllers: [ClaimsController] });
      expect(failures.map(({ field }) => field).toSorted()).toEqual([
        `${name} on ClaimsController.Symbol(claims)`,
        `${name} on ClaimsController.secret`,
        `${name} on static ClaimsController.claims`,
      ]);
    });

    it('when the instance has a function of its own in place of the method', async () => {
      @Controller()
      class ClaimsController {
        constructor() {
          this.claims = this.claims.bind(this);
        }

        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController] }),
        `${name} on ClaimsController.claims`,
        /the instance has a member of its own/,
      );
    });

    it('when the instance is a proxy that answers with another function', async () => {
      @Controller()
      class ClaimsController {
        constructor() {
          // What tracing does that wraps whole objects.
          // oxlint-disable-next-line no-constructor-return -- the honest way to hand out a proxy of oneself
          return new Proxy(this, {
            get: (target, member): unknown => {
              const value: unknown = Reflect.get(target, member);
              if (typeof value !== 'function' || member === 'constructor') return value;
              return (...values: unknown[]): unknown => Reflect.apply(value, target, values);
            },
          });
        }

        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController] }),
        `${name} on ClaimsController.claims`,
        /the instance has a member of its own/,
      );
    });

    it('when another module wraps the method while the application starts', async () => {
      @Controller({ scope: Scope.REQUEST })
      class ClaimsController {
        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      @Injectable()
      class Tracing implements OnModuleInit {
        onModuleInit(): void {
          Object.defineProperty(ClaimsController.prototype, 'claims', { value: (): string => 'claims' });
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController], providers: [Tracing] }),
        `${name} on ClaimsController.claims`,
        /another decorator puts another function in its place/,
      );
    });

    it('on what a class is called by besides its handlers, and there only', async () => {
      @WebSocketGateway()
      @SetMetadata('__eventsHandler__', {})
      class Gateway {
        @SubscribeMessage('claims')
        @Decorated()
        claims(): string {
          return 'claims';
        }

        handle(): void {}
      }
      // CQRS looks among providers, Nest's router among controllers.
      @Controller('stream')
      @Decorated()
      @SetMetadata('__eventsHandler__', {})
      class StreamController {
        @Get()
        claims(): string {
          return 'claims';
        }

        handle(): void {}
      }
      @Controller('both')
      @WebSocketGateway()
      class Both {
        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }

        @SubscribeMessage('claims')
        @Decorated()
        message(): string {
          return 'claims';
        }
      }
      expect(
        await start({ controllers: [StreamController, Both], providers: [Gateway, StreamController, Both] }),
      ).toEqual([]);

      @Controller()
      @SetMetadata('__eventsHandler__', {})
      class EventController {
        @Get()
        @Decorated()
        handle(): void {}
      }
      expectRefused(
        await start({ controllers: [EventController], providers: [EventController] }),
        `${name} on EventController.handle`,
        /an event handler/,
      );
    });

    it('when somebody takes its enhancer from the method', async () => {
      @Controller()
      class ClaimsController {
        @Get()
        @Stripped()
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(
        await start({ controllers: [ClaimsController] }),
        `${name} on ClaimsController.claims`,
        /has been taken/,
      );
    });

    it('on a class without handlers, and on one that lost it', async () => {
      @Injectable()
      @Decorated()
      class ClaimsService {
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(await start({ providers: [ClaimsService] }), `${name} on ClaimsService`, /no method of this class/);

      @Decorated()
      class Base {
        @Get()
        claims(): string {
          return 'claims';
        }
      }
      // Classes of before ES2015, whose metadata is found all the same.
      @Controller()
      class Old {}
      Object.setPrototypeOf(Old.prototype, Base.prototype);
      expect(await start({ controllers: [Old] })).toEqual([]);

      // A mixin, or a class decorator that builds another class.
      @Controller()
      class Copied {}
      Object.defineProperty(Copied.prototype, 'claims', { value: Reflect.get(Base.prototype, 'claims') });
      expectRefused(await start({ controllers: [Copied] }), `${name} on Copied.claims`, /comes from a class with/);

      // A base class of which the metadata is hidden.
      @Controller()
      class Hidden extends Base {}
      Reflect.defineMetadata(metadataKey, undefined, Hidden);
      expectRefused(await start({ controllers: [Hidden] }), `${name} on Hidden`, /lost it/);
    });

    it('on a class that Nest does not read, because a mixin or a proxy stands in for it', async () => {
      @Decorated()
      class Base {
        @Get()
        claims(): string {
          return 'claims';
        }
      }
      // The mixin of TypeScript's handbook copies `constructor` too.
      @Controller()
      class Mixed {}
      Object.defineProperties(Mixed.prototype, Object.getOwnPropertyDescriptors(Base.prototype));
      expectRefused(await start({ controllers: [Mixed] }), `${name} on Mixed`, /names another class.*each handler/);

      @Controller()
      @Proxied
      @Decorated()
      class Hidden {
        @Get()
        claims(): string {
          return 'claims';
        }
      }
      expectRefused(await start({ controllers: [Hidden] }), `${name} on Hidden`, /names another class.*each handler/);

      @Controller()
      @Proxied
      class OnHandlers {
        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      expect(await start({ controllers: [OnHandlers] })).toEqual([]);
    });

    it('on providers of every form', async () => {
      class ClaimsService {
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      const forms: NonNullable<ModuleMetadata['providers']>[] = [
        [{ provide: 'claims', useClass: ClaimsService }],
        [{ provide: 'claims', useValue: new ClaimsService() }],
        [{ provide: 'claims', useFactory: () => new ClaimsService() }],
        [{ provide: 'claims', useFactory: async () => Promise.resolve(new ClaimsService()) }],
        [{ provide: ClaimsService, useClass: ClaimsService, scope: Scope.REQUEST }],
        [{ provide: ClaimsService, useClass: ClaimsService, scope: Scope.TRANSIENT }],
      ];
      for (const providers of forms) {
        expectRefused(await start({ providers }), `${name} on ClaimsService.claims`, remedy);
      }
    });

    it('in a dynamic module, a global one, and below a mixin', async () => {
      // eslint-disable-next-line unicorn/consistent-function-scoping -- the decorator is the one that is tested
      const mixin = () => {
        class Mixed {
          @Decorated()
          claims(): string {
            return 'claims';
          }
        }
        return Mixed;
      };
      class WithClaims extends mixin() {}
      @Module({})
      class Feature {}
      const imports = [{ module: Feature, global: true, providers: [WithClaims] }];
      expectRefused(await start({ imports }), `${name} on WithClaims.claims`, remedy);
    });

    it('on a field resolver, unless GraphQL runs enhancers around it', async () => {
      @Injectable()
      class ClaimsResolver {
        @ResolvedField
        @Decorated()
        secret(): string {
          return 'secret';
        }
      }
      const providers = [ClaimsResolver];
      const kind = name === '@Scopes' ? 'interceptors' : 'guards';
      for (const enhancers of [undefined, [], ['filters']]) {
        expectRefused(
          await start({ providers, imports: [graphql(enhancers)] }),
          `${name} on ClaimsResolver.secret`,
          /GraphQL runs no \w+ around field resolvers/,
        );
      }
      expect(await start({ providers, imports: [graphql([kind])] })).toEqual([]);
      // A second schema may serve the same resolver.
      expect(await start({ providers, imports: [graphql([kind]), graphql([])] })).toHaveLength(1);
    });

    it('on a class whose field resolvers it does not cover', async () => {
      @Injectable()
      @Decorated()
      class ClaimsResolver {
        @SetMetadata('graphql:resolver_type', 'Query')
        claims(): string {
          return 'claims';
        }

        @ResolvedField
        secret(): string {
          return 'secret';
        }

        @ResolvedField
        @Unguarded('the name of the office is public')
        office(): string {
          return 'office';
        }
      }
      expectRefused(
        await start({ providers: [ClaimsResolver], imports: [graphql([])] }),
        `${name} on ClaimsResolver.secret`,
        /field resolvers.*@Unguarded/,
      );
    });

    it('leaves honest applications alone', async () => {
      @Controller('claims')
      @Decorated()
      class ClaimsController {
        get broken(): string {
          throw new Error('an accessor was called');
        }

        @Get()
        claims(): string {
          return this.helper();
        }

        @Post()
        @Decorated()
        write(): string {
          return this.helper();
        }

        helper(): string {
          return 'claims';
        }

        onModuleInit(): void {
          this.helper();
        }
      }
      class Inheriting extends ClaimsController {
        override helper(): string {
          return 'other';
        }
      }
      Reflect.defineMetadata('path', 'inheriting', Inheriting);
      @Controller({ scope: Scope.REQUEST, path: 'scoped' })
      class ScopedController {
        @Get()
        @Decorated()
        claims(): string {
          return 'claims';
        }

        @MessagePattern('x')
        @Decorated()
        message(): string {
          return 'claims';
        }

        @EventPattern('y')
        @Decorated()
        event(data: string): string {
          return data;
        }
      }
      @WebSocketGateway()
      class Gateway {
        @SubscribeMessage('claims')
        @Decorated()
        claims(): string {
          return 'claims';
        }

        handleConnection(): void {}
      }
      @Injectable()
      class Consumer {
        @SetMetadata(DECLARED_TRANSPORT, true)
        @Decorated()
        consume(): string {
          return 'claims';
        }
      }
      @SetMetadata('graphql:resolver_type', 'Query')
      class SchemaFirstResolver {
        @ResolvedField
        @Decorated()
        claims(): string {
          return 'claims';
        }
      }
      @Module({})
      class Feature {}
      const hostile = new Proxy({}, { ownKeys: refuse, getOwnPropertyDescriptor: refuse });
      const hostileMethod = new Proxy(refuse, { get: refuse, getPrototypeOf: refuse });
      expect(
        await start({
          imports: [{ module: Feature, controllers: [ClaimsController] }],
          controllers: [Inheriting, ScopedController],
          providers: [
            Gateway,
            Consumer,
            SchemaFirstResolver,
            { provide: 'hostile', useValue: hostile },
            { provide: 'below a hostile one', useValue: Object.create(hostile) as object },
            {
              provide: 'with a hostile method',
              useValue: Object.create({ constructor: Object, claims: hostileMethod }),
            },
            { provide: 'nothing', useValue: Object.create(null) },
            { provide: 'text', useValue: 'text' },
            { provide: 'alias', useExisting: Consumer },
          ],
        }),
      ).toEqual([]);
    });
  });

  it('names every place at once', async () => {
    @Injectable()
    class ClaimsService {
      @Required()
      first(): void {}

      @Required()
      second(): void {}
    }
    expect((await start({ providers: [ClaimsService] })).map(({ field }) => field)).toEqual([
      '@RequireSystemUser on ClaimsService.first',
      '@RequireSystemUser on ClaimsService.second',
    ]);
  });

  it('a weaker requirement of the class does not make up for the lost one of a method', async () => {
    @Controller(':orgno')
    @Required()
    class ClaimsController {
      @Post()
      @Wrapped
      @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, action: 'write' })
      write(): string {
        return 'written';
      }
    }
    expectRefused(
      await start({ controllers: [ClaimsController] }),
      '@RequireSystemUser on ClaimsController.write',
      /lost @RequireSystemUser/,
    );
  });

  it('works in an application without a server', async () => {
    @Injectable()
    class ClaimsService {
      @Required()
      claims(): void {}
    }
    @Module({
      imports: [MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn)))],
      providers: [ClaimsService, { provide: CallerPolicy, useValue: new TestPolicy() }],
    })
    class JobModule {}
    await expect(
      NestFactory.createApplicationContext(JobModule, { logger: false, abortOnError: false }),
    ).rejects.toMatchObject({ code: 'MP_CONFIG', failures: [{ field: '@RequireSystemUser on ClaimsService.claims' }] });
  });

  it('works for middleware, before anybody listens', async () => {
    @Injectable()
    class Audited implements NestMiddleware {
      @Required()
      use(_request: unknown, _response: unknown, next: () => void): void {
        next();
      }
    }
    @Module({})
    class WithMiddleware implements NestModule {
      configure(consumer: MiddlewareConsumer): void {
        consumer.apply(Audited).forRoutes('claims');
      }
    }
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn))), WithMiddleware],
      providers: [{ provide: CallerPolicy, useValue: new TestPolicy() }],
    }).compile();
    const app = module.createNestApplication();
    await expect(app.init()).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: '@RequireSystemUser on Audited.use' }],
    });
    await app.close();
  });

  it('works in a microservice, before it listens', async () => {
    @Controller()
    class ClaimsController {
      @MessagePattern('claims')
      @Wrapped
      @Required()
      claims(): void {}
    }
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn)))],
      controllers: [ClaimsController],
      providers: [{ provide: CallerPolicy, useValue: new TestPolicy() }],
    }).compile();
    const app = module.createNestMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
    await expect(app.listen()).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: '@RequireSystemUser on ClaimsController.claims' }],
    });
  });

  it('without the module, a decorated class of any kind is a refused start as before', async () => {
    await expect(Test.createTestingModule({ controllers: [BaseController] }).compile()).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'MaskinportenModule' }],
    });
    @Injectable()
    class ClaimsService {
      @Required()
      claims(): void {}
    }
    await expect(Test.createTestingModule({ providers: [ClaimsService] }).compile()).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'MaskinportenModule' }],
    });
  });

  it('a replaced guard does not hide a use without effect', async () => {
    @Injectable()
    class ClaimsService {
      @Required()
      claims(): void {}
    }
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(optionsFor(standIn))],
      controllers: [BaseController],
      providers: [ClaimsService],
    })
      .overrideGuard(SystemUserGuard)
      .useValue({ canActivate: () => true })
      .compile();
    await expect(module.init()).rejects.toMatchObject({
      failures: [{ field: '@RequireSystemUser on ClaimsService.claims' }],
    });
  });

  it('a guard of the application beside ours is no fault', async () => {
    @Injectable()
    class Other {
      canActivate(): boolean {
        return true;
      }
    }
    @Controller()
    class ClaimsController {
      @Get()
      @UseGuards(Other)
      @Required()
      @UseGuards(Other)
      claims(): void {}
    }
    expect(await start({ controllers: [ClaimsController] })).toEqual([]);
  });

  it.each([[''], ['  '], [undefined], [5]])('@Unguarded needs a reason (%p)', (why) => {
    expect(() => Unguarded(why as never)).toThrow(/@Unguarded: needs a reason/);
  });

  it('@Unguarded belongs on a method', () => {
    expect(() => Unguarded('why')(BaseController, undefined as never, undefined as never)).toThrow(/not on a class/);
  });

  it.each([[''], [undefined], [{}]])('guardedBy needs a key (%p)', (key) => {
    expect(() => guardedBy(key as never)).toThrow(/guardedBy: needs the metadata key/);
  });
});
