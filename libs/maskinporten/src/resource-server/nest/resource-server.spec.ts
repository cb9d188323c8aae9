import { readFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Logger,
  Module,
  Param,
  Post,
  Req,
  Scope,
  SetMetadata,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Payload, Transport, type ClientProxy } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { firstValueFrom, of, type Observable } from 'rxjs';
import { WebSocket } from 'ws';
import { rsaKeyPair } from '../../../../../test/support/pool.js';
import { MaskinportenAuditModule } from '../../audit/index.js';
import { MemoryAuditStore } from '../../audit/memory-audit-store.fixtures.js';
import { InboundCalls, type InboundCall } from '../../signals/index.js';
import { MaskinportenTelemetryModule, type TelemetrySink } from '../../telemetry/index.js';
import {
  ConsumerPolicy,
  CurrentConsumer,
  INBOUND_CODES,
  InboundCallError,
  MaskinportenResourceServerModule,
  RequireAnyScope,
  RequireConsent,
  RequirePid,
  RequireScope,
  ResourceServer,
  ResourceServerGuard,
  consumerTracker,
  fromParam,
  isInboundCallError,
  type Consumer,
  type ResourceServerOptions,
} from '../index.js';
import { TestIssuer, claimsOf, organisation, published, signed } from '../verification/tokens.fixtures.js';
import { bearerToken } from './bearer-token.js';

const KEY = rsaKeyPair().privateKey;
const FOREIGN = rsaKeyPair().privateKey;
const READ = 'acme:things.read';
const WRITE = 'acme:things.write';
const PERSON = '01819000391';
const CONSENT_ID = 'a2ed712d-4144-4471-839f-80ae4a68146b';

const issuer = new TestIssuer();
const plainJwks = issuer.jwks;
const token = (changes: Readonly<Record<string, unknown>> = {}, key = KEY, kid = 'key-1'): string =>
  signed({ alg: 'RS256', kid }, claimsOf(issuer.issuer, Date.now(), changes), key);
const bearer = (changes?: Readonly<Record<string, unknown>>): string => `Bearer ${token(changes)}`;
const consent = (changes: object = {}, right: object = {}): Readonly<Record<string, unknown>> => ({
  authorization_details: [
    {
      type: 'urn:altinn:consent',
      id: CONSENT_ID,
      from: `urn:altinn:person:identifier-no:${PERSON}`,
      to: organisation('310000019'),
      validTo: new Date(Date.now() + 60_000).toISOString(),
      consentRights: [
        { action: ['read'], resource: [{ type: 'urn:altinn:resource', value: 'other' }], metadata: {} },
        {
          action: ['consent', 'use'],
          resource: [{ type: 'urn:altinn:resource', value: 'income' }],
          metadata: { year: '2026' },
          ...right,
        },
      ],
      ...changes,
    },
  ],
});

/** What every handler of these tests answers with. */
const told = ({ organisation: orgno, jti }: Consumer): object => ({ orgno, jti });

@Injectable()
class Counting implements CanActivate {
  static readonly seen: (string | undefined)[] = [];

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Record<string, unknown>>();
    Counting.seen.push(consumerTracker(request, context));
    return true;
  }
}

@Controller('things')
@RequireScope(READ)
class ThingsController {
  @Get()
  list(@CurrentConsumer() consumer: Consumer): object {
    return told(consumer);
  }

  @Get('whole')
  whole(@CurrentConsumer() consumer: Consumer): Consumer {
    return consumer;
  }

  @Get('cold')
  cold(@CurrentConsumer() consumer: Consumer): Observable<object> {
    return of(told(consumer));
  }

  @Post()
  @RequireScope(WRITE)
  write(@CurrentConsumer() consumer: Consumer): object {
    return told(consumer);
  }

  @Get('both')
  @RequireScope(READ, WRITE)
  both(): string {
    return 'both';
  }

  @Get('any')
  @RequireAnyScope('acme:admin', WRITE)
  any(): string {
    return 'any';
  }

  @Get('all-and-any')
  @RequireScope(READ)
  @RequireAnyScope('acme:admin', WRITE)
  allAndAny(): string {
    return 'all and any';
  }

  @Get('counted/:id')
  @UseGuards(Counting)
  @RequireScope(WRITE)
  counted(@Param('id') id: string): string {
    return id;
  }

  @Get('persons/:pid')
  @RequirePid(fromParam('pid'))
  person(): string {
    return 'person';
  }

  @Get('income/:pid/:year')
  @RequireConsent({
    resource: 'income',
    action: 'use',
    metadata: { year: fromParam('year') },
    from: fromParam('pid'),
  })
  income(): string {
    return 'income';
  }

  @Get('consented/:giver')
  @RequireConsent({ resource: 'income', metadata: { year: '2026' }, from: fromParam('giver') })
  consented(): string {
    return 'consented';
  }

  @Get('consented-to-anything/:giver')
  @RequireConsent({ resource: 'income', from: fromParam('giver') })
  consentedToAnything(): string {
    return 'consented';
  }
}

@Controller('open')
class OpenController {
  @Get()
  open(): string {
    return 'open';
  }

  @Get('consumer')
  consumer(@CurrentConsumer() consumer: Consumer): object {
    return told(consumer);
  }

  @Get('forgotten')
  @UseGuards(ResourceServerGuard)
  forgotten(): string {
    return 'open';
  }
}

@Controller()
class MessagesController {
  @MessagePattern('list')
  @RequireScope(READ)
  list(@CurrentConsumer() consumer: Consumer, @Payload() { id }: { id: number }): object {
    return { ...told(consumer), id };
  }

  @MessagePattern('cold')
  @RequireScope(READ)
  cold(@CurrentConsumer() consumer: Consumer): Observable<object> {
    return of(told(consumer));
  }
}

@WebSocketGateway()
class ThingsGateway {
  @SubscribeMessage('list')
  @RequireScope(READ)
  list(@CurrentConsumer() consumer: Consumer, @MessageBody() { id }: { id: number }): object {
    return { event: 'list', data: { ...told(consumer), id } };
  }
}

