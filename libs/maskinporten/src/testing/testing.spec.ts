import { Controller, Get, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from 'maskinporten-simulator';
import request from 'supertest';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import {
  MaskinportenExceptionFilter,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  MaskinportenTokenService,
  getMaskinportenToken,
  normaliseTokenRequest,
  Scopes,
  type MaskinportenOptions,
} from '../index.js';
import { rejection, startRecordingServer, type RecordingServer } from '../outbound/outbound.fixtures.js';
import { FakeMaskinportenTokenService, issueToken, simulatorOptions } from './index.js';

Logger.overrideLogger(false);

function pemOf({ key }: MaskinportenOptions): unknown {
  return 'pem' in key ? key.pem : undefined;
}

@Controller()
class ClaimsController {
  constructor(private readonly http: MaskinportenHttpService) {}

  @Get()
  @Scopes({ scopes: 'acme:read', systemUser: { organisation: '310000027' } })
  async claims(): Promise<unknown> {
    return (await this.http.axiosRef.get('/')).data;
  }
}

describe('FakeMaskinportenTokenService', () => {
  let server: RecordingServer;
  beforeAll(async () => {
    server = await startRecordingServer();
  });
  afterAll(async () => server?.close());

  it('stands in for the real one in an application that has no key at all', async () => {
    const tokens = new FakeMaskinportenTokenService();
    const options = {
      environment: 'test',
      clientId: '',
      key: {},
      destinations: [server.origin],
    } as unknown as MaskinportenOptions;
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register({ baseURL: server.origin })],
      controllers: [ClaimsController],
    })
      .overrideProvider(MaskinportenTokenService)
      .useValue(tokens)
      .compile();
    const app = module.createNestApplication();
    app.useGlobalFilters(new MaskinportenExceptionFilter());
    await app.init();

    await request(app.getHttpServer()).get('/').expect(200);
    await request(app.getHttpServer()).get('/').expect(200);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([
      'Bearer fake-token-1',
      'Bearer fake-token-1',
    ]);
    expect(tokens.requests).toMatchObject([
      { scopes: ['acme:read'], systemUser: { organisation: '310000027' } },
      { scopes: ['acme:read'], systemUser: { organisation: '310000027' } },
    ]);

    tokens.failWith('MP_SYSTEMUSER_MISSING', { mpCode: 'MP-303' });
    const refused = await request(app.getHttpServer()).get('/').expect(403);
    expect(refused.body).toMatchObject({ code: 'MP_SYSTEMUSER_MISSING' });
    tokens.succeed();
    await request(app.getHttpServer()).get('/').expect(200);
    expect(server.arrivals).toHaveLength(3);
    await app.close();
  });

  it('gives one token per distinct request until it is refused or forced', async () => {
    const tokens = new FakeMaskinportenTokenService({ clientId: 'mine', lifeMs: 1_000 });
    expect(tokens.clientId).toBe('mine');
    const a = await tokens.getToken('acme:a');
    expect(await tokens.getToken(['acme:a'])).toBe(a);
    const b = await tokens.getToken({ scopes: 'acme:a', consumerOrg: '310000027' });
    expect(b.value).not.toBe(a.value);
    expect(a.expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
    expect((await tokens.getToken('acme:a', { forceRefresh: true })).value).not.toBe(a.value);
    tokens.invalidate(b);
    expect((await tokens.getToken({ scopes: 'acme:a', consumerOrg: '310000027' })).value).not.toBe(b.value);
    const renewed = await tokens.renew(await tokens.getToken('acme:a'));
    expect(renewed?.value).toBe('fake-token-5');
    expect(await tokens.renew(a)).toBeUndefined();
    expect(tokens.peek(normaliseTokenRequest('acme:a'))).toBeUndefined();
    await tokens.close();
    expect(tokens.cachedTokens).toBe(0);
  });

  it('refuses what the real one refuses', async () => {
    const tokens = new FakeMaskinportenTokenService();
    expect(await rejection(tokens.getToken('a"b'))).toMatchObject({ code: 'MP_REQUEST' });
    expect(await rejection(tokens.getToken('acme:a', { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'MP_ABORTED',
    });
    expect(tokens.requests).toHaveLength(0);
  });
});

describe('simulatorOptions', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ separateOrigins: true });
  });
  afterAll(async () => simulator?.close());

  it('registers a client of its own each time, over the operator’s HTTP API', async () => {
    const [one, two] = [
      await simulatorOptions(simulator, { scopes: ['acme:a'] }),
      await simulatorOptions(simulator, {
        scopes: ['acme:b'],
        orgno: '310000027',
        tokenLifetime: 30,
        clientId: 'named',
      }),
    ];
    expect(one.clientId).not.toBe(two.clientId);
    expect(two.clientId).toBe('named');
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(one), MaskinportenModule.forRoot({ ...two, name: 'two' })],
    }).compile();
    const token = await module.get(MaskinportenTokenService).getToken('acme:a');
    expect(token.scopes).toEqual(['acme:a']);
    expect(simulator.log.some((entry) => entry.kind === 'grant')).toBe(true);
    await module.close();
  });

  it('gets a token of any organisation without a client, and spoiled ones', async () => {
    const wish = { consumer: '310000027', scopes: ['acme:a'] };
    const whoami = async (token: string): Promise<number> =>
      (await fetch(`${simulator.apiUrl}/whoami`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await whoami(await issueToken(simulator, wish))).toBe(200);
    expect(await whoami(await issueToken(simulator, { ...wish, tamper: 'signature' }))).toBe(401);
    await expect(issueToken(simulator, { ...wish, consumer: '1' })).rejects.toThrow(
      /refused what was added to its tokens \(HTTP 400\): .*consumer/,
    );
  });

  it('makes one key for the process, under another `kid` for each client, and takes one of the caller', async () => {
    const [one, two] = await Promise.all([
      simulatorOptions(simulator, { scopes: ['acme:a'] }),
      simulatorOptions(simulator, { scopes: ['acme:a'] }),
    ]);
    expect(pemOf(one)).toBe(pemOf(two));
    expect(one.key).not.toEqual(two.key);
    const { privateKey } = rsaKeyPair();
    const own = await simulatorOptions(simulator, { scopes: ['acme:a'], privateKey });
    expect(pemOf(own)).toBe(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const module = await Test.createTestingModule({
      imports: [one, two, own].map((options, index) => MaskinportenModule.forRoot({ ...options, name: `c${index}` })),
    }).compile();
    for (const index of [0, 1, 2]) {
      const tokens = module.get<MaskinportenTokenService>(getMaskinportenToken(`c${index}`));
      expect((await tokens.getToken('acme:a')).scopes).toEqual(['acme:a']);
    }
    await module.close();
  });

  it('says why the simulator refused the client', async () => {
    const error = await rejection(simulatorOptions(simulator, { scopes: ['acme:a'], orgno: '1' }));
    expect(error.message).toMatch(/HTTP 4\d\d.*orgno/);
  });
});
