import { Global, Module, type DynamicModule } from '@nestjs/common';
import { DemoSimulator } from './demo-simulator.js';

/** Starts the simulator in demo mode, before anything asks for its addresses. */
@Global()
@Module({})
export class DemoModule {
  static register(enabled: boolean): DynamicModule {
    return {
      module: DemoModule,
      providers: [
        {
          provide: DemoSimulator,
          useFactory: async () => (enabled ? DemoSimulator.start() : DemoSimulator.off()),
        },
      ],
      exports: [DemoSimulator],
    };
  }
}
