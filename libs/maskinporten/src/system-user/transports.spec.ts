import type { AddressInfo, Server } from 'node:net';
import { Controller, Injectable, Logger, SetMetadata, type INestApplication } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Payload, Transport, type ClientProxy } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, map, type Observable } from 'rxjs';
import { WebSocket } from 'ws';
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
  VerifiedDelegation,
  fromBody,
  fromParam,
} from '../index.js';
import { PDP, RESOURCE, TestPolicy, optionsFor } from './system-user.fixtures.js';

const CUSTOMER = organisationNumber(1);
const OTHER = organisationNumber(2);

interface Told {
  readonly organisation: string;
  readonly owner: string | null;
}

@Injectable()
class Api {
  constructor(private readonly http: MaskinportenHttpService) {}

  async tell({ organisation }: VerifiedDelegation): Promise<Told> {
    return { organisation, owner: (await this.owner()).owner };
  }

  async owner(): Promise<{ owner: string | null }> {
    return (await this.http.axiosRef.get<{ owner: string | null }>('/acme/claims')).data;
  }

  cold({ organisation }: VerifiedDelegation): Observable<Told> {
    return this.http.get<{ owner: string | null }>('/acme/claims').pipe(map(({ data }) => ({ organisation, ...data })));
  }
}

const fromPayload = { organisation: fromBody('orgno'), resource: RESOURCE };

@Controller()
class MessagesController {
  constructor(private readonly api: Api) {}

  @MessagePattern('promise')
  @Scopes('acme:read')
  @RequireSystemUser(fromPayload)
  async promise(
    @CurrentSystemUser() delegation: VerifiedDelegation,
    @Payload() data: { orgno: string },
  ): Promise<Told> {
    data.orgno = 'changed';
    return this.api.tell(delegation);
  }

  @MessagePattern('write')
  @RequireSystemUser({ ...fromPayload, action: 'write' })
  write(): string {
    return 'written';
  }

  @MessagePattern('read')
  @RequireSystemUser({ ...fromPayload, action: 'read' })
  read(): string {
    return 'read';
  }

  @MessagePattern('remembered')
  @RequireSystemUser({ ...fromPayload, action: 'write', fresh: false })
  remembered(): string {
    return 'written';
  }

  @MessagePattern('cold')
  @RequireSystemUser(fromPayload)
  @Scopes('acme:read')
  cold(@CurrentSystemUser() delegation: VerifiedDelegation): Observable<Told> {
    return this.api.cold(delegation);
  }

  @MessagePattern('undecorated')
  @Scopes('acme:read')
  async undecorated(@CurrentSystemUser() delegation: VerifiedDelegation): Promise<Told> {
    return this.api.tell(delegation);
  }
}

@WebSocketGateway()
class SocketGateway {
  constructor(private readonly api: Api) {}

  @SubscribeMessage('claims')
  @Scopes('acme:read')
  @RequireSystemUser(fromPayload)
  async claims(
    @CurrentSystemUser() delegation: VerifiedDelegation,
    @MessageBody() body: { orgno: string; id: number },
  ): Promise<{ event: string; data: unknown }> {
    return { event: 'claims', data: { ...(await this.api.tell(delegation)), id: body.id } };
  }
}

/** As the GraphQL module finds and calls them: through Nest's external context, with (root, args, context, info). */
@Injectable()
class ClaimsResolver {
  constructor(private readonly api: Api) {}

  // What `@Query()` leaves on a method, without loading the package.
  @SetMetadata('graphql:resolver_type', 'Query')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE })
  async claims(): Promise<unknown> {
    return this.api.owner();
  }
}

