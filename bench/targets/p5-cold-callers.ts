import { performance } from 'node:perf_hooks';
import type { ClientName } from '../clients/client.js';
import { alternate } from '../measure/alternate.js';
import { median } from '../measure/statistics.js';
import { newClient, type Target } from './target.js';

const DELAY_MS = 100;
const NAMES = ['ours', 'google-auth-library', 'openid-client', 'hand-written'] as const;

export const coldCallers: Target = {
  id: 'P5',
  title: 'many cold callers who want the same token',
  async run(bench) {
    const callers = bench.quick ? 100 : 1_000;
    const requests = new Map<ClientName, number[]>(NAMES.map((name) => [name, []]));
    const names = new Map<ClientName, string>();
    const figures = await alternate(
      NAMES.map((name) => ({
        name,
        measure: async () => {
          const { client, run } = await newClient(bench, name, { delayMs: DELAY_MS });
          names.set(name, client.name);
          const started = performance.now();
          const tokens = await Promise.all(Array.from({ length: callers }, async () => client.get()));
          const elapsedMs = performance.now() - started;
          if (tokens.some((token) => client.valueOf(token) === '')) throw new Error(`${name} gave an empty token`);
          requests.get(name)?.push((await bench.endpoint.statsOf(run)).tokenRequests);
          await client.close();
          return elapsedMs / DELAY_MS;
        },
      })),
      { rounds: bench.quick ? 1 : 7 },
    );
    const worstRequests = (name: ClientName): number => Math.max(...(requests.get(name) ?? []));
    const others = NAMES.slice(1);
    return [
      {
        target: 'P5',
        measure: `${callers} cold callers: token requests per key`,
        ours: String(worstRequests('ours')),
        peer: others.map((name) => `${name}: ${worstRequests(name)}`).join(', '),
        value: worstRequests('ours'),
        unit: '',
        decimals: 0,
        limit: { atMost: 1, atLeast: 1 },
        everyNode: true,
      },
      {
        target: 'P5',
        measure: `${callers} cold callers: time to serve all ÷ endpoint delay`,
        ours: median(figures.ours).toFixed(2),
        peer: others.map((name) => `${name}: ${median(figures[name]).toFixed(2)}`).join(', '),
        value: median(figures.ours),
        limit: { atMost: 1.25 },
        everyNode: true,
      },
    ];
  },
};
