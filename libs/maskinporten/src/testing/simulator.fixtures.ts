import { startSimulator, type Simulator, type SimulatorOptions } from 'maskinporten-simulator';
import { rsaKeyPair, signingKeys } from '../../../../test/support/pool.js';
import type { MaskinportenOptions } from '../module/index.js';
import type { RunningSimulator } from './running-simulator.js';
import { simulatorOptions, type SimulatorClientOptions } from './simulator-options.js';

/** A simulator with an origin for each of its parts, which signs with keys of this run, so that it makes none. */
export function startTestSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ separateOrigins: true, signingKeys: signingKeys(), ...options });
}

let clientKey: ReturnType<typeof rsaKeyPair> | undefined;

/** {@link simulatorOptions} with a key of this run. All clients of a spec file share it. */
export function testClientOptions(
  simulator: RunningSimulator,
  client: SimulatorClientOptions,
): Promise<MaskinportenOptions> {
  clientKey ??= rsaKeyPair();
  return simulatorOptions(simulator, { privateKey: clientKey.privateKey, ...client });
}
