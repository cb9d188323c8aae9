import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { context, propagation, ROOT_CONTEXT, trace, type Context, type ContextManager } from '@opentelemetry/api';
import axios from 'axios';
import { RequestContext } from '../signals/index.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { maskinportenFetch } from './maskinporten-fetch.js';
import { ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TOKEN, TwoServers } from './servers.fixtures.js';

const ARRIVED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const INSTRUMENTED = '00-11111111111111111111111111111111-2222222222222222-01';

/** What an instrumentation of undici does with each request. */
function instrument(message: unknown): void {
  (message as { request: { addHeader(name: string, value: string): void } }).request.addHeader(
    'traceparent',
    INSTRUMENTED,
  );
}

/** Only what a test needs of a context manager: one context for everything. */
class OneContext implements ContextManager {
  constructor(private readonly current: Context) {}
  active(): Context {
    return this.current;
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    _context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return fn.call(thisArg as ThisParameterType<F>, ...args);
  }
  bind<T>(_context: Context, target: T): T {
    return target;
  }
  enable(): this {
    return this;
  }
  disable(): this {
    return this;
  }
}

const inRequest = async (send: () => Promise<unknown>): Promise<unknown> =>
  RequestContext.run(new RequestContext({ requestId: 'r', traceparent: ARRIVED }), send);

describe('traceparent', () => {
  const servers = new TwoServers();
  const arrived = (): (string | undefined)[] => servers.server.arrivals.map(({ traceparent }) => traceparent);
  const fetching = async (): Promise<unknown> =>
    maskinportenFetch(new ScriptedTokens([]).cache(scriptedToken(TOKEN)), {
      scopes: 'acme:read',
      destinations: [servers.server.origin],
    })(servers.server.origin);
  const viaAxios = (adapter: 'http' | 'fetch') => async (): Promise<unknown> => {
    const instance = axios.create({ adapter });
    attachMaskinporten(instance, new ScriptedTokens([]).cache(scriptedToken(TOKEN)), {
      scopes: 'acme:read',
      destinations: [servers.server.origin],
    });
    return instance.get(servers.server.origin);
  };

  beforeEach(() => subscribe('undici:request:create', instrument));
  afterEach(() => {
    unsubscribe('undici:request:create', instrument);
    context.disable();
    trace.disable();
    propagation.disable();
  });

  it('is ours where nobody traces', async () => {
    unsubscribe('undici:request:create', instrument);
    for (const send of [fetching, viaAxios('http'), viaAxios('fetch')]) await inRequest(send);
    expect(arrived()).toHaveLength(3);
    for (const each of arrived()) expect(each).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
  });

  it('is the instrumentation’s alone when undici is instrumented, with an active span and without', async () => {
    const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
    for (const current of [ROOT_CONTEXT, trace.setSpan(ROOT_CONTEXT, span)]) {
      context.disable();
      context.setGlobalContextManager(new OneContext(current));
      for (const send of [fetching, viaAxios('fetch')]) await inRequest(send);
    }
    expect(arrived()).toEqual(Array(4).fill(INSTRUMENTED));
  });

  it('is left to the instrumentation of http when a span is active', async () => {
    const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
    context.setGlobalContextManager(new OneContext(trace.setSpan(ROOT_CONTEXT, span)));
    await inRequest(viaAxios('http'));
    expect(arrived()).toEqual([undefined]);
    context.disable();
    context.setGlobalContextManager(new OneContext(ROOT_CONTEXT));
    await inRequest(viaAxios('http'));
    expect(arrived()[1]).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-/);
  });
});
