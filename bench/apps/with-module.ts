import 'reflect-metadata';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Module } from '@nestjs/common';
import { MaskinportenHttpModule, MaskinportenModule, Scopes } from 'nestjs-maskinporten';
import { serve, settings } from './serve.js';

const { issuer, tokenEndpoint, clientId, kid, privateKeyPem, apiOrigin } = settings;

@Controller()
class OrdersController {
  constructor(private readonly http: HttpService) {}

  @Get('orders')
  @Scopes('bench:orders.read', 'bench:orders.write')
  async list(): Promise<unknown> {
    const { data } = await this.http.axiosRef.get<unknown>(`${apiOrigin}/api/orders`);
    return data;
  }

  @Get('version')
  version(): unknown {
    return { version: 1 };
  }
}

@Module({
  imports: [
    MaskinportenModule.forRoot({
      issuer,
      tokenEndpoint,
      clientId,
      key: { pem: privateKeyPem, kid },
      destinations: [apiOrigin],
    }),
    MaskinportenHttpModule.register({}),
  ],
  controllers: [OrdersController],
})
class AppModule {}

await serve(AppModule);
