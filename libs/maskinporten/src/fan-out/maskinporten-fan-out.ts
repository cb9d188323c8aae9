import { Injectable, Optional } from '@nestjs/common';
import { moduleNotImported } from '../errors/index.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { DEFAULT_CLIENT, runInTokenContext } from '../outbound/index.js';
import { ClientRegistry, type WatchedTokenService } from '../signals/index.js';
import { BatchTokens } from './batch-tokens.js';
import {
  checkedOptions,
  type FanOutOptions,
  type FanOutOutcome,
  type FanOutProgress,
  type FanOutWork,
} from './fan-out-options.js';
import { FanOutRun } from './fan-out-run.js';
import { OutageWatch } from './outage-watch.js';

/**
 * Does the same for many organisations: each piece of work runs in a context with its own token. Items are taken from
 * their source only as fast as they are worked on, the tokens of the next ones are fetched meanwhile, one item's failure
 * stays its own, and while Maskinporten is down the run waits (F-143). Its token requests are `batch`.
 *
 * @example
 * for await (const outcome of fanOut.run(customers, { request: ({ orgno }) => ({ scopes, systemUser: { organisation: orgno } }) },
 *   async ({ orgno }) => (await http.axiosRef.get(`/claims/${orgno}`)).data)) {
 *   if (outcome.status === 'failed') logger.warn(outcome.error);
 * }
 */
@Injectable()
export class MaskinportenFanOut {
  readonly #clients: ClientRegistry;

  constructor(@Optional() clients?: ClientRegistry) {
    if (clients === undefined) throw moduleNotImported('MaskinportenFanOut');
    this.#clients = clients;
  }

  /**
   * Begins with the first turn of the loop. Leaving the loop ends the run: the `signal` of the work fires, and what runs
   * is waited for.
   *
   * @param items may be endless: no more are held than are worked on, and as many again
   * @throws TokenRequestInvalidError (`MP_REQUEST`) when an option is wrong
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when there is no such client
   */
  run<Item, Value>(
    items: Iterable<Item> | AsyncIterable<Item>,
    options: FanOutOptions<Item>,
    work: FanOutWork<Item, Value>,
  ): AsyncIterable<FanOutOutcome<Item, Value>> {
    const checked = checkedOptions(options);
    const { client = DEFAULT_CLIENT } = checked;
    return outcomesOf(items, checked, work, this.#clients.get(client).tokens);
  }
}

const nowMs = (): number => performance.now();

async function* outcomesOf<Item, Value>(
  items: Iterable<Item> | AsyncIterable<Item>,
  options: ReturnType<typeof checkedOptions<Item>>,
  work: FanOutWork<Item, Value>,
  service: WatchedTokenService,
): AsyncGenerator<FanOutOutcome<Item, Value>, void, undefined> {
  const { client, total, onProgress, maxOutageMs, concurrency, signal } = options;
  const startedMs = nowMs();
  const outage = new OutageWatch({
    nowMs,
    onChange: () => {
      tokens.outageChanged();
      report();
    },
  });
  const tokens = new BatchTokens(service, outage, maxOutageMs);
  const run = new FanOutRun<Item, Value>({
    items,
    concurrency,
    signal,
    work,
    request: (item) => normaliseTokenRequest(options.request(item)),
    token: async (request, end) => tokens.get(request, end),
    run: async (request, task) =>
      runInTokenContext(Object.freeze({ request, client, priority: 'batch' as const }), task),
    onChange: () => report(),
  });
  const report = (): void => {
    if (onProgress === undefined) return;
    try {
      onProgress(
        progressOf(run, { total, elapsedMs: nowMs() - startedMs - outage.pausedMs, pausedSince: outage.since }),
      );
    } catch {
      // Who only looks on must not end the run (F-138).
    }
  };
  const stopListening = service.onEvent(outage.listen);
  try {
    yield* run.outcomes();
  } finally {
    stopListening();
    tokens.close();
  }
}

function progressOf(
  { done, failed, running }: Pick<FanOutProgress, 'done' | 'failed' | 'running'>,
  facts: { readonly total: number | undefined; readonly elapsedMs: number; readonly pausedSince: Date | undefined },
): FanOutProgress {
  const { total, elapsedMs, pausedSince } = facts;
  const finished = done + failed;
  const perSecond = elapsedMs > 0 ? (finished / elapsedMs) * 1_000 : 0;
  const etaMs =
    total === undefined || perSecond === 0 ? undefined : (Math.max(total - finished, 0) / perSecond) * 1_000;
  return Object.freeze({ done, failed, running, total, perSecond, etaMs, pausedSince });
}
