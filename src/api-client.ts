import type { DynamicModule } from '@nestjs/common';
import type { Simulator } from 'maskinporten-simulator';
import { MaskinportenHttpModule } from 'nestjs-maskinporten';
import { Environment } from './config/index.js';
import { DemoSimulator } from './demo/index.js';

/** Milliseconds for a whole call, the wait for a token included; shorter than what a shutdown waits for. */
const DEADLINE_MS = 10_000;

/**
 * The HTTP client of one API.
 *
 * @param configured base address that the settings name
 * @param simulated base address of the same API in the simulator, for a demo that names none
 */
export function apiClient(
  configured: (environment: Environment) => string | undefined,
  simulated: (simulator: Simulator) => string,
): DynamicModule {
  return MaskinportenHttpModule.registerAsync({
    inject: [Environment, DemoSimulator],
    useFactory: (environment: Environment, { running }: DemoSimulator) => {
      const baseURL = configured(environment) ?? (running === undefined ? undefined : simulated(running));
      return { ...(baseURL === undefined ? {} : { baseURL }), maskinporten: { deadlineMs: DEADLINE_MS } };
    },
  });
}
