import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type CanActivate,
  Controller,
  Get,
  Injectable,
  Logger,
  Param,
  Sse,
  UseGuards,
  type INestApplication,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { concatMap, defer, from, interval, map, take, type Observable } from 'rxjs';
import { sized } from '../../../../test/support/size.js';
import {
  MaskinportenContext,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  MaskinportenScopes,
  Scopes,
} from '../index.js';
import { rejection, startWorld, type World } from './outbound.fixtures.js';

Logger.overrideLogger(false);

interface WhoAmI {
  readonly scope: string;
}

/** Asks the API which scopes the token has that it was called with. */
@Injectable()
class Api {
  constructor(private readonly http: MaskinportenHttpService) {}

  async scope(): Promise<string> {
    return (await this.http.axiosRef.get<WhoAmI>('/whoami')).data.scope;
  }

  cold(): Observable<string> {
    return this.http.get<WhoAmI>('/whoami').pipe(map(({ data }) => data.scope));
  }
}

/** Guards run before interceptors, so there is no context yet: its call is refused rather than sent without a token. */
@Injectable()
class CallingGuard implements CanActivate {
  static outcome: unknown;
  constructor(private readonly api: Api) {}

  async canActivate(): Promise<boolean> {
    CallingGuard.outcome = await rejection(this.api.scope());
    return true;
  }
}

@Controller('class')
@Scopes('acme:read')
class DecoratedController {
  constructor(private readonly api: Api) {}

  @Get('inherits')
  inherits(): Promise<string> {
    return this.api.scope();
  }

  @Get('replaces')
  @Scopes(['acme:write'])
  replaces(): Promise<string> {
    return this.api.scope();
  }

  @Get('whole')
  @MaskinportenScopes({ scopes: ['acme:b', 'acme:a'], resource: 'https://api.example.no' })
  whole(): unknown {
    return MaskinportenContext.current?.request;
  }

  @Get('one-text')
  @Scopes('acme:c acme:a')
  oneText(): Promise<string> {
    return this.api.scope();
  }

  @Get('several')
  @Scopes('acme:a', 'acme:c')
  several(): Promise<string> {
    return this.api.scope();
  }
}

@Controller('shapes')
class ShapesController {
  constructor(private readonly api: Api) {}

  @Get('value') @Scopes('acme:a') value(): unknown {
    return MaskinportenContext.current?.request.scope;
  }
  @Get('promise') @Scopes('acme:a') async promise(): Promise<string> {
    return this.api.scope();
  }
  @Get('cold') @Scopes('acme:a') cold(): Observable<string> {
    return this.api.cold();
  }
  @Get('deferred') @Scopes('acme:a') deferred(): Observable<string> {
    return defer(async () => this.api.scope());
  }
  @Get('promised-cold') @Scopes('acme:a') async promisedCold(): Promise<Observable<string>> {
    await pause(1);
    return this.api.cold();
  }
  @Get('several-values') @Scopes('acme:a') severalValues(): Observable<string> {
    return from([1, 2]).pipe(
      concatMap(async () => {
        await pause(1);
        return this.api.scope();
      }),
    );
  }
  @Get('undecorated') undecorated(): unknown {
    return MaskinportenContext.current?.request.scope ?? 'none';
  }
  @Get('undecorated-call') async undecoratedCall(): Promise<unknown> {
    return ((await rejection(this.api.scope())) as { code?: string }).code;
  }
  @Get('guarded') @Scopes('acme:a') @UseGuards(CallingGuard) guarded(): Promise<string> {
    return this.api.scope();
  }
  @Get('throws') @Scopes('acme:a') throws(): never {
    throw new Error('the handler failed');
  }
  @Sse('events') @Scopes('acme:c') events(): Observable<{ data: string }> {
    return interval(1).pipe(
      take(3),
      concatMap(async () => ({ data: await this.api.scope() })),
    );
  }
}

@Controller('a')
@Scopes('acme:a')
class AController {
  constructor(private readonly api: Api) {}
  @Get(':n') async get(@Param('n') n: string): Promise<string> {
    if (Number(n) % 3 === 0) await pause(Number(n) % 7);
    return this.api.scope();
  }
}

@Controller('b')
@Scopes('acme:b')
class BController {
  constructor(private readonly api: Api) {}
  @Get(':n') get(): Observable<string> {
    return this.api.cold();
  }
}

