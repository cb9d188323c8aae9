import { performance } from 'node:perf_hooks';
import type { ClientName, TokenClient } from '../clients/client.js';
import { alternate } from '../measure/alternate.js';
import { organisations } from '../measure/organisations.js';
import { cpuOf } from '../measure/process-watch.js';
import { median, medianRatio } from '../measure/statistics.js';
import type { Measurement } from '../report/measurement.js';
import { ms, newClient, type Target } from './target.js';

const NAMES = ['ours', 'openid-client', 'hand-written', 'google-auth-library', '@vtfk/maskinporten-auth'] as const;

export const coldToken: Target = {
  id: 'P4',
  title: 'cold tokens, one after the other',
  async run(bench) {
    const batch = bench.quick ? 5 : 30;
    const rounds = bench.quick ? 3 : 21;
    const series = organisations();
    const clients = new Map<ClientName, TokenClient>();
    for (const name of NAMES) clients.set(name, (await newClient(bench, name)).client);
    const cpu = Object.fromEntries(NAMES.map((name) => [name, []])) as unknown as Record<ClientName, number[]>;
    const latency = await alternate(
      NAMES.map((name) => ({
        name,
        measure: async () => {
          const client = clients.get(name);
          const times: number[] = [];
          const spent = await cpuOf(async () => {
            for (let turn = 0; turn < batch; turn += 1) {
              const organisation = series.next().value;
              const started = performance.now();
              await client?.get(organisation);
              times.push(performance.now() - started);
            }
          });
          cpu[name].push(spent / batch);
          return median(times);
        },
      })),
      { rounds, warmUps: 2 },
    );
    for (const name of NAMES) cpu[name].splice(0, 2);
    await Promise.all([...clients.values()].map(async (client) => client.close()));

    const line = (
      measure: string,
      figures: Record<(typeof NAMES)[number], number[]>,
      peer: (typeof NAMES)[number],
      atMost?: number,
    ): Measurement => ({
      target: 'P4',
      measure,
      ours: ms(median(figures.ours)),
      peer: `${clients.get(peer)?.name ?? peer}: ${ms(median(figures[peer]))}`,
      value: medianRatio(figures.ours, figures[peer]),
      ...(atMost === undefined ? {} : { limit: { atMost }, everyNode: true }),
    });
    return [
      line('cold token, latency', latency, 'openid-client', 0.75),
      line('cold token, CPU of the client', cpu, 'openid-client', 0.7),
      ...(['hand-written', 'google-auth-library', '@vtfk/maskinporten-auth'] as const).flatMap((peer) => [
        line('cold token, latency', latency, peer),
        line('cold token, CPU of the client', cpu, peer),
      ]),
    ];
  },
};
