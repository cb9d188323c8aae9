import { beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import { createError } from '../errors/index.js';
import {
  CallObservers,
  ClientRegistry,
  RequestContext,
  type CallObserver,
  type CallOutcome,
  type OutboundCall,
} from '../signals/index.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { DestinationList } from './destination-list.js';
import { checkDestination, type CheckedDestination } from '../issuer/index.js';
import type { OutboundClient, OutboundTokens } from './outbound-client.js';
import { maskinportenFetch } from './maskinporten-fetch.js';
import { deepText, rejection, ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TOKEN, TwoServers, withSpare } from './servers.fixtures.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const consentFrom = (kind: 'person' | 'organization', number: string): { id: string; from: string } => ({
  id: '0b4d1c6a-9f0e-4c39-8d0b-3d2f1a5c7e11',
  from: `urn:altinn:${kind}:identifier-no:${number}`,
});

/** Writes down what it is told. */
class Watcher implements CallObserver {
  readonly intents: OutboundCall[] = [];
  readonly ended: [call: OutboundCall, outcome: CallOutcome][] = [];
  agrees: () => Promise<void> | undefined = () => undefined;

  before(call: OutboundCall): Promise<void> | undefined {
    this.intents.push(call);
    return this.agrees();
  }

  after(call: OutboundCall, outcome: CallOutcome): void {
    this.ended.push([call, outcome]);
  }

  get outcomes(): CallOutcome[] {
    return this.ended.map(([, outcome]) => outcome);
  }
}

