import { AsyncLocalStorage } from 'node:async_hooks';
import { toTokenContext, type ContextOptions, type TokenContext, type ScopesInput } from './token-context.js';

const storage = new AsyncLocalStorage<TokenContext>();

/** Runs `fn` with a token context that was made before; the hot form of `MaskinportenContext.run`. */
export const runInTokenContext = <T>(tokenContext: TokenContext, fn: () => T): T => storage.run(tokenContext, fn);

export const currentTokenContext = (): TokenContext | undefined => storage.getStore();

/**
 * Which token the outgoing calls of the running code carry. `@Scopes` opens it around a handler; open it yourself
 * where there is no handler: cron jobs, queues, scripts. A nested `run` replaces the request for its own duration.
 *
 * Work that is handed to something started earlier – a worker on a Subject, a batch, a pool – runs in the context of
 * the code that started it: give such calls their own request with the `maskinporten` option, or bind the callback
 * with `AsyncResource.bind`.
 *
 * @example
 * await MaskinportenContext.run('altinn:broker.read', () => firstValueFrom(http.get(url)));
 * @example
 * await MaskinportenContext.run({ scopes: 'altinn:broker.read', priority: 'batch' }, () => nightlyImport());
 */
export const MaskinportenContext = Object.freeze({
  /**
   * Runs `fn`, and everything it starts, with this token request.
   *
   * @throws TokenRequestInvalidError (`MP_REQUEST`) before `fn` is called when the request is not valid.
   */
  run<T>(request: ScopesInput & ContextOptions, fn: () => T): T {
    return storage.run(toTokenContext(request), fn);
  },

  /** The request in force, or undefined outside any context. */
  get current(): TokenContext | undefined {
    return storage.getStore();
  },
});