describe('@RequireSystemUser on messages and resolvers', () => {
  const standIn = new AltinnStandIn();
  const policy = new TestPolicy();
  let app: INestApplication;
  let client: ClientProxy;

  beforeAll(async () => {
    await standIn.start();
    const module = await Test.createTestingModule({
      imports: [
        MaskinportenModule.forRoot(optionsFor(standIn, PDP(standIn))),
        MaskinportenHttpModule.register({ baseURL: standIn.url }),
      ],
      controllers: [MessagesController],
      providers: [Api, SocketGateway, ClaimsResolver, { provide: CallerPolicy, useValue: policy }],
    }).compile();
    Logger.overrideLogger(false);
    app = module.createNestApplication({ logger: false });
    app.useWebSocketAdapter(new WsAdapter(app));
    const rpc = app.connectMicroservice({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = rpc.unwrap<Server>().address() as AddressInfo;
    client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
  });
  afterAll(async () => {
    await client?.close();
    await app?.close();
    await standIn.stop();
  });
  beforeEach(() => {
    standIn.reset();
    policy.answer = () => true;
    for (const organisation of [CUSTOMER, OTHER]) standIn.addUser({ organisation, rights: [RESOURCE] });
  });

  const send = async (pattern: string, data: object): Promise<unknown> => {
    try {
      return await firstValueFrom(client.send<unknown>(pattern, data));
    } catch (error) {
      return { refused: error };
    }
  };

  const resolverOf = (type: string): ((...args: unknown[]) => Promise<unknown>) => {
    const resolver = app.get(ClaimsResolver);
    const method = Reflect.get(resolver, 'claims');
    const creator = app.get(ExternalContextCreator, { strict: false });
    const none = undefined;
    return creator.create(resolver, method, 'claims', none, none, none, none, none, type) as never;
  };

  it.each(['promise', 'cold'])('RPC (%s): the handler and its token get the verified organisation', async (pattern) => {
    const told = await Promise.all([send(pattern, { orgno: CUSTOMER }), send(pattern, { orgno: `0192:${OTHER}` })]);
    expect(told).toMatchObject([
      { organisation: CUSTOMER, owner: CUSTOMER },
      { organisation: OTHER, owner: OTHER },
    ]);
  });

  it('RPC: a denial arrives as the problem document', async () => {
    expect(await send('promise', { orgno: organisationNumber(3) })).toMatchObject({
      refused: { code: 'system_user_missing', status: 403, hint: { nb: expect.any(String) } },
    });
    expect(await send('promise', { orgno: [CUSTOMER] })).toMatchObject({
      refused: { code: 'organisation_number_invalid' },
    });
    policy.answer = () => 'yes';
    expect(await send('cold', { orgno: CUSTOMER })).toMatchObject({ refused: { code: 'caller_not_allowed' } });
  });

  it('F-86, T-75: RPC: a withdrawn right stops the next write, and a read within 30 s', async () => {
    const user = standIn.users.find(({ organisation }) => organisation === CUSTOMER);
    for (const pattern of ['write', 'read', 'remembered']) {
      expect(await send(pattern, { orgno: CUSTOMER })).toMatch(/^(written|read)$/);
    }
    if (user !== undefined) user.rights = [];
    expect(await send('remembered', { orgno: CUSTOMER })).toBe('written');
    expect(await send('read', { orgno: CUSTOMER })).toBe('read');
    expect(await send('write', { orgno: CUSTOMER })).toMatchObject({ refused: { code: 'right_missing' } });
  });

  it('RPC: a handler without the decorator has no system user', async () => {
    expect(await send('undecorated', { orgno: CUSTOMER })).toMatchObject({ refused: { status: 'error' } });
  });

  it('WebSocket: messages of one socket never get each other’s organisation (T-54)', async () => {
    const socket = new WebSocket(`${(await app.getUrl()).replace('http', 'ws')}/`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const answers: { event: string; data: Told & { id: number } }[] = [];
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        answers.push(JSON.parse(data.toString()) as (typeof answers)[number]);
        if (answers.length === 20) resolve();
      });
    });
    for (let id = 0; id < 20; id += 1) {
      socket.send(JSON.stringify({ event: 'claims', data: { id, orgno: id % 2 === 0 ? CUSTOMER : OTHER } }));
    }
    await all;
    for (const { data } of answers) {
      const organisation = data.id % 2 === 0 ? CUSTOMER : OTHER;
      expect(data).toMatchObject({ organisation, owner: organisation });
    }
    const denied = new Promise<unknown>((resolve) => {
      socket.removeAllListeners('message');
      socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())));
    });
    socket.send(JSON.stringify({ event: 'claims', data: { orgno: organisationNumber(3) } }));
    expect(await denied).toMatchObject({ event: 'exception', data: { code: 'system_user_missing', status: 403 } });
    socket.terminate();
  });

  describe('GraphQL', () => {
    it('resolvers of one request keep their own organisation', async () => {
      const request = {};
      const claims = resolverOf('graphql');
      const told = await Promise.all(
        [CUSTOMER, OTHER, CUSTOMER].map(async (orgno) => claims(undefined, { orgno }, request, {})),
      );
      expect(told).toMatchObject([{ owner: CUSTOMER }, { owner: OTHER }, { owner: CUSTOMER }]);
    });

    it('a denial is an error with the problem as extensions', async () => {
      await expect(resolverOf('graphql')(undefined, { orgno: organisationNumber(3) }, {}, {})).rejects.toMatchObject({
        message: 'The organisation has not approved this system',
        extensions: { code: 'system_user_missing', status: 403 },
      });
    });

    it.each([
      ['query', 'remembered'],
      ['mutation', 'asked again'],
      ['subscription', 'asked again'],
      [undefined, 'asked again'],
    ])('F-86: in a %s, a yes is %s, whatever the arguments say', async (operation, outcome) => {
      const info = operation === undefined ? {} : { operation: { operation } };
      const args = { orgno: CUSTOMER, operation: { operation: 'query' } };
      const claims = resolverOf('graphql');
      await claims(undefined, args, {}, info);
      standIn.log.length = 0;
      await claims(undefined, args, {}, info);
      expect(standIn.calls('/byquery')).toHaveLength(outcome === 'remembered' ? 0 : 1);
    });

    it('a kind of handler that is not known is denied', async () => {
      await expect(resolverOf('cron')(undefined, { orgno: CUSTOMER }, {}, {})).rejects.toMatchObject({
        code: 'system_user_misconfigured',
      });
    });
  });
});