describe('call observers', () => {
  const servers = new TwoServers();
  let clients: ClientRegistry<OutboundClient>;
  let observers: CallObservers;
  let watcher: Watcher;
  let stop: () => void;

  beforeEach(() => {
    clients = new ClientRegistry();
    watcher = new Watcher();
    observers = new CallObservers();
    stop = observers.add(watcher);
  });

  /** Tokens of a client of the application, as `MaskinportenModule` registers it. */
  const registered = <T extends OutboundTokens>(tokens: T): T => {
    const destination = checkDestination(servers.server.origin) as CheckedDestination;
    clients.register({ name: 'payroll', tokens, destinations: new DestinationList([destination]), observers });
    return tokens;
  };
  const cached = (): ScriptedTokens => registered(new ScriptedTokens([]).cache(scriptedToken(TOKEN)));
  const attach = (tokens: OutboundTokens, defaults: object = {}): AxiosInstance => {
    const instance = axios.create({ baseURL: servers.server.origin });
    attachMaskinporten(instance, tokens, { scopes: 'acme:read', ...defaults });
    return instance;
  };

  /** The same call through each of the two ways out. */
  type Way = (tokens: OutboundTokens, path: string, request?: object) => Promise<unknown>;
  const WAYS: [name: string, way: Way][] = [
    ['axios', async (tokens, path, request = {}) => attach(tokens).get(path, { maskinporten: request })],
    [
      'fetch',
      async (tokens, path, request = {}) =>
        maskinportenFetch(tokens, { scopes: 'acme:read' })(`${servers.server.origin}${path}`, {
          maskinporten: request,
        }),
    ],
  ];

  describe.each(WAYS)('%s', (_name, call) => {
    it('are told before and after, with nothing that is secret or personal', async () => {
      const context = new RequestContext({ requestId: 'r1', caller: 'acme' });
      await RequestContext.run(context, async () =>
        call(cached(), '/claims/310000027?pid=01819000391', {
          scopes: ['acme:read', 'acme:write'],
          systemUser: { organisation: '310000027' },
        }),
      );
      const host = new URL(servers.server.origin).host;
      expect(watcher.intents).toEqual([
        {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          context,
          client: 'payroll',
          method: 'GET',
          host,
          pathTemplate: '/claims/{id}',
          scopes: ['acme:read', 'acme:write'],
          organisation: '310000027',
          delegated: true,
          tokenJti: `jti-${TOKEN}`,
          kid: undefined,
          startedAt: expect.any(Date),
        },
      ]);
      expect(watcher.ended).toEqual([[watcher.intents[0], { status: 200, durationMs: expect.any(Number) }]]);
      expect(deepText(watcher.ended)).not.toMatch(new RegExp(`01819000391|Bearer|"${TOKEN}"`));
    });

    it.each([
      ['consumerOrg', { consumerOrg: '310000027' }, '310000027', undefined],
      ['the consent of an organisation', { consent: consentFrom('organization', '310000027') }, '310000027', undefined],
      [
        'both',
        { consumerOrg: '310000019', consent: consentFrom('organization', '310000027') },
        '310000019',
        '310000027',
      ],
      ['the consent of a person', { consent: consentFrom('person', '01819000391') }, undefined, undefined],
      ['pid', { pid: '01819000391' }, undefined, undefined],
    ])('T-76: somebody else’s right is a delegated call: %s', async (_what, request, organisation, party) => {
      await call(cached(), '/claims', { scopes: 'acme:read', ...request });
      expect(watcher.intents).toMatchObject([{ delegated: true }]);
      expect(watcher.intents[0]?.organisation).toBe(organisation);
      expect(watcher.intents[0]?.party).toBe(party);
      expect(deepText(watcher.intents)).not.toContain('01819000391');
    });

    it('a call by our own right is not a delegated one', async () => {
      await call(cached(), '/claims', { scopes: 'acme:read', resource: 'https://api.example.no' });
      expect(watcher.intents).toMatchObject([{ delegated: false, organisation: undefined }]);
    });

    it('F-133: nothing is sent when one of them refuses, and the refusal is the error', async () => {
      watcher.agrees = async () => Promise.reject(createError('MP_AUDIT', { message: 'the log is full' }));
      const error = await rejection(call(cached(), '/claims'));
      expect(error).toMatchObject({ code: 'MP_AUDIT', failures: [{ field: 'audit' }] });
      expect(servers.server.arrivals).toHaveLength(0);
      expect(watcher.outcomes).toEqual([{ errorCode: 'MP_AUDIT', durationMs: expect.any(Number) }]);
    });

    it('one that throws refuses too, and what another answers later is not left unheard', async () => {
      const unheard: unknown[] = [];
      const listener = (reason: unknown): void => void unheard.push(reason);
      process.on('unhandledRejection', listener);
      try {
        watcher.agrees = async () => Promise.reject(new Error('the first one'));
        observers.add({
          before: () => {
            throw createError('MP_AUDIT', { message: 'the second one' });
          },
        });
        await rejection(call(cached(), '/claims'));
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        process.off('unhandledRejection', listener);
      }
      expect(unheard).toEqual([]);
      expect(servers.server.arrivals).toHaveLength(0);
      expect(watcher.outcomes).toHaveLength(1);
    });

    it('nothing is sent before they have agreed', async () => {
      const asked = new Promise<() => void>((resolve) => {
        watcher.agrees = async () => new Promise<void>((agree) => resolve(agree));
      });
      const answer = call(cached(), '/claims');
      const agree = await asked;
      expect(servers.server.arrivals).toHaveLength(0);
      agree();
      await answer;
      expect(servers.server.arrivals).toHaveLength(1);
    });

    it('F-134: a call that is repeated with another token is two', async () => {
      servers.refuseOnce();
      await call(registered(withSpare()), '/claims');
      expect(watcher.ended.map(([{ tokenJti }, { status }]) => [tokenJti, status])).toEqual([
        [`jti-${TOKEN}`, 401],
        ['jti-token-two', 200],
      ]);
      expect(new Set(watcher.intents.map(({ id }) => id)).size).toBe(2);
    });

    it('hear of a call for which there was no token, without having been asked', async () => {
      const tokens: OutboundTokens = {
        getToken: async () => Promise.reject(createError('MP_NOT_GRANTED', { message: 'no' })),
        peek: () => undefined,
        renew: async () => Promise.resolve(undefined),
      };
      expect(await rejection(call(registered(tokens), '/claims'))).toMatchObject({ code: 'MP_NOT_GRANTED' });
      expect(watcher.intents).toEqual([]);
      expect(watcher.ended).toEqual([
        [
          expect.objectContaining({ tokenJti: undefined, delegated: false }),
          { errorCode: 'MP_NOT_GRANTED', durationMs: expect.any(Number) },
        ],
      ]);
    });

    it('hear the code of the transport when nobody answers', async () => {
      servers.server.answer = (request) => request.socket.destroy();
      await rejection(call(cached(), '/claims'));
      expect(watcher.outcomes[0]?.errorCode).toMatch(/^(ECONNRESET|UND_ERR_SOCKET)$/);
    });

    it('F-138: what one throws afterwards changes nothing, and nobody is told once the watching has ended', async () => {
      observers.add({
        after: () => {
          throw new Error('canary');
        },
      });
      const tokens = cached();
      await call(tokens, '/claims');
      stop();
      await call(tokens, '/claims');
      expect(watcher.ended).toHaveLength(1);
    });

    it('the path that is shown can be given, and a wrong one is refused before anything is sent', async () => {
      const tokens = cached();
      await call(tokens, '/claims/310000027', { pathTemplate: '/claims/{orgno}' });
      expect(watcher.intents[0]).toMatchObject({ pathTemplate: '/claims/{orgno}', scopes: ['acme:read'] });
      for (const pathTemplate of ['/claims/310000027', '/claims?x', 'claims']) {
        expect(await rejection(call(tokens, '/claims', { pathTemplate }))).toMatchObject({
          code: 'MP_REQUEST',
          failures: [{ field: 'pathTemplate' }],
        });
      }
      expect(servers.server.arrivals).toHaveLength(1);
    });

    it('the trace goes on to listed destinations, with an id of its own for each attempt', async () => {
      servers.refuseOnce();
      const context = new RequestContext({ requestId: 'r1', traceparent: TRACEPARENT });
      await RequestContext.run(context, async () => call(registered(withSpare()), '/claims'));
      const [first, second] = servers.server.arrivals.map(({ traceparent }) => traceparent);
      for (const header of [first, second]) {
        expect(header).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
      }
      expect(new Set([first, second, TRACEPARENT]).size).toBe(3);
      await call(registered2(), '/claims');
      expect(servers.server.arrivals.at(-1)?.traceparent).toBeUndefined();
    });
  });

  /** A second client, for calls outside a request. */
  const registered2 = (): ScriptedTokens => {
    clients = new ClientRegistry();
    return cached();
  };

  it('hear of the end of a call whose transport throws instead of rejecting', async () => {
    const instance = attach(cached());
    const sending = instance.get('/a', {
      adapter: () => {
        throw Object.assign(new Error('canary'), { code: 'ECANARY' });
      },
    });
    expect(await rejection(sending)).toMatchObject({ code: 'ECANARY' });
    expect(watcher.outcomes).toEqual([{ errorCode: 'ECANARY', durationMs: expect.any(Number) }]);
  });

  it('a traceparent of the caller is left alone, and a call without our token gets none', async () => {
    const context = new RequestContext({ requestId: 'r1', traceparent: TRACEPARENT });
    const instance = attach(cached());
    await RequestContext.run(context, async () => {
      await instance.get('/a', { headers: { Traceparent: '00-own' } });
      await instance.get('/b', { headers: { authorization: 'Basic own' } });
    });
    expect(servers.server.arrivals.map(({ traceparent }) => traceparent)).toEqual(['00-own', undefined]);
    expect(watcher.intents.map(({ pathTemplate }) => pathTemplate)).toEqual(['/a']);
  });

  it('tokens outside any module are watched by nobody', async () => {
    await servers.attached().get(`${servers.server.origin}/x`);
    expect(watcher.intents).toEqual([]);
  });
});