/** As the GraphQL module finds and calls them: through Nest's external context, with (root, args, context, info). */
@Injectable()
class ThingsResolver {
  // What `@Query()` leaves on a method, without loading the package.
  @SetMetadata('graphql:resolver_type', 'Query')
  @RequireScope(READ)
  list(): string {
    return 'listed';
  }
}

const policy: { answer: (consumer: Consumer) => unknown } = { answer: () => true };

@Injectable()
class TestPolicy extends ConsumerPolicy {
  override mayCall(consumer: Consumer): boolean {
    return policy.answer(consumer) as boolean;
  }
}

let calls: InboundCall[] = [];

async function start(
  metadata: ModuleMetadata,
  adapter?: FastifyAdapter,
  options: ResourceServerOptions = { issuer: issuer.issuer, scopePrefixes: ['acme'] },
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    ...metadata,
    imports: [MaskinportenResourceServerModule.forRoot(options), ...(metadata.imports ?? [])],
  }).compile();
  const app =
    adapter === undefined
      ? module.createNestApplication({ logger: false })
      : module.createNestApplication(adapter, { logger: false });
  app.get(InboundCalls).onCall((heard) => calls.push(heard));
  return app;
}

interface Got {
  readonly status: number;
  readonly type: string | null;
  readonly challenge: string | null;
  readonly body: unknown;
}

