import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import axios, { type AxiosInstance } from 'axios';
import { MaskinportenModule } from '../module/index.js';
import { MaskinportenTokenService } from '../tokens/index.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { MaskinportenContext } from './maskinporten-context.js';
import { maskinportenFetch, type MaskinportenFetch } from './maskinporten-fetch.js';
import { MaskinportenHttpModule } from './maskinporten-http.module.js';
import { MaskinportenHttpService } from './maskinporten-http.service.js';
import {
  gate,
  rejection,
  startRecordingServer,
  startWorld,
  type RecordingServer,
  type World,
} from './outbound.fixtures.js';

describe('F-144: a call after the application was closed', () => {
  let world: World;
  let listed: RecordingServer;
  let other: RecordingServer;
  let app: INestApplicationContext;
  let own: AxiosInstance;
  let foreign: AxiosInstance;
  let detach: () => void;
  let call: MaskinportenFetch;

  beforeAll(async () => {
    world = await startWorld();
    listed = await startRecordingServer();
    other = await startRecordingServer('127.0.0.2');
  });
  afterAll(async () => {
    await world?.close();
    await listed?.close();
    await other?.close();
  });
  beforeEach(async () => {
    listed.arrivals.length = 0;
    other.arrivals.length = 0;
    @Module({
      imports: [
        MaskinportenModule.forRoot({ ...world.options, destinations: [listed.origin] }),
        MaskinportenHttpModule.register({ baseURL: listed.origin }),
      ],
    })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    own = app.get(MaskinportenHttpService, { strict: false }).axiosRef;
    const tokens = app.get(MaskinportenTokenService);
    foreign = axios.create({ baseURL: listed.origin });
    detach = attachMaskinporten(foreign, tokens);
    call = maskinportenFetch(tokens);
  });
  afterEach(async () => app.close());

  const late = (path = '/x'): [string, () => Promise<unknown>][] => [
    ['the module’s own instance', async () => own.get(path)],
    ['an instance made from it', async () => own.create().get(path)],
    ['an attached instance', async () => foreign.get(path)],
    ['fetch', async () => call(new URL(path, listed.origin))],
  ];

  it('is refused with MP_ABORTED, also when its token was cached, and to an origin that is not listed', async () => {
    for (const [, send] of late()) await MaskinportenContext.run('acme:read', send);
    expect(listed.arrivals.every(({ authorization }) => authorization?.startsWith('Bearer '))).toBe(true);
    await app.close();
    const before = listed.arrivals.length;
    for (const [name, send] of [...late(), ...late(`${other.origin}/x`)]) {
      const error = await rejection(MaskinportenContext.run('acme:read', send));
      expect([name, error.code, error.message]).toEqual([
        name,
        'MP_ABORTED',
        'The call was not sent: its application has been closed.',
      ]);
    }
    expect([listed.arrivals.length, other.arrivals.length]).toEqual([before, 0]);
  });

  it('is refused with MP_NO_CONTEXT where there is none', async () => {
    await app.close();
    for (const [name, send] of late()) expect([name, (await rejection(send())).code]).toEqual([name, 'MP_NO_CONTEXT']);
    expect(listed.arrivals).toHaveLength(0);
  });

  it('is refused also when it began before and waited in an interceptor', async () => {
    const held = gate();
    for (const instance of [own, foreign]) {
      instance.interceptors.request.use(async (config) => {
        await held.opened;
        return config;
      });
    }
    const calls = [own, foreign].map(async (instance) => rejection(instance.get('/x', { maskinporten: 'acme:read' })));
    await app.close();
    held.open();
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'MP_ABORTED' });
    expect(listed.arrivals).toHaveLength(0);
  });

  it('is sent when it carries its own Authorization', async () => {
    await app.close();
    const headers = { authorization: 'Key 1' };
    await own.get('/x', { headers });
    await foreign.get('/x', { headers });
    await call(listed.origin, { headers });
    expect(listed.arrivals.map(({ authorization }) => authorization)).toEqual(['Key 1', 'Key 1', 'Key 1']);
  });

  it('goes out as an ordinary one where the application took its own instance back', async () => {
    await app.close();
    detach();
    await foreign.get('/x');
    expect(listed.arrivals.map(({ authorization }) => authorization)).toEqual([undefined]);
  });
});
