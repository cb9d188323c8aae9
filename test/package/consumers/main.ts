// A user's whole application: built against the packed tarballs in an empty project, not against this workspace.
import 'reflect-metadata';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import axios from 'axios';
import { startSimulator } from 'maskinporten-simulator';
import {
  attachMaskinporten,
  isMaskinportenError,
  MaskinportenHttpModule,
  MaskinportenModule,
  MaskinportenTokenService,
  Scopes,
  type MaskinportenOptions,
} from 'nestjs-maskinporten';
import { simulatorOptions } from 'nestjs-maskinporten/testing';
import { firstValueFrom } from 'rxjs';

interface Answer {
  readonly claims: { readonly scope: string };
}

let apiUrl = '';
let options: MaskinportenOptions;

@Injectable()
@Controller()
class AppController {
  constructor(
    private readonly http: HttpService,
    private readonly tokens: MaskinportenTokenService,
  ) {}

  @Get('read')
  @Scopes('acme:read')
  async read(): Promise<string> {
    const { data } = await firstValueFrom(this.http.get<Answer>(`${apiUrl}/scope/acme:read`));
    return data.claims.scope;
  }

  @Get('write')
  @Scopes('acme:write')
  async write(): Promise<string> {
    const { data } = await this.http.axiosRef.get<Answer>(`${apiUrl}/scope/acme:write`);
    return data.claims.scope;
  }

  /** The option of one call, in both declarations of axios. */
  @Get('call')
  async call(): Promise<string> {
    const url = `${apiUrl}/scope/acme:read`;
    const observed = await firstValueFrom(this.http.get<Answer>(url, { maskinporten: { scopes: 'acme:read' } }));
    const { data } = await this.http.axiosRef.get<Answer>(url, { maskinporten: 'acme:read' });
    return `${observed.data.claims.scope} ${data.claims.scope}`;
  }

  @Get('attached')
  async attached(): Promise<string> {
    const instance = axios.create({ baseURL: apiUrl });
    const detach = attachMaskinporten(instance, this.tokens, { scopes: 'acme:read' });
    const { data } = await instance.get<Answer>('/scope/acme:write', { maskinporten: { scopes: ['acme:write'] } });
    detach();
    return data.claims.scope;
  }
}

@Module({
  imports: [MaskinportenModule.forRootAsync({ useFactory: () => options }), MaskinportenHttpModule.register({})],
  controllers: [AppController],
})
class AppModule {}

async function main(): Promise<void> {
  const simulator = await startSimulator();
  apiUrl = simulator.apiUrl;
  const client = await simulatorOptions(simulator, { scopes: ['acme:read', 'acme:write'] });
  // The simulator makes its key when it is first asked, which takes a busy machine longer than a service would wait.
  options = { ...client, retry: { attemptTimeoutMs: 60_000, deadlineMs: 300_000 } };
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const base = await app.getUrl();
  const get = async (path: string): Promise<string> => (await fetch(`${base}/${path}`)).text();
  const tokens = app.get(MaskinportenTokenService);
  const refused: unknown = await tokens.getToken('acme:other').catch((error: unknown) => error);
  const token = await tokens.getToken('acme:read');
  console.log(
    JSON.stringify({
      node: process.versions.node.split('.')[0],
      read: await get('read'),
      write: await get('write'),
      call: await get('call'),
      attached: await get('attached'),
      refused: isMaskinportenError(refused) ? refused.code : String(refused),
      printed: `${String(token)} ${JSON.stringify(token)}`.includes(token.value),
    }),
  );
  await app.close();
  await simulator.close();
}

void main();