async function call(app: INestApplication, path: string, authorization?: string, method = 'GET'): Promise<Got> {
  const headers = authorization === undefined ? {} : { authorization };
  const response = await fetch(`${await app.getUrl()}${path}`, { method, headers });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    challenge: response.headers.get('www-authenticate'),
    body: /^[{[]/.test(text) ? (JSON.parse(text) as unknown) : text,
  };
}

const problem = (code: keyof typeof INBOUND_CODES, detail: unknown, more: object = {}): object => {
  const { httpStatus: status, title, actBy, hint } = INBOUND_CODES[code];
  return { type: 'about:blank', title, status, detail, code, actBy, hint, ...more };
};

let express: INestApplication;
let fastify: INestApplication;
let client: ClientProxy;

beforeAll(async () => {
  Logger.overrideLogger(false);
  await issuer.start();
  issuer.keys = [published(KEY, 'key-1')];
  express = await start({
    controllers: [ThingsController, OpenController, MessagesController],
    providers: [ThingsGateway, ThingsResolver, { provide: ConsumerPolicy, useClass: TestPolicy }],
  });
  express.useWebSocketAdapter(new WsAdapter(express));
  const rpc = express.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
  await express.startAllMicroservices();
  await express.listen(0, '127.0.0.1');
  const { port } = rpc.unwrap<Server>().address() as AddressInfo;
  client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
  fastify = await start({ controllers: [ThingsController, OpenController] }, new FastifyAdapter());
  await fastify.listen(0, '127.0.0.1');
});
afterAll(async () => {
  await client?.close();
  await express?.close();
  await fastify?.close();
  await issuer.stop();
});
afterEach(() => {
  calls = [];
  policy.answer = () => true;
  issuer.jwks = plainJwks;
});

const scopeAnswer = (required: string): string =>
  `Bearer error="insufficient_scope", error_description="The token lacks a scope", scope="${required}"`;

const send = async (pattern: string, data: object): Promise<unknown> => {
  try {
    return await firstValueFrom(client.send<unknown>(pattern, data));
  } catch (error) {
    return { refused: error };
  }
};

const get = (value: unknown) => ({ get: (name: string) => (name === 'authorization' ? value : undefined) });

const contextOf = (type: string, parts: { data?: unknown; client?: unknown; context?: unknown }): ExecutionContext =>
  ({
    getType: () => type,
    getArgByIndex: (index: number) => (index === 2 ? parts.context : undefined),
    switchToHttp: () => ({ getRequest: () => parts.context }),
    switchToRpc: () => ({ getContext: () => parts.context, getData: () => parts.data }),
    switchToWs: () => ({ getClient: () => parts.client, getData: () => parts.data }),
  }) as never;

const reasons = async (
  metadata: ModuleMetadata,
  options: object = { issuer: issuer.issuer, scopePrefixes: ['acme'] },
): Promise<Record<string, string>> => {
  try {
    const app = await start(metadata, undefined, options);
    await app.init();
    await app.close();
    return {};
  } catch (error) {
    const { failures } = error as { failures: { field: string; reason: string }[] };
    return Object.fromEntries(failures.map(({ field, reason }) => [field, reason]));
  }
};

const controller = (...decorators: MethodDecorator[]): Type => {
  @Controller()
  class Some {
    @Get('some')
    some(): string {
      return 'some';
    }
  }
  for (const decorate of decorators) {
    decorate(Some.prototype, 'some', Object.getOwnPropertyDescriptor(Some.prototype, 'some') as never);
  }
  return Some;
};

const said = (make: () => unknown): string => {
  try {
    make();
    return 'accepted';
  } catch (error) {
    return (error as { failures: { reason: string }[] }).failures.map(({ reason }) => reason).join();
  }
};

const providers = (value: object) => ({ providers: [{ provide: ConsumerPolicy, ...value } as never] });

const found = (type: string, parts: object): string => {
  try {
    return bearerToken(contextOf(type, parts));
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const startWith = async (...decorators: MethodDecorator[]): Promise<Record<string, string>> =>
  reasons({ controllers: [controller(...decorators)] });

describe.each([
  ['Express', () => express],
  ['Fastify', () => fastify],
])('HTTP on %s', (_, app) => {
  const list = async (authorization?: string): Promise<Got> => call(app(), '/things', authorization);

  it('lets a valid token in, and tells the handler who calls', async () => {
    expect(await list(bearer())).toMatchObject({ status: 200, body: { orgno: '310000019' } });
    expect(await call(app(), '/things/cold', bearer())).toMatchObject({ status: 200, body: { orgno: '310000019' } });
    expect((await call(app(), '/things/whole', bearer())).body).toMatchObject({
      organisation: '310000019',
      scopes: [READ, WRITE],
      expiresAt: expect.stringMatching(/Z$/),
    });
    expect(calls[0]).toEqual({
      outcome: 'accepted',
      requiredScopes: [READ],
      requestId: undefined,
      method: 'GET',
      route: '/things',
      consumer: '310000019',
      supplier: undefined,
      customer: undefined,
      scopes: [READ, WRITE],
      jti: expect.any(String),
    });
  });

  it('leaves undecorated routes alone', async () => {
    expect(await call(app(), '/open')).toMatchObject({ status: 200, body: 'open' });
    expect(await call(app(), '/open/consumer', bearer())).toMatchObject({ status: 500 });
    expect(calls).toEqual([]);
  });

  it('the guard where nothing is required lets nobody in', async () => {
    for (const authorization of [undefined, bearer()]) {
      expect((await call(app(), '/open/forgotten', authorization)).status).toBe(500);
    }
  });

  it('asks a caller without a token for one', async () => {
    const { status, type, challenge, body } = await list();
    expect([status, type, challenge]).toEqual([
      401,
      expect.stringMatching(/^application\/problem\+json/),
      `Bearer scope="${READ}"`,
    ]);
    expect(body).toEqual(problem('token_missing', 'The call has no Bearer token.'));
    expect(calls).toEqual([
      { outcome: 'token_missing', requiredScopes: [READ], requestId: undefined, method: 'GET', route: '/things' },
    ]);
  });

  const OTHER_SCHEME = 'The call is authenticated with something else than a Bearer token.';
  const NOT_ONE = 'What follows Bearer is not one token.';
  it.each([
    ['Basic eDp5', 'token_missing', OTHER_SCHEME],
    ['DPoP x.y.z', 'token_missing', OTHER_SCHEME],
    ['Bearers x', 'token_missing', OTHER_SCHEME],
    ['x Bearer y', 'token_missing', OTHER_SCHEME],
    ['Bearer', 'token_malformed', NOT_ONE],
    ['Bearer a b', 'token_malformed', NOT_ONE],
    ['Bearer a, Bearer b', 'token_malformed', NOT_ONE],
    ['Bearer "a"', 'token_malformed', NOT_ONE],
    ['Bearer a=b', 'token_malformed', NOT_ONE],
    ['Bearer a.b.c', 'token_malformed', 'Its header is not a JSON object.'],
    ['Bearer a/+~=', 'token_malformed', 'It is not a signed JWT in compact form.'],
  ])('Authorization: %s is %s', async (authorization, code, detail) => {
    const { status, body, challenge } = await list(authorization);
    expect([status, body]).toEqual([401, problem(code as 'token_missing', detail)]);
    expect(challenge).toBe(
      code === 'token_missing'
        ? `Bearer scope="${READ}"`
        : `Bearer error="invalid_token", error_description="${INBOUND_CODES.token_malformed.title}"`,
    );
  });

  it('takes the scheme in any case', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer  ']) {
      expect(await list(`${scheme} ${token()}`)).toMatchObject({ status: 200 });
    }
  });

  it('refuses two Authorization headers, whichever is valid', async () => {
    for (const values of [
      [bearer(), 'Bearer x'],
      ['Bearer x', bearer()],
      [bearer(), bearer()],
    ]) {
      const response = await twoHeaders(`${await app().getUrl()}/things`, values);
      expect(response).toMatch(/^HTTP\/1\.1 401 /);
      expect(response).toContain('There is more than one Authorization header.');
    }
  });

  it.each<[string, () => string, string]>([
    ['expired', () => token({ iat: 1, exp: 60 }), 'token_expired'],
    ['of the future', () => token({ iat: Date.now() / 1000 + 60 }), 'token_not_yet_valid'],
    ['of another issuer', () => token({ iss: 'https://maskinporten.no/' }), 'token_issuer'],
    ['of another key', () => token({}, FOREIGN), 'token_signature'],
    ['of another audience', () => token({ aud: 'https://other.example' }), 'token_audience'],
    ['that is bound', () => token({ cnf: { jkt: 'x' } }), 'token_bound'],
    ['without jti', () => token({ jti: undefined }), 'token_malformed'],
  ])('a token %s is 401', async (_what, make, code) => {
    const { status, challenge, body } = await list(`Bearer ${make()}`);
    const { title } = INBOUND_CODES[code as 'token_expired'];
    expect([status, challenge]).toEqual([401, `Bearer error="invalid_token", error_description="${title}"`]);
    expect(body).toEqual(problem(code as 'token_expired', expect.any(String)));
    expect(calls).toMatchObject([{ outcome: code, consumer: undefined }]);
  });

  it('a consumer of a foreign register is 403', async () => {
    const { status, challenge, body } = await list(bearer({ consumer: { authority: 'etsi-en-319-412', ID: 'x' } }));
    expect([status, challenge]).toEqual([
      403,
      `Bearer error="insufficient_scope", error_description="${INBOUND_CODES.consumer_not_allowed.title}"`,
    ]);
    expect(body).toMatchObject({ code: 'consumer_not_allowed' });
  });

  it('T-86: scopes are compared one by one, whole and with case', async () => {
    for (const scope of [READ, `${READ} ${WRITE}`, `${WRITE} ${READ}`, `a ${READ} b`]) {
      expect([scope, (await list(bearer({ scope }))).status]).toEqual([scope, 200]);
    }
    for (const scope of [WRITE, 'acme:things.rea', `${READ}er`, READ.toUpperCase(), 'acme:*', `x${READ}`]) {
      const { status, challenge, body } = await list(bearer({ scope }));
      expect([scope, status, challenge]).toEqual([scope, 403, scopeAnswer(READ)]);
      expect(body).toEqual(
        problem('scope_missing', `The token must have the scope ${READ}.`, { requiredScopes: [READ] }),
      );
    }
  });

  it('T-56: what a method says replaces what its class says', async () => {
    expect(await call(app(), '/things', bearer({ scope: WRITE }), 'POST')).toMatchObject({ status: 201 });
    expect(await call(app(), '/things', bearer({ scope: READ }), 'POST')).toMatchObject({ status: 403 });
    expect(await call(app(), '/things/any', bearer({ scope: WRITE }))).toMatchObject({ status: 200 });
    expect(await call(app(), '/things/any', bearer({ scope: 'acme:admin' }))).toMatchObject({ status: 200 });
    const refused = await call(app(), '/things/any', bearer({ scope: READ }));
    expect([refused.status, refused.challenge]).toEqual([403, scopeAnswer(`acme:admin ${WRITE}`)]);
    expect(refused.body).toEqual(
      problem('scope_missing', `The token must have one of the scopes acme:admin ${WRITE}.`, {
        requiredScopes: ['acme:admin', WRITE],
      }),
    );
  });

  it('several scopes are all needed, and all and any together', async () => {
    for (const path of ['both', 'all-and-any']) {
      expect(await call(app(), `/things/${path}`, bearer())).toMatchObject({ status: 200 });
      for (const scope of [READ, WRITE]) {
        expect(await call(app(), `/things/${path}`, bearer({ scope }))).toMatchObject({ status: 403 });
      }
    }
    expect((await call(app(), '/things/both', bearer({ scope: READ }))).body).toMatchObject({
      detail: `The token must have all of the scopes ${READ} ${WRITE}.`,
    });
  });

  it('the route that is recorded holds names in place of values', async () => {
    await call(app(), '/things/counted/310000027', bearer());
    expect(calls).toMatchObject([{ route: '/things/counted/{id}' }]);
  });

  it('throttlers count by organisation, and by address where nobody was verified', async () => {
    Counting.seen.length = 0;
    await call(app(), '/things/counted/1', bearer());
    await call(app(), '/things/counted/1', bearer({ consumer: organisation('310000027') }));
    await call(app(), '/things/counted/1');
    expect(Counting.seen).toEqual(['organisation:310000019', 'organisation:310000027']);
    const context = { getHandler: () => list, getType: () => 'rpc', getArgs: () => [] } as never;
    expect([consumerTracker({ ip: '::1' }, context), consumerTracker({}, context)]).toEqual([
      'address:::1',
      'address:unknown',
    ]);
  });

  it('T-54: two consumers under 500 concurrent requests are never swapped', async () => {
    const numbers = ['310000019', '310000027'];
    const tokens = numbers.map((orgno) => bearer({ consumer: organisation(orgno), jti: `jti-of-${orgno}` }));
    const answers = await Promise.all(
      Array.from({ length: 500 }, async (_each, index) => (await list(tokens[index % 2])).body),
    );
    const expected = answers.map((_each, index) => {
      const orgno = numbers[index % 2] ?? '';
      return { orgno, jti: `jti-of-${orgno}` };
    });
    expect(answers).toEqual(expected);
  });

  it('whatever Authorization says, the answer is never 200 and never a fault', async () => {
    const header = fc.string({ unit: fc.constantFrom(...Array.from('Bbearer .=\t,"eyJ0-_~+/\\{}:é\u00a0')) });
    await fc.assert(
      fc.asyncProperty(header, async (text) => {
        expect((await list(text)).status).toBe(401);
        expect((await list(`Bearer ${text}`)).status).toBe(401);
      }),
    );
  });
});

/** Written by hand: no client sends a header twice. */
async function twoHeaders(url: string, values: readonly string[]): Promise<string> {
  const { connect } = await import('node:net');
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = values.map((value) => `Authorization: ${value}\r\n`).join('');
  socket.end(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n${lines}\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('keys', () => {
  it('F-74: that cannot be had are 503 with Retry-After, and no challenge', async () => {
    issuer.jwks = (response) => response.writeHead(500).end();
    const app = await start({ controllers: [ThingsController] });
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/things`, { headers: { authorization: bearer() } });
    expect([response.status, response.headers.get('retry-after'), response.headers.get('www-authenticate')]).toEqual([
      503,
      '2',
      null,
    ]);
    expect(await response.json()).toEqual(
      problem('keys_unavailable', 'The keys of the issuer could not be fetched.', { retryAfterMs: 2000 }),
    );
    await app.close();
  });
});

describe('@RequirePid', () => {
  it.each([
    [{ pid: PERSON }, PERSON, undefined],
    [{}, PERSON, 'The token is not about a person.'],
    [{ pid: PERSON }, '01819000392', 'The token is about another person than the call.'],
    [{ pid: PERSON }, `${PERSON}%20`, 'The token is about another person than the call.'],
  ])('a token with %j for %s: %s', async (claims, path, detail) => {
    const { status, body } = await call(express, `/things/persons/${path}`, bearer(claims));
    const refused = [403, detail === undefined ? undefined : problem('pid_mismatch', detail)];
    expect([status, body]).toEqual(detail === undefined ? [200, 'person'] : refused);
  });

  it('needs the scope of the class too', async () => {
    expect(
      (await call(express, `/things/persons/${PERSON}`, bearer({ pid: PERSON, scope: WRITE }))).body,
    ).toMatchObject({
      code: 'scope_missing',
    });
  });
});

describe('@RequireConsent', () => {
  const ended = { validTo: new Date(Date.now() - 1).toISOString() };
  const OTHER_GIVER = 'The consent was given by somebody else than the call is about.';
  const OTHER_METADATA = 'The consent is for other metadata than the call.';
  const ELSE = 'The consent is for something else.';
  const byOrganisation = { from: 'urn:altinn:organization:identifier-no:310000027' };
  const income = `income/${PERSON}/2026`;

  it.each<[string, () => Readonly<Record<string, unknown>>, string, string | undefined]>([
    ['a consent that covers the call', () => consent(), income, undefined],
    ['none', () => ({}), income, 'The token carries no consent that can be read.'],
    ['one that cannot be read', () => consent({ id: 'x' }), income, 'The token carries no consent that can be read.'],
    [
      'one to somebody else',
      () => consent({ to: organisation('310000027') }),
      income,
      'The consent was given to another organisation.',
    ],
    ['one that has ended', () => consent(ended), income, 'The consent has ended.'],
    ['one of another person', () => consent(), 'income/01819000392/2026', OTHER_GIVER],
    ['one of an organisation', () => consent(byOrganisation), income, OTHER_GIVER],
    [
      'another resource',
      () => consent({}, { resource: [{ type: 'urn:altinn:resource', value: 'wealth' }] }),
      income,
      ELSE,
    ],
    ['another type of resource', () => consent({}, { resource: [{ type: 'urn:x', value: 'income' }] }), income, ELSE],
    ['another action', () => consent({}, { action: ['consent'] }), income, ELSE],
    ['other metadata', () => consent(), `income/${PERSON}/2025`, OTHER_METADATA],
    ['no metadata', () => consent({}, { metadata: {} }), income, OTHER_METADATA],
    ['metadata of a prototype', () => consent({}, { metadata: { toString: 'x' } }), income, OTHER_METADATA],
    ['more metadata', () => consent({}, { metadata: { year: '2026', more: 'x' } }), income, undefined],
    ['an organisation by its number', () => consent(byOrganisation), 'consented/310000027', undefined],
    ['an organisation with its prefix', () => consent(byOrganisation), 'consented/0192:310000027', undefined],
    ['another organisation', () => consent(byOrganisation), 'consented/310000019', OTHER_GIVER],
    ['a whole URN', () => consent(), `consented/urn:altinn:person:identifier-no:${PERSON}`, undefined],
    ['any action, when none is required', () => consent({}, { action: ['x'] }), `consented/${PERSON}`, undefined],
    ['fixed metadata', () => consent({}, { metadata: { year: '2025' } }), `consented/${PERSON}`, OTHER_METADATA],
    [
      'any metadata, when none is required',
      () => consent({}, { metadata: {} }),
      `consented-to-anything/${PERSON}`,
      undefined,
    ],
  ])('%s', async (_, claims, path, detail) => {
    const { status, body } = await call(express, `/things/${path}`, bearer(claims()));
    expect([status, detail === undefined ? undefined : body]).toEqual(
      detail === undefined ? [200, undefined] : [403, problem('consent_missing', detail)],
    );
  });

  it('a token of a system user is no fault where no consent is asked for', async () => {
    const details = {
      type: 'urn:altinn:systemuser',
      systemuser_id: [CONSENT_ID],
      systemuser_org: organisation('310000027'),
    };
    expect(await call(express, '/things', bearer({ authorization_details: [details] }))).toMatchObject({ status: 200 });
    expect(calls).toMatchObject([{ consumer: '310000019', customer: '310000027' }]);
  });
});

describe('ConsumerPolicy', () => {
  it('is asked after the scopes, and anything but true refuses', async () => {
    const asked: string[] = [];
    policy.answer = ({ organisation: orgno }) => asked.push(orgno) > 0;
    expect(await call(express, '/things', bearer({ scope: WRITE }))).toMatchObject({ status: 403 });
    expect(asked).toEqual([]);
    expect(await call(express, '/things', bearer())).toMatchObject({ status: 200 });
    expect(asked).toEqual(['310000019']);
    for (const answer of [false, undefined, 'yes', 1, Promise.resolve(false)]) {
      policy.answer = () => answer;
      expect((await call(express, '/things', bearer())).body).toEqual(
        problem('consumer_not_allowed', 'This API does not accept calls of this organisation.'),
      );
    }
    policy.answer = async () => Promise.resolve(true);
    expect(await call(express, '/things', bearer())).toMatchObject({ status: 200 });
  });

  it('that fails is not a yes, and may answer in words of its own', async () => {
    policy.answer = () => {
      throw new Error('canary');
    };
    expect(await call(express, '/things', bearer())).toMatchObject({
      status: 503,
      body: problem('delegation_unknown', 'It could not be found out who may call this.', { retryAfterMs: 5000 }),
    });
    policy.answer = () => {
      throw new ForbiddenException('not on Sundays');
    };
    expect(await call(express, '/things', bearer())).toMatchObject({
      status: 403,
      body: { message: 'not on Sundays' },
    });
    expect(calls.map(({ outcome }) => outcome)).toEqual(['delegation_unknown', 'consumer_not_allowed']);
  });
});

describe('messages and resolvers', () => {
  it('RPC: the token is in the payload, and the handler knows who calls', async () => {
    const numbers = ['310000019', '310000027'];
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, id) =>
        send('list', { id, authorization: bearer({ consumer: organisation(numbers[id % 2] ?? '') }) }),
      ),
    );
    expect(answers).toMatchObject(answers.map((_, id) => ({ id, orgno: numbers[id % 2] })));
    expect(await send('cold', { authorization: bearer() })).toMatchObject({ orgno: '310000019' });
    expect(calls[0]).toMatchObject({ outcome: 'accepted', route: 'MessagesController.list', method: undefined });
  });

  it('RPC: a refusal arrives as the problem document', async () => {
    expect(await send('list', {})).toEqual({ refused: problem('token_missing', 'The call has no Bearer token.') });
    expect(await send('list', { authorization: 1 })).toMatchObject({
      refused: { code: 'token_malformed', detail: 'The authorization of the call is not a text.' },
    });
    expect(await send('list', { authorization: bearer({ scope: WRITE }) })).toEqual({
      refused: problem('scope_missing', `The token must have the scope ${READ}.`, { requiredScopes: [READ] }),
    });
  });

  it('WebSocket: messages of one socket never get each other’s consumer', async () => {
    const socket = new WebSocket(`${(await express.getUrl()).replace('http', 'ws')}/`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const numbers = ['310000019', '310000027'];
    const answers: { event: string; data: { id: number; orgno?: string; code?: string } }[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        answers.push(JSON.parse(data.toString()) as (typeof answers)[number]);
        if (answers.length === 21) resolve();
      });
    });
    for (let id = 0; id < 20; id += 1) {
      const authorization = bearer({ consumer: organisation(numbers[id % 2] ?? '') });
      socket.send(JSON.stringify({ event: 'list', data: { id, authorization } }));
    }
    socket.send(JSON.stringify({ event: 'list', data: { authorization: bearer({ scope: WRITE }) } }));
    await all;
    socket.terminate();
    const refused = answers.filter(({ event }) => event === 'exception');
    expect(refused).toEqual([
      { event: 'exception', data: problem('scope_missing', expect.any(String), { requiredScopes: [READ] }) },
    ]);
    for (const { data } of answers.filter(({ event }) => event === 'list')) {
      expect(data.orgno).toBe(numbers[data.id % 2]);
    }
  });

  it('GraphQL: a refusal is an error with the problem as extensions', async () => {
    const resolver = express.get(ThingsResolver);
    const creator = express.get(ExternalContextCreator, { strict: false });
    const none = undefined;
    const method = Reflect.get(resolver, 'list');
    const list = creator.create(resolver, method, 'list', none, none, none, none, none, 'graphql') as unknown as (
      ...args: unknown[]
    ) => Promise<unknown>;
    expect(await list(undefined, {}, { req: { headers: { authorization: bearer() } } }, {})).toBe('listed');
    await expect(list(undefined, {}, {}, {})).rejects.toMatchObject({
      message: 'There is no token',
      extensions: { code: 'token_missing', status: 401 },
    });
    expect(calls).toMatchObject([{ route: 'ThingsResolver.list', outcome: 'accepted' }, { outcome: 'token_missing' }]);
  });
});

describe('where a token is looked for', () => {
  const T = 'Bearer a.b.c';
  const bytes = Buffer.from(T);
  const headers = { authorization: T };

  it.each<[string, string, object, string]>([
    ['http', 'a request without raw headers', { context: { headers } }, 'a.b.c'],
    ['http', 'headers in capital letters', { context: { headers: { Authorization: T } } }, 'a.b.c'],
    ['http', 'raw headers of Fastify', { context: { raw: { rawHeaders: ['Host', T, 'AUTHORIZATION', T] } } }, 'a.b.c'],
    ['http', 'a value that is a name', { context: { rawHeaders: ['x', 'authorization', T, 'x'] } }, 'token_missing'],
    ['http', 'an empty header', { context: { rawHeaders: ['authorization', ''] } }, 'token_missing'],
    ['http', 'nothing', {}, 'token_missing'],
    ['graphql', 'req', { context: { req: { headers } } }, 'a.b.c'],
    ['graphql', 'request', { context: { request: { headers } } }, 'a.b.c'],
    ['graphql', 'reply', { context: { reply: { request: { headers } } } }, 'a.b.c'],
    ['graphql', 'headers', { context: { headers } }, 'a.b.c'],
    ['graphql', 'parameters of a connection', { context: { connectionParams: { Authorization: T } } }, 'a.b.c'],
    ['graphql', 'parameters of a connection in req', { context: { req: { connectionParams: headers } } }, 'a.b.c'],
    ['graphql', 'nothing', { context: {} }, 'token_missing'],
    ['rpc', 'the payload', { data: headers }, 'a.b.c'],
    ['rpc', 'a payload with null', { data: { authorization: null } }, 'token_missing'],
    ['rpc', 'a payload that is a text', { data: T }, 'token_missing'],
    ['rpc', 'a payload that is a list', { data: [headers] }, 'token_missing'],
    ['rpc', 'gRPC', { context: get([T]) }, 'a.b.c'],
    ['rpc', 'gRPC with two', { context: get([T, T]) }, 'token_malformed'],
    ['rpc', 'gRPC without', { context: get([]), data: headers }, 'a.b.c'],
    ['rpc', 'NATS', { context: { getHeaders: () => get(T) } }, 'a.b.c'],
    ['rpc', 'Kafka', { context: { getMessage: () => ({ headers: { authorization: bytes } }) } }, 'a.b.c'],
    ['rpc', 'RabbitMQ', { context: { getMessage: () => ({ properties: { headers } }) } }, 'a.b.c'],
    ['rpc', 'the transport before the payload', { context: get('Bearer x.y.z'), data: headers }, 'x.y.z'],
    ['ws', 'the payload', { data: headers }, 'a.b.c'],
    ['ws', 'the handshake', { client: { handshake: { headers } } }, 'a.b.c'],
    ['ws', 'auth of Socket.IO', { client: { handshake: { auth: { token: 'a.b.c' }, headers: {} } } }, 'a.b.c'],
    ['ws', 'auth of Socket.IO with Bearer', { client: { handshake: { auth: { token: T } } } }, 'a.b.c'],
    ['ws', 'auth that is a number', { client: { handshake: { auth: { token: 1 } } } }, 'token_missing'],
    [
      'ws',
      'the payload before the handshake',
      { data: headers, client: { handshake: { headers: { authorization: 'Bearer x.y.z' } } } },
      'a.b.c',
    ],
    ['ws', 'nothing', {}, 'token_missing'],
    ['other', 'a transport that nobody knows', { data: headers, context: { headers } }, 'token_missing'],
  ])('%s: %s', (type, _, parts, expected) => {
    expect(found(type, parts)).toBe(expected);
  });
});

describe('refused starts', () => {
  const pid = RequirePid(fromParam('pid'));
  const consented = RequireConsent({ resource: 'r', from: fromParam('pid') });
  const NEEDS = 'needs @RequireScope or @RequireAnyScope beside it, which say whose API this is';
  const HTTP_ONLY = 'works on HTTP routes only: check it in the method, from @CurrentConsumer';

  it('scopes outside the prefixes', async () => {
    expect(await startWith(RequireScope('acne:read'))).toEqual({
      '@RequireScope on Some.some': 'acne:read has none of the prefixes in scopePrefixes (acme); did you mean acme:…?',
    });
    expect(await startWith(RequireAnyScope('acme:read', 'nav:x'))).toEqual({
      '@RequireAnyScope on Some.some': 'nav:x has none of the prefixes in scopePrefixes (acme)',
    });
    expect(await startWith(RequireScope('acmex:read'))).not.toEqual({});
    expect(await startWith(RequireScope('acme'))).not.toEqual({});
    expect(await startWith(RequireScope('acme:read'))).toEqual({});
    const anything = { controllers: [controller(RequireScope('nav:x'))] };
    expect(await reasons(anything, { issuer: issuer.issuer })).toEqual({});
  });

  it('a person or a consent without a scope', async () => {
    expect(await startWith(pid)).toEqual({ '@RequirePid on Some.some': NEEDS });
    expect(await startWith(consented)).toEqual({ '@RequireConsent on Some.some': NEEDS });
    expect(await startWith(pid, consented, RequireAnyScope('acme:a'))).toEqual({});
  });

  it('a person or a consent on something else than a route', async () => {
    const message = MessagePattern('x');
    expect(await startWith(pid, message, RequireScope('acme:a'))).toEqual({ '@RequirePid on Some.some': HTTP_ONLY });
    @Controller()
    @RequireScope('acme:a')
    @consented
    class Messages {
      @MessagePattern('m')
      m(): void {}
    }
    expect(await reasons({ controllers: [Messages] })).toEqual({ '@RequireConsent on Messages.m': HTTP_ONLY });
  });

  it.each([
    ['@RequireScope', RequireScope('acme:a')],
    ['@RequireAnyScope', RequireAnyScope('acme:a')],
    ['@RequirePid', pid],
    ['@RequireConsent', consented],
  ])('%s where it has no effect', async (name, decorate) => {
    @Injectable()
    class Service {
      method(): void {}
    }
    decorate(Service.prototype, 'method', Object.getOwnPropertyDescriptor(Service.prototype, 'method') as never);
    const { [`${name} on Service.method`]: reason } = await reasons({ providers: [Service] });
    expect(reason).toMatch(/^this method is not a handler that Nest guards, .*Put it on a handler .*guardedBy$/);
  });

  it('a method that was wrapped after the module was initialised', async () => {
    const Some = controller(RequireScope('acme:a'));
    @Module({})
    class Wrapper {
      onApplicationBootstrap(): void {}

      onModuleInit(): void {
        Some.prototype.some = (): string => 'wrapped';
      }
    }
    expect(await reasons({ imports: [Wrapper], controllers: [Some] })).toEqual({
      '@RequireScope on Some.some': expect.stringContaining('lost @RequireScope'),
    });
  });

  it('policies that cannot be asked', async () => {
    expect(await reasons(providers({ useValue: {} }))).toEqual({ ConsumerPolicy: 'must have a method mayCall' });
    expect(await reasons(providers({ useClass: TestPolicy, scope: Scope.REQUEST }))).toEqual({
      ConsumerPolicy: 'must not be request-scoped or transient: the consumer is given to it with each call',
    });
    expect(await reasons({})).toEqual({});
  });

  it('wrong options, a missing module, decorators that say nothing', async () => {
    expect(await reasons({}, {})).toEqual({ issuer: expect.any(String) });
    const withoutModule = Test.createTestingModule({ controllers: [ThingsController] }).compile();
    await expect(withoutModule).rejects.toMatchObject({
      failures: [{ field: 'MaskinportenResourceServerModule', reason: expect.stringContaining('is not imported') }],
    });
    const scopes = RequireScope as (...all: unknown[]) => MethodDecorator;
    expect(said(() => scopes())).toBe('at least one scope is required');
    expect(said(() => scopes('a b'))).toMatch(/^element 0 is not a scope/);
    expect(said(() => RequireAnyScope(''))).toMatch(/^element 0 is not a scope/);
    expect(said(() => RequirePid('pid' as never))).toBe('needs fromParam, fromBody or a function');
    const from = fromParam('pid');
    const consents: [object, string][] = [
      [{ from }, 'needs the id of a resource'],
      [{ from, resource: '' }, 'needs the id of a resource'],
      [{ resource: 'r' }, 'from must be fromParam, fromBody or a function'],
      [{ from, resource: 'r', action: 1 }, 'action must be a text'],
      [{ from, resource: 'r', metadata: { a: 1 } }, 'metadata must hold texts, fromParam, fromBody or functions'],
      [{ from, resource: 'r', action: 'a', metadata: { a: 'x', b: from } }, 'accepted'],
    ];
    for (const [consentOf, reason] of consents) expect(said(() => RequireConsent(consentOf as never))).toBe(reason);
    expect(said(() => controller(RequireScope('a'), RequireScope('b')))).toBe(
      'is written twice on the same thing: write what is meant in one',
    );
    expect(said(() => controller(RequireScope('a'), RequireAnyScope('b')))).toBe('accepted');
  });
});

describe('audit log and telemetry', () => {
  it('F-138: hear of every call, without MaskinportenModule; metrics name no organisation', async () => {
    const store = new MemoryAuditStore();
    const measured: unknown[] = [];
    const sink: TelemetrySink = {
      add: ({ name }, value, attributes) => measured.push([name, value, attributes]),
      record: () => undefined,
      observe: () => () => undefined,
    };
    @Controller('own')
    class Own {
      @Get(':id')
      @RequireScope('310000019:things.read')
      read(): string {
        return 'own';
      }
    }
    const app = await start(
      {
        imports: [MaskinportenAuditModule.forRoot({ store }), MaskinportenTelemetryModule.forRoot({ sink })],
        controllers: [Own],
      },
      undefined,
      { issuer: issuer.issuer },
    );
    await app.listen(0, '127.0.0.1');
    app.get(InboundCalls).onCall(() => {
      throw new Error('canary');
    });
    const supplied = { supplier: organisation('310000027'), scope: '310000019:things.read', jti: 'jti-1' };
    expect(await call(app, '/own/1', bearer(supplied))).toMatchObject({ status: 200 });
    expect(await call(app, '/own/1', bearer({ jti: 'jti-2' }))).toMatchObject({ status: 403 });
    expect(await call(app, '/own/1')).toMatchObject({ status: 401 });
    expect(app.get(InboundCalls).listenerFailures).toBe(3);
    await app.close();
    const common = { kind: 'inbound', method: 'GET', pathTemplate: '/own/{id}', organisation: '310000019' };
    const records = store.stored.filter(({ kind }) => kind === 'inbound');
    expect(records).toMatchObject([
      { ...common, decision: 'accepted', caller: '310000027', jti: 'jti-1', scopes: ['310000019:things.read'] },
      { ...common, decision: 'scope_missing', caller: '310000019', jti: 'jti-2', scopes: [READ, WRITE] },
      { kind: 'inbound', decision: 'token_missing', pathTemplate: '/own/{id}' },
    ]);
    expect(records[2]).not.toHaveProperty('organisation');
    const scopes = '…:things.read';
    expect(measured).toEqual(
      ['accepted', 'scope_missing', 'token_missing'].map((outcome) => [
        'maskinporten.server.calls',
        1,
        { 'maskinporten.outcome': outcome, 'maskinporten.required_scopes': scopes },
      ]),
    );
  });
});

describe('the guide', () => {
  it('S-20: says of each code who acts, and what to do, in both languages', () => {
    const guide = readFileSync(new URL('../../../../../docs/protect-an-api.md', import.meta.url), 'utf8');
    const rows = [...guide.matchAll(/^\| `(\w+)` +\| (\d{3}) +\| `([\w-]+)` +\| (.+?) +\| (.+?) +\|$/gm)];
    const written = Object.fromEntries(
      rows.map(([, code = '', status, actBy, en, nb]) => [
        code,
        { httpStatus: Number(status), actBy, hint: { en, nb } },
      ]),
    );
    const known = Object.entries(INBOUND_CODES).map(([code, { httpStatus, actBy, hint }]) => [
      code,
      { httpStatus, actBy, hint },
    ]);
    expect(written).toEqual(Object.fromEntries(known));
  });

  it.each([
    ['token_missing', 'There is no token'],
    ['token_malformed', 'The token is not a Maskinporten token'],
    ['token_expired', 'The token has expired'],
    ['token_not_yet_valid', 'The token is not valid yet'],
    ['token_issuer', 'The token is from another issuer'],
    ['token_signature', 'The signature of the token is not valid'],
    ['token_audience', 'The token is for another audience'],
    ['token_bound', 'The token is bound to a key'],
    ['scope_missing', 'The token lacks a scope'],
    ['consumer_not_allowed', 'The organisation may not call this'],
    ['pid_mismatch', 'The token is not for this person'],
    ['consent_missing', 'There is no consent for this'],
    ['right_missing', 'The system user lacks the right'],
    ['keys_unavailable', 'The token cannot be verified now'],
    ['delegation_unknown', 'The access cannot be checked now'],
  ] as const)('the title of %s is fit for a challenge', (code, title) => {
    expect(INBOUND_CODES[code].title).toBe(title);
    expect(title).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  });
});

describe('the module', () => {
  it('takes its options from a factory, a class or an existing provider', async () => {
    const options = { issuer: issuer.issuer };
    @Injectable()
    class Factory {
      createMaskinportenResourceServerOptions(): ResourceServerOptions {
        return options;
      }
    }
    @Module({ providers: [Factory], exports: [Factory] })
    class FactoryModule {}
    for (const async of [
      { inject: [Factory], imports: [FactoryModule], useFactory: () => options },
      { useClass: Factory },
      { imports: [FactoryModule], useExisting: Factory },
    ]) {
      const imports = [MaskinportenResourceServerModule.forRootAsync(async)];
      const module = await Test.createTestingModule({ imports }).compile();
      expect(module.get(ResourceServer).settings.issuer.issuer).toBe(issuer.issuer);
      await module.close();
    }
    expect(() => MaskinportenResourceServerModule.forRootAsync({})).toThrow('useFactory, useClass or useExisting');
  });

  it('lets a unit test replace the guard', async () => {
    const module = await Test.createTestingModule({ controllers: [ThingsController] })
      .overrideGuard(ResourceServerGuard)
      .useValue({ canActivate: () => true })
      .compile();
    const app = module.createNestApplication({ logger: false });
    await app.listen(0, '127.0.0.1');
    expect(await call(app, '/things/any')).toMatchObject({ status: 200 });
    await app.close();
  });

  it('says once how the keys are, and nothing of a token', async () => {
    const lines: string[] = [];
    const write = (...args: unknown[]): void => {
      lines.push(JSON.stringify(args));
    };
    const logger = { log: write, warn: write, error: write, debug: write, verbose: write };
    Logger.overrideLogger(logger);
    const app = await start({ controllers: [ThingsController] });
    app.useLogger(logger);
    await app.listen(0, '127.0.0.1');
    issuer.jwks = (response) => response.writeHead(500).end();
    await call(app, '/things', bearer());
    await call(app, '/things', bearer());
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_000);
    issuer.jwks = plainJwks;
    const text = bearer();
    expect(await call(app, '/things', text)).toMatchObject({ status: 200 });
    expect(await call(app, '/things', bearer({ scope: WRITE }))).toMatchObject({ status: 403 });
    await app.close();
    Logger.overrideLogger(false);
    const ours = lines.filter((line) => line.includes('keys of the issuer'));
    expect(ours.map((line) => /"message":"([^"]+)/.exec(line)?.[1])).toEqual([
      'keys of the issuer are not known: every token is answered with 503',
      'keys of the issuer are known',
    ]);
    for (const part of text.slice(7).split('.')) expect(lines.join()).not.toContain(part);
  });

  it('errors are known by their code', () => {
    const error = new InboundCallError('pid_mismatch', { detail: 'x' });
    expect([
      isInboundCallError(error),
      isInboundCallError(error, 'pid_mismatch'),
      isInboundCallError(error, 'right_missing'),
    ]).toEqual([true, true, false]);
    expect([isInboundCallError(new Error('x')), isInboundCallError({ name: 'InboundCallError', code: 'x' })]).toEqual([
      false,
      false,
    ]);
    expect(error.getResponse()).toBe(error.problem);
  });

  it('a request itself is not changed', async () => {
    @Controller('raw')
    class Raw {
      @Get()
      @RequireScope('acme:a')
      raw(@Req() request: Record<string, unknown>): string[] {
        return Object.keys(request).filter((name) => /consumer|maskinporten|verified/i.test(name));
      }
    }
    const app = await start({ controllers: [Raw] });
    await app.listen(0, '127.0.0.1');
    expect(await call(app, '/raw', bearer({ scope: 'acme:a' }))).toMatchObject({ status: 200, body: [] });
    await app.close();
  });
});