describe.each(['express', 'fastify'] as const)('@Scopes on %s', (platform) => {
  let world: World;
  let app: INestApplication;
  let origin: string;
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const client = axios.create({ httpAgent: agent, responseType: 'text', validateStatus: () => true });

  beforeAll(async () => {
    world = await startWorld();
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(world.options),
        MaskinportenHttpModule.register({ baseURL: world.simulator.apiUrl }),
      ],
      controllers: [DecoratedController, ShapesController, AController, BController],
      providers: [Api, CallingGuard],
    }).compile();
    app = platform === 'fastify' ? module.createNestApplication(new FastifyAdapter()) : module.createNestApplication();
    app.useLogger(false);
    await app.listen(0, '127.0.0.1');
    origin = await app.getUrl();
  });
  afterAll(async () => {
    agent.destroy();
    await app?.close();
    await world?.close();
  });
  beforeEach(() => world.simulator.operator.clearLog());

  const get = async (path: string): Promise<string> => (await client.get<string>(`${origin}${path}`)).data;

  it.each([
    ['inherits', 'acme:read'],
    ['replaces', 'acme:write'],
    ['several', 'acme:a acme:c'],
    ['one-text', 'acme:a acme:c'],
  ])('T-56: class and method: %s', async (path, scope) => {
    expect(await get(`/class/${path}`)).toBe(scope);
  });

  it('takes a whole token request, normalised', async () => {
    expect(JSON.parse(await get('/class/whole'))).toMatchObject({
      scopes: ['acme:a', 'acme:b'],
      resource: ['https://api.example.no'],
    });
  });

  it.each(['value', 'promise', 'cold', 'deferred', 'promised-cold', 'several-values'])(
    'T-41: a handler that returns %s has its scopes',
    async (path) => {
      expect(await get(`/shapes/${path}`)).toBe('acme:a');
    },
  );

  it('T-41: server-sent events have them for as long as they run', async () => {
    const text = await get('/shapes/events');
    expect(text.match(/data: acme:c/g)).toHaveLength(3);
  });

  it('T-40: an undecorated route after a decorated one on the same socket has no context', async () => {
    const single = new Agent({ keepAlive: true, maxSockets: 1 });
    const paths = [
      'promise',
      'undecorated',
      'undecorated-call',
      'cold',
      'undecorated',
      'throws',
      'undecorated',
      'events',
      'undecorated',
    ];
    const seen: string[] = [];
    for (const path of paths) {
      const { data } = await axios.get<string>(`${origin}/shapes/${path}`, {
        httpAgent: single,
        responseType: 'text',
        validateStatus: () => true,
      });
      if (path.startsWith('undecorated')) seen.push(data);
    }
    single.destroy();
    expect(seen).toEqual(['none', 'MP_NO_CONTEXT', 'none', 'none', 'none']);
  });

  it('T-48: a guard has no context yet, so its call is refused; the handler has its own', async () => {
    expect(await get('/shapes/guarded')).toBe('acme:a');
    expect(CallingGuard.outcome).toMatchObject({ code: 'MP_NO_CONTEXT' });
  });

  it('T-54: two controllers with different scopes never swap tokens under many concurrent requests', async () => {
    const answers = await Promise.all(
      Array.from({ length: sized({ test: 120, soak: 500 }) }, async (_, n) => {
        const which = n % 2 === 0 ? 'a' : 'b';
        return [which, await get(`/${which}/${n}`)] as const;
      }),
    );
    expect(answers.filter(([which, scope]) => scope !== `acme:${which}`)).toEqual([]);
    expect(world.grants().toSorted()).toEqual([...new Set(world.grants())].toSorted());
  });
});

describe('@Scopes', () => {
  it('T-55: refuses a malformed request when the class is loaded', () => {
    expect(() => Scopes('a"b')).toThrow(expect.objectContaining({ code: 'MP_REQUEST' }));
    expect(() => Scopes([])).toThrow(/scopes/);
    expect(() => Scopes({ scopes: 'a:b', consumerOrg: '123' })).toThrow(/consumerOrg/);
    expect(() => Scopes({ scopes: 'a:b', recource: 'x' } as never)).toThrow(/recource/);
  });

  it('T-56: a method’s request replaces its class’s: resource, client and organisation are not inherited', async () => {
    const { Reflector } = await import('@nestjs/core');
    const { ScopesMetadata } = await import('./scopes.metadata.js');
    @Scopes({ scopes: 'a:b', resource: 'https://x.example', client: 'payroll' })
    class Both {
      @Scopes('c:d') method(): void {}
    }
    const scope = new Reflector().getAllAndOverride(ScopesMetadata, [Reflect.get(Both.prototype, 'method'), Both]);
    expect(scope).toMatchObject({ client: undefined, request: { scope: 'c:d' } });
    expect(scope).toMatchObject({ request: { resource: undefined } });
  });
});
