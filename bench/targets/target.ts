import type { ClientName, ClientSetup, TokenClient } from '../clients/client.js';
import { CLIENTS } from '../clients/client.js';
import type { Endpoint, EndpointRun } from '../endpoint/endpoint.js';
import type { Credentials } from '../measure/credentials.js';
import type { Measurement, TargetId } from '../report/measurement.js';

/** What every target is measured with. */
export interface Bench {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  /** A smoke test: everything runs, the figures mean little. */
  readonly quick: boolean;
  /** Progress, for whoever waits. */
  readonly say: (text: string) => void;
}

export interface Target {
  readonly id: TargetId;
  readonly title: string;
  run(bench: Bench): Promise<readonly Measurement[]>;
}

export function setupOf(bench: Bench, run: EndpointRun, maxEntries = 1_000): ClientSetup {
  const { issuer, tokenEndpoint } = run;
  return { ...bench.credentials, issuer, tokenEndpoint, maxEntries };
}

/** A client with a token endpoint that is counted separately. */
export async function newClient(
  bench: Bench,
  name: ClientName,
  options: { readonly delayMs?: number; readonly lifeSeconds?: number; readonly maxEntries?: number } = {},
): Promise<{ client: TokenClient; run: EndpointRun }> {
  const { delayMs = 0, lifeSeconds = 3_600, maxEntries } = options;
  const run = bench.endpoint.newRun({ delayMs, lifeSeconds });
  return { client: await CLIENTS[name](setupOf(bench, run, maxEntries)), run };
}

export const ns = (value: number): string => `${Math.round(value)} ns`;
export const us = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} µs`;
export const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
export const mb = (value: number): string => `${Math.round(value)} MB`;
