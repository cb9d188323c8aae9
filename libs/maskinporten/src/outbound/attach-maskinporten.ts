import axios, {
  type AxiosAdapter,
  type AxiosInstance,
  type AxiosRequestConfig,
  type InternalAxiosRequestConfig,
} from 'axios';
import { configurationError } from '../errors/index.js';
import { createBearerAdapter, type Transport } from './bearer-adapter.js';
import type { InstanceDefaults } from './call-options.js';
import { clientsAround, type ClientSource, type OutboundTokens } from './maskinporten-clients.js';
import { OutboundPolicy } from './outbound-policy.js';
import type { ScopesInput } from './scoped-request.js';

type AdapterOption = NonNullable<AxiosRequestConfig['adapter']>;

/** Survives `instance.create()`, which copies the adapter; a second copy of this package knows it too. */
const ATTACHED = Symbol.for('nestjs-maskinporten.attached');

/**
 * Makes an existing axios instance carry Maskinporten tokens: each call gets the token that its context (`@Scopes`,
 * `MaskinportenContext.run`) or its own option `maskinporten` asks for, and only when it goes to a listed destination.
 * Redirects are not followed, environment proxies are not used, and nothing of the token is left in answers or errors.
 *
 * @param instance an instance made with `axios.create()`; never the process-wide `axios`
 * @param tokens the token service of the client that normally asks
 * @param defaults a request for calls without a context, and limits; see `InstanceDefaults`
 * @returns a function that detaches; calling it twice does nothing more
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) for the global instance, an attached instance or wrong defaults
 * @example
 * const detach = attachMaskinporten(axios.create({ baseURL: 'https://api.example.no' }), tokens, { scopes: 'example:read' });
 */
export function attachMaskinporten(
  instance: AxiosInstance,
  tokens: OutboundTokens,
  defaults?: ScopesInput | InstanceDefaults,
): () => void {
  return attachClients(instance, clientsAround(tokens), defaults);
}

/** The same for an instance that belongs to an application rather than to one token service. */
export function attachClients(
  instance: AxiosInstance,
  source: ClientSource,
  defaults?: ScopesInput | InstanceDefaults,
): () => void {
  refuseGlobal(instance);
  const original = instance.defaults.adapter ?? ['xhr', 'http', 'fetch'];
  if (isAttached(original)) throw refusal('this axios instance already carries tokens: attach it once only');
  if (instance.defaults.maskinporten !== undefined) {
    throw refusal(
      'axios merges its defaults into each call: give the request as third argument of attachMaskinporten instead',
    );
  }
  const policy = new OutboundPolicy(source, defaults);
  const bearer = mark(createBearerAdapter(transportFor(original), policy));
  instance.defaults.adapter = bearer;
  // A call may name an adapter of its own, which would otherwise go around ours and be sent without a token.
  const guard = instance.interceptors.request.use(
    (config) => {
      const own = config.adapter ?? original;
      config.adapter = mark(createBearerAdapter(transportFor(own), policy));
      return config;
    },
    undefined,
    { synchronous: true, runWhen: (config) => !isAttached(config.adapter) },
  );
  let attached = true;
  return () => {
    if (!attached) return;
    attached = false;
    instance.interceptors.request.eject(guard);
    if (instance.defaults.adapter === bearer) instance.defaults.adapter = original;
  };
}

function transportFor(adapter: AdapterOption): Transport {
  const names = Array.isArray(adapter) ? adapter : [adapter];
  const isFetch = names.find((name) => name !== 'xhr') === 'fetch';
  if (typeof adapter === 'function') return { adapterFor: () => adapter, isFetch };
  return {
    adapterFor: (config: InternalAxiosRequestConfig) => {
      // axios's own declaration leaves out the configuration that its fetch adapter is chosen by.
      const resolve: (names: AdapterOption, config: InternalAxiosRequestConfig) => AxiosAdapter = axios.getAdapter;
      return resolve(adapter, config);
    },
    isFetch,
  };
}

/** The default export is shared by everybody in the process; only it has the statics, in every build of axios (T-25). */
function refuseGlobal(instance: AxiosInstance): void {
  if (instance === axios || 'CancelToken' in instance || 'isAxiosError' in instance) {
    throw refusal(
      'this is the process-wide axios, so every call of every library would be affected: use axios.create()',
    );
  }
}

function mark(adapter: AxiosAdapter): AxiosAdapter {
  return Object.defineProperty(adapter, ATTACHED, { value: true });
}

function isAttached(adapter: unknown): boolean {
  return (typeof adapter === 'function' && ATTACHED in adapter) || (Array.isArray(adapter) && adapter.some(isAttached));
}

function refusal(reason: string): Error {
  return configurationError([{ field: 'attachMaskinporten', code: 'MP_CONFIG', reason }]);
}
