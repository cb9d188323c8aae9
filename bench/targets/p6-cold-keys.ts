import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { BurstResult, BurstSettings } from '../apps/burst.js';
import type { ClientName } from '../clients/client.js';
import { alternate } from '../measure/alternate.js';
import { median, medianRatio } from '../measure/statistics.js';
import type { Measurement } from '../report/measurement.js';
import { mb, ms, setupOf, type Bench, type Target } from './target.js';

const DELAY_MS = 20;
const NAMES = ['ours', 'hand-written'] as const;
type Name = (typeof NAMES)[number];

const ONE_TICK = 'all calls come in one tick, and checking and starting them all is one piece of work';

interface Burst extends BurstResult {
  readonly worstAgeSeconds: number;
}

export const coldKeys: Target = {
  id: 'P6',
  title: 'many cold keys at once',
  async run(bench) {
    const keys = bench.quick ? 100 : 5_000;
    const bursts: Record<Name, Burst[]> = { ours: [], 'hand-written': [] };
    await alternate(
      NAMES.map((name) => ({
        name,
        measure: async () => {
          bursts[name].push(await runBurst(bench, name, keys));
          return 0;
        },
      })),
      { rounds: bench.quick ? 1 : 5, warmUps: 0 },
    );
    const of = (name: Name, figure: (burst: Burst) => number): number[] => bursts[name].map(figure);
    const line = (
      measure: string,
      figure: (burst: Burst) => number,
      text: (value: number) => string,
      limit: NonNullable<Measurement['limit']>,
      reason?: string,
    ): Measurement => ({
      target: 'P6',
      measure: `${keys} cold keys at once: ${measure}`,
      ours: text(median(of('ours', figure))),
      peer: `hand-written: ${text(median(of('hand-written', figure)))}`,
      value: medianRatio(of('ours', figure), of('hand-written', figure)),
      decimals: 3,
      limit,
      ...(reason === undefined ? {} : { reason }),
    });
    const perSecond = ({ tokens, totalMs }: Burst): number => (tokens / totalMs) * 1_000;
    const before = (name: Name): number => median(of(name, ({ rssBeforeMb }) => rssBeforeMb));
    const failures = (name: Name): number => Math.max(...of(name, (burst) => burst.failures));
    return [
      line('tokens per second', perSecond, (value) => `${Math.round(value)}/s`, { atLeast: 1.2 }),
      line('worst gap of the event loop', ({ worstLoopGapMs }) => worstLoopGapMs, ms, { atMost: 0.1 }, ONE_TICK),
      line('worst dns.lookup', ({ worstLookupMs }) => worstLookupMs, ms, { atMost: 0.02 }, ONE_TICK),
      line(
        'peak RSS',
        ({ peakRssMb }) => peakRssMb,
        mb,
        { atMost: 0.5 },
        `a part of it is there before the burst: ${mb(before('ours'))}, hand-written ${mb(before('hand-written'))}`,
      ),
      {
        target: 'P6',
        measure: `${keys} cold keys at once: age of any grant when it arrives`,
        ours: `${Math.max(...of('ours', ({ worstAgeSeconds }) => worstAgeSeconds)).toFixed(1)} s`,
        peer: `hand-written: ${Math.max(...of('hand-written', ({ worstAgeSeconds }) => worstAgeSeconds)).toFixed(1)} s`,
        value: Math.max(...of('ours', ({ worstAgeSeconds }) => worstAgeSeconds)),
        unit: ' s',
        decimals: 1,
        limit: { atMost: 5 },
      },
      {
        target: 'P6',
        measure: `${keys} cold keys at once: calls that failed`,
        ours: String(failures('ours')),
        peer: `hand-written: ${failures('hand-written')}`,
        value: failures('ours'),
        unit: '',
        decimals: 0,
        limit: { atMost: 0 },
        ...(bursts.ours.some(({ firstFailure }) => firstFailure !== undefined)
          ? { reason: bursts.ours.find(({ firstFailure }) => firstFailure !== undefined)?.firstFailure ?? '' }
          : {}),
      },
    ];
  },
};

async function runBurst(bench: Bench, client: ClientName, keys: number): Promise<Burst> {
  const run = bench.endpoint.newRun({ delayMs: DELAY_MS, lifeSeconds: 3_600 });
  const settings: BurstSettings = { client, keys, setup: setupOf(bench, run, keys) };
  const child = fork(new URL('../apps/burst.js', import.meta.url), [], {
    execArgv: [],
    env: { ...process.env, BENCH_SETTINGS: JSON.stringify(settings) },
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`The burst of ${client} ended with ${String(code)} and without a result.`);
  });
  const [result] = (await Promise.race([once(child, 'message'), failed])) as [BurstResult];
  await failed.catch(() => undefined);
  const { worstAgeSeconds } = await bench.endpoint.statsOf(run);
  return { ...result, worstAgeSeconds };
}
