import axios, {
  type AxiosAdapter,
  type AxiosInstance,
  type AxiosRequestConfig,
  type InternalAxiosRequestConfig,
} from 'axios';
import { configurationError } from '../errors/index.js';
import type { AnyAxiosInstance } from './axios-options.js';
import type { Transport } from './bearer-call.js';
import type { InstanceDefaults } from './call-options.js';
import { guardInterceptors } from './guard-interceptors.js';
import { clientsAround, type ClientSource, type OutboundTokens } from './outbound-client.js';
import { OutboundPolicy } from './outbound-policy.js';
import { hasOwnAuthorization } from './private-config.js';
import type { ScopesInput } from './token-context.js';

type AdapterOption = NonNullable<AxiosRequestConfig['adapter']>;

/** Survives `instance.create()`, which copies the adapter; a second copy of this package knows it too. */
const ATTACHED = Symbol.for('nestjs-maskinporten.attached');

/** An instance whose calls carry tokens. */
export interface Attachment {
  /** The instance is again what it was before. */
  detach(): void;
  /** Its calls are refused from now on, unless they carry their own `Authorization` (F-144). */
  close(): void;
}

/**
 * Makes an existing axios instance carry Maskinporten tokens: each call gets the token that its context (`@Scopes`,
 * `MaskinportenContext.run`) or its own option `maskinporten` asks for, and only when it goes to a listed destination.
 * Redirects are not followed, environment proxies are not used, and nothing of the token is left in answers or errors.
 * Instances made with `instance.create()` from now on are attached in the same way.
 *
 * When the application of `tokens` is closed, calls are refused with `MP_ABORTED`; none is sent without a token.
 *
 * @param instance an instance made with `axios.create()`; never the process-wide `axios`
 * @param tokens the token service of the client that normally asks
 * @param defaults a request for calls without a context, and limits; see `InstanceDefaults`
 * @returns a function that detaches: the instance is again an ordinary one, whose calls go out without a token. Calling
 *   it twice does nothing more.
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) for the global instance, an attached instance or wrong defaults
 * @example
 * const detach = attachMaskinporten(axios.create({ baseURL: 'https://api.example.no' }), tokens, { scopes: 'example:read' });
 */
export function attachMaskinporten(
  instance: AnyAxiosInstance,
  tokens: OutboundTokens,
  defaults?: ScopesInput | InstanceDefaults,
): () => void {
  const attachment = attachClients(instance as AxiosInstance, clientsAround(tokens), defaults);
  return () => attachment.detach();
}

/** The same for an instance that belongs to an application rather than to one token service. */
export function attachClients(
  instance: AxiosInstance,
  source: ClientSource,
  defaults?: ScopesInput | InstanceDefaults,
): Attachment {
  refuseGlobal(instance);
  if (isAttached(instance.defaults.adapter)) {
    throw refusal('this axios instance already carries tokens: attach it once only');
  }
  if (instance.defaults.maskinporten !== undefined) {
    throw refusal(
      'axios merges its defaults into each call: give the request as third argument of attachMaskinporten instead',
    );
  }
  const policy = new OutboundPolicy(source, defaults);
  return { detach: attach(instance, policy, { over: false }), close: () => policy.close() };
}

/** @param attachment shared with the instances that are made from this one */
function attach(instance: AxiosInstance, policy: OutboundPolicy, attachment: { over: boolean }): () => void {
  const { defaults } = instance;

  const { adapter, maxContentLength } = defaults;
  const original = adapter ?? ['xhr', 'http', 'fetch'];
  const usual = transportFor(original);
  const plain = Object.getOwnPropertyDescriptor(instance, 'create');
  const create = instance.create.bind(instance);
  // Calls of this instance never come here: their own step puts another adapter in the place of this one.
  const unguarded = mark(async (config) => {
    if (attachment.over || hasOwnAuthorization(config)) return usual.adapterFor(config)(config);
    throw refusal(
      'this axios instance is a copy of one that carries tokens: make it with create() of that instance, or attach a new one',
    );
  });
  defaults.adapter = unguarded;
  // axios's own default: with it, a call that says -1 (no limit) looks like one that says nothing.
  if (maxContentLength === -1) delete defaults.maxContentLength;
  const restoreInterceptors = guardInterceptors(instance, {
    policy,
    transportFor: (chosen) =>
      chosen === undefined || chosen === unguarded || chosen === original ? usual : transportFor(chosen),
  });
  instance.create = (config) => {
    const made = create({ ...config, adapter: config?.adapter ?? original });
    if (!attachment.over) attach(made, policy, attachment);
    return made;
  };
  return () => {
    if (attachment.over) return;
    attachment.over = true;
    restoreInterceptors();
    if (plain !== undefined) Object.defineProperty(instance, 'create', plain);
    if (defaults.adapter === unguarded) {
      if (adapter === undefined) delete defaults.adapter;
      else defaults.adapter = adapter;
    }
    if (maxContentLength === -1) defaults.maxContentLength ??= -1;
  };
}

function transportFor(adapter: AdapterOption): Transport {
  if (typeof adapter === 'function') return { adapterFor: () => adapter, isFetch: false, isForeign: true };
  const names = Array.isArray(adapter) ? adapter : [adapter];
  return {
    adapterFor: (config: InternalAxiosRequestConfig) => {
      // axios's own declaration leaves out the configuration that its fetch adapter is chosen by.
      const resolve: (names: AdapterOption, config: InternalAxiosRequestConfig) => AxiosAdapter = axios.getAdapter;
      return resolve(adapter, config);
    },
    isFetch: names.find((name) => name !== 'xhr') === 'fetch',
    isForeign: names.some((name) => typeof name === 'function'),
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
