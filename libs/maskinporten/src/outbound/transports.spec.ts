import type { AddressInfo, Server } from 'node:net';
import { Controller, Injectable, Logger, Module, UseFilters } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Payload, Transport, type ClientProxy } from '@nestjs/microservices';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom, from, map, mergeMap, type Observable } from 'rxjs';
import { WebSocket } from 'ws';
import {
  MaskinportenExceptionFilter,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  Scopes,
} from '../index.js';
import { startWorld, type World } from './outbound.fixtures.js';

Logger.overrideLogger(false);

@Injectable()
class Api {
  constructor(private readonly http: MaskinportenHttpService) {}

  async scope(): Promise<string> {
    return (await this.http.axiosRef.get<{ scope: string }>('/whoami')).data.scope;
  }

  cold(): Observable<string> {
    return this.http.get<{ scope: string }>('/whoami').pipe(map(({ data }) => data.scope));
  }
}

@Controller()
@UseFilters(MaskinportenExceptionFilter)
class MessagesController {
  constructor(private readonly api: Api) {}

  @MessagePattern('promise')
  @Scopes('acme:a')
  async promise(@Payload() _data: unknown): Promise<string> {
    return this.api.scope();
  }

  @MessagePattern('stream')
  @Scopes('acme:b')
  stream(): Observable<string> {
    return from([1, 2]).pipe(mergeMap(() => this.api.cold()));
  }

  @MessagePattern('refused')
  @Scopes('acme:unknown')
  async refused(): Promise<string> {
    return this.api.scope();
  }

  @MessagePattern('undecorated')
  async undecorated(): Promise<string> {
    return this.api.scope();
  }
}

@WebSocketGateway()
@UseFilters(MaskinportenExceptionFilter)
class SocketGateway {
  constructor(private readonly api: Api) {}

  @SubscribeMessage('promise')
  @Scopes('acme:a')
  async promise(): Promise<{ event: string; data: string }> {
    return { event: 'promise', data: await this.api.scope() };
  }

  @SubscribeMessage('cold')
  @Scopes('acme:c')
  cold(): Observable<{ event: string; data: string }> {
    return this.api.cold().pipe(map((data) => ({ event: 'cold', data })));
  }

  @SubscribeMessage('refused')
  @Scopes('acme:unknown')
  async refused(): Promise<string> {
    return this.api.scope();
  }
}

const refusal = {
  status: 500,
  code: 'SERVER_ERROR',
  failures: [{ field: 'scope', code: 'MP_SCOPE', reason: expect.any(String) }],
};

describe('@Scopes and the exception filter in RPC and WebSocket handlers', () => {
  let world: World;
  let app: NestFastifyApplication;
  let client: ClientProxy;

  beforeAll(async () => {
    world = await startWorld();
    @Module({
      imports: [
        MaskinportenModule.forRoot(world.options),
        MaskinportenHttpModule.register({ baseURL: world.simulator.apiUrl }),
      ],
      controllers: [MessagesController],
      providers: [Api, SocketGateway],
    })
    class AppModule {}
    const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
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
    await world?.close();
  });

  const failure = async (pattern: string): Promise<unknown> => {
    try {
      return { answered: await firstValueFrom(client.send<unknown>(pattern, {})) };
    } catch (error) {
      return error;
    }
  };

  it('T-41: RPC: promises and Observables', async () => {
    expect(await firstValueFrom(client.send('promise', {}))).toBe('acme:a');
    const values: string[] = [];
    await new Promise<void>((resolve, reject) => {
      client
        .send<string>('stream', {})
        .subscribe({ next: (value) => values.push(value), complete: resolve, error: reject });
    });
    expect(values).toEqual(['acme:b', 'acme:b']);
  });

  it('S-20: RPC: a refusal arrives as the problem document', async () => {
    expect(await failure('refused')).toMatchObject(refusal);
    expect(await failure('undecorated')).toMatchObject({ code: 'SERVER_ERROR', failures: [{ code: 'MP_NO_CONTEXT' }] });
  });

  it('T-41: WebSocket: promises and Observables; S-20: a refusal arrives as an exception event', async () => {
    const socket = new WebSocket(`${(await app.getUrl()).replace('http', 'ws')}/`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const ask = async (event: string): Promise<unknown> =>
      new Promise((resolve) => {
        socket.once('message', (data: Buffer) => resolve(JSON.parse(data.toString())));
        socket.send(JSON.stringify({ event, data: {} }));
      });
    expect(await ask('promise')).toEqual({ event: 'promise', data: 'acme:a' });
    expect(await ask('cold')).toEqual({ event: 'cold', data: 'acme:c' });
    expect(await ask('refused')).toMatchObject({ event: 'exception', data: refusal });
    socket.terminate();
  });
});
