import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from 'maskinporten-simulator';
import request from 'supertest';
import {
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  Scopes,
  type MaskinportenOptions,
} from './index.js';
import { simulatorOptions } from './testing/index.js';

@Injectable()
@Controller()
class ProbeController {
  constructor(private readonly http: MaskinportenHttpService) {}

  @Get('read')
  @Scopes('acme:read')
  async read(): Promise<unknown> {
    return (await this.http.axiosRef.get('/whoami')).data;
  }
}

describe('MaskinportenModule', () => {
  let simulator: Simulator;
  let options: MaskinportenOptions;

  beforeAll(async () => {
    simulator = await startSimulator();
    options = await simulatorOptions(simulator, { scopes: ['acme:read', 'acme:write'] });
  });
  afterAll(async () => simulator?.close());

  it('lets a decorated handler call an API with a token of its scope', async () => {
    @Module({
      imports: [MaskinportenModule.forRoot(options), MaskinportenHttpModule.register({ baseURL: simulator.apiUrl })],
      controllers: [ProbeController],
    })
    class AppModule {}
    const app = (await Test.createTestingModule({ imports: [AppModule] }).compile()).createNestApplication();
    await app.init();
    const response = await request(app.getHttpServer()).get('/read').expect(200);
    expect(response.body).toMatchObject({ scope: 'acme:read', client_id: options.clientId });
    await app.close();
  });
});
