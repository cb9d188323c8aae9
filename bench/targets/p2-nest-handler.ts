import type { ChildProcess } from 'node:child_process';
import { Agent, get } from 'node:http';
import { startApp, cpuOfApp, stopApp, type AppSettings } from '../apps/messages.js';
import { alternate } from '../measure/alternate.js';
import { median, medianRatio } from '../measure/statistics.js';
import { newClient, us, type Bench, type Target } from './target.js';

const CONCURRENCY = 8;

export async function appSettings(bench: Bench): Promise<AppSettings> {
  const { client, run } = await newClient(bench, 'hand-written');
  const staticToken = client.valueOf(await client.get());
  return { ...bench.credentials, ...run, apiOrigin: bench.endpoint.origin, staticToken };
}

export const nestHandler: Target = {
  id: 'P2',
  title: 'processor time of a Nest handler',
  async run(bench) {
    const settings = await appSettings(bench);
    const apps = {
      ours: startApp('with-module', settings),
      bare: startApp('without-module', settings),
      // The same application once more: how far from 1 the ratio of two equals is on this machine.
      control: startApp('without-module', settings),
    };
    const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });
    try {
      const sides = await Promise.all(
        (['ours', 'bare', 'control'] as const).map(async (name) => {
          const { child, listening } = apps[name];
          return { name, child, origin: `http://127.0.0.1:${(await listening).port}` };
        }),
      );
      const [rounds, requests] = bench.quick ? [2, 60] : [31, 500];
      const compare = async (path: string): Promise<Record<keyof typeof apps, number[]>> =>
        alternate(
          sides.map(({ name, child, origin }) => ({
            name,
            measure: handlerCpu(child, `${origin}${path}`, requests, agent),
          })),
          { rounds, warmUps: bench.quick ? 1 : 8 },
        );
      const undecorated = await compare('/version');
      const decorated = await compare('/orders');
      const afterwards = await compare('/version');
      return [
        {
          target: 'P2',
          measure: 'CPU of a decorated handler with one outgoing call',
          ours: us(median(decorated.ours)),
          peer: `static header, no module: ${us(median(decorated.bare))}`,
          reason: 'AsyncLocalStorage, which carries the scopes, costs every promise something on Node 20',
          value: medianRatio(decorated.ours, decorated.bare),
          decimals: 3,
          limit: { atMost: 1.1 },
          everyNode: true,
        },
        {
          target: 'P2',
          measure: 'CPU of an undecorated handler',
          ours: us(median(undecorated.ours)),
          peer: `without the module: ${us(median(undecorated.bare))}`,
          value: medianRatio(undecorated.ours, undecorated.bare),
          decimals: 3,
          limit: { atMost: 1.01 },
          everyNode: true,
          reason: 'nothing of the module runs on this route; the control below shows how exact this run is',
        },
        {
          target: 'P2',
          measure: 'the same after decorated handlers have run (AsyncLocalStorage is in use)',
          ours: us(median(afterwards.ours)),
          peer: `without the module: ${us(median(afterwards.bare))}`,
          value: medianRatio(afterwards.ours, afterwards.bare),
          decimals: 3,
        },
        {
          target: 'P2',
          measure: 'control: CPU of an undecorated handler, without the module ÷ the same',
          ours: us(median(undecorated.control)),
          peer: `without the module: ${us(median(undecorated.bare))}`,
          value: medianRatio(undecorated.control, undecorated.bare),
          decimals: 3,
        },
      ];
    } finally {
      agent.destroy();
      for (const { child } of Object.values(apps)) await stopApp(child);
    }
  },
};

/** Microseconds of processor time per request, as the application's own process counts it. */
function handlerCpu(child: ChildProcess, url: string, requests: number, agent: Agent): () => Promise<number> {
  return async () => {
    const before = await cpuOfApp(child);
    let left = requests;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await call(url, agent);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    return ((await cpuOfApp(child)) - before) * (1_000 / requests);
  };
}

function call(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
    }).on('error', reject);
  });
}
