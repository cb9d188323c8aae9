import { performance } from 'node:perf_hooks';
import type { ClientName, TokenClient } from '../clients/client.js';
import { endOfToken, type EndpointRun } from '../endpoint/endpoint.js';
import { newClient, type Target } from './target.js';

const NAMES = ['ours', 'openid-client', 'hand-written', 'google-auth-library'] as const;
const INTERVAL_MS = 20;
const DELAY_MS = 100;
const LONG_WAIT_MS = 50;

interface Observed {
  readonly client: TokenClient;
  readonly run: EndpointRun;
  calls: number;
  waited: number;
  failed: number;
  nearlyEnded: number;
}

export const expiry: Target = {
  id: 'P7',
  title: 'steady calls over two expiries (real time)',
  async run(bench) {
    const [seconds, lifeSeconds] = bench.quick ? [11, 5] : [250, 120];
    const observed = new Map<ClientName, Observed>();
    for (const name of NAMES) {
      const made = await newClient(bench, name, { delayMs: DELAY_MS, lifeSeconds });
      // The first token is fetched before: what is watched is how tokens are replaced.
      await made.client.get();
      observed.set(name, { ...made, calls: 0, waited: 0, failed: 0, nearlyEnded: 0 });
    }
    // Five seconds of tokens that live for minutes, a fifth of shorter ones.
    const leftMs = Math.min(5, lifeSeconds * 0.2) * 1_000;
    const pending = new Set<Promise<void>>();
    const started = performance.now();
    const deadline = started + seconds * 1_000;
    await new Promise<void>((resolve) => {
      let due = started;
      const tick = (): void => {
        for (; due <= performance.now(); due += INTERVAL_MS) {
          for (const client of observed.values()) {
            const call = oneCall(client, leftMs).finally(() => pending.delete(call));
            pending.add(call);
          }
        }
        if (performance.now() >= deadline) resolve();
        else setTimeout(tick, due - performance.now());
      };
      tick();
    });
    await Promise.all(pending);
    const requests = new Map<ClientName, number>();
    for (const [name, { run, client }] of observed) {
      requests.set(name, (await bench.endpoint.statsOf(run)).tokenRequests);
      await client.close();
    }
    const [, ...peers] = NAMES;
    const figure = (name: ClientName, of: (watched: Observed) => number): number => {
      const watched = observed.get(name);
      return watched === undefined ? Number.NaN : of(watched);
    };
    const others = (of: (name: ClientName) => number): string => peers.map((name) => `${name}: ${of(name)}`).join(', ');
    const line = (measure: string, of: (name: ClientName) => number, limit: { atMost: number; atLeast?: number }) =>
      ({
        target: 'P7',
        measure: `50 calls/s for ${seconds} s, ${lifeSeconds} s tokens: ${measure}`,
        ours: String(of('ours')),
        peer: others(of),
        value: of('ours'),
        unit: '',
        decimals: 0,
        limit,
        everyNode: true,
      }) as const;
    return [
      line('token requests', (name) => requests.get(name) ?? Number.NaN, { atLeast: 3, atMost: 5 }),
      line(`calls that waited more than ${LONG_WAIT_MS} ms`, (name) => figure(name, ({ waited }) => waited), {
        atMost: 0,
      }),
      line(`tokens with less than ${leftMs / 1_000} s left`, (name) => figure(name, ({ nearlyEnded }) => nearlyEnded), {
        atMost: 0,
      }),
      line('calls that failed', (name) => figure(name, ({ failed }) => failed), { atMost: 0 }),
    ];
  },
};

async function oneCall(observed: Observed, leftMs: number): Promise<void> {
  const started = performance.now();
  observed.calls += 1;
  try {
    const token = observed.client.valueOf(await observed.client.get());
    if (performance.now() - started > LONG_WAIT_MS) observed.waited += 1;
    if (endOfToken(token) - Date.now() < leftMs) observed.nearlyEnded += 1;
  } catch {
    observed.failed += 1;
  }
}
