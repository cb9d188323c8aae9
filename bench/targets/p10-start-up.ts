import { performance } from 'node:perf_hooks';
import { startApp, stopApp } from '../apps/messages.js';
import { alternate } from '../measure/alternate.js';
import { median, medianRatio } from '../measure/statistics.js';
import { appSettings } from './p2-nest-handler.js';
import { mb, ms, type Target } from './target.js';

const NAMES = ['with-module', 'without-module'] as const;

const REASON =
  'undici is 70 to 100 ms of it, the rest is some 300 modules of the library itself; undici cannot be loaded on first use on Node 20, where import() fails in a process with a polluted prototype (T-31)';

export const startUp: Target = {
  id: 'P10',
  title: 'start to listening',
  async run(bench) {
    const settings = await appSettings(bench);
    const rss: Record<(typeof NAMES)[number], number[]> = {
      'with-module': [],
      'without-module': [],
    };
    const warmUps = bench.quick ? 0 : 1;
    const times = await alternate(
      NAMES.map((name) => ({
        name,
        measure: async () => {
          const started = performance.now();
          const { child, listening } = startApp(name, settings);
          const { rssBytes } = await listening;
          const elapsedMs = performance.now() - started;
          rss[name].push(rssBytes / 2 ** 20);
          await stopApp(child);
          return elapsedMs;
        },
      })),
      { rounds: bench.quick ? 1 : 31, warmUps },
    );
    for (const name of NAMES) rss[name].splice(0, warmUps);
    const [ours, bare] = NAMES.map((name) => median(rss[name])) as [number, number];
    return [
      {
        target: 'P10',
        measure: 'start to listening',
        ours: ms(median(times['with-module'])),
        peer: `@nestjs/axios only: ${ms(median(times['without-module']))}`,
        value: medianRatio(times['with-module'], times['without-module']),
        decimals: 3,
        limit: { atMost: 1.15 },
        everyNode: true,
        reason: REASON,
      },
      {
        target: 'P10',
        measure: 'RSS when listening: difference',
        ours: mb(ours),
        peer: `@nestjs/axios only: ${mb(bare)}`,
        value: ours - bare,
        unit: ' MB',
        decimals: 1,
        limit: { atMost: 10 },
        everyNode: true,
        reason: REASON,
      },
    ];
  },
};
