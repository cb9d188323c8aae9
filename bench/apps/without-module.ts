// The same application as `with-module`, with a static header instead of the module.
import 'reflect-metadata';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Controller, Get, Module } from '@nestjs/common';
import { serve, settings } from './serve.js';

const { staticToken, apiOrigin } = settings;

@Controller()
class OrdersController {
  constructor(private readonly http: HttpService) {}

  @Get('orders')
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
  imports: [HttpModule.register({ headers: { Authorization: `Bearer ${staticToken}` } })],
  controllers: [OrdersController],
})
class AppModule {}

await serve(AppModule);
