import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { AxiosError, type AxiosInstance } from 'axios';
import { sized } from '../../../../test/support/size.js';
import { createTokenService, type TokenServiceConfig } from '../tokens/index.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { MaskinportenContext } from './maskinporten-context.js';
import {
  rejection,
  ScriptedTokens,
  scriptedToken,
  startRecordingServer,
  startWorld,
  type World,
} from './outbound.fixtures.js';
import { TOKEN, TwoServers } from './servers.fixtures.js';

const jtiOf = (data: unknown): string => String((data as { jti: unknown }).jti);

describe('attachMaskinporten against the simulator', () => {
  let world: World;
  let http: AxiosInstance;

  beforeAll(async () => {
    world = await startWorld();
    http = axios.create({ baseURL: world.simulator.apiUrl });
    attachMaskinporten(http, world.tokens, { destinations: [world.simulator.apiUrl] });
  });
  afterAll(async () => world?.close());
  beforeEach(() => world.simulator.operator.clearLog());

  it('S-09: sends the token in the Authorization header, for the scopes of the context', async () => {
    const { data } = await MaskinportenContext.run('acme:read', () => http.get('/whoami'));
    expect(data).toMatchObject({ scope: 'acme:read', client_id: world.options.clientId });
  });

  it('takes the request of the call rather than that of the context', async () => {
    const answer = await MaskinportenContext.run('acme:read', () =>
      http.get('/whoami', { maskinporten: { scopes: ['acme:write'] } }),
    );
    expect(answer.data).toMatchObject({ scope: 'acme:write' });
  });

  it('S-11, T-54: asks for exactly the scopes and the resource that were named', async () => {
    const answer = await http.get('/whoami', {
      maskinporten: { scopes: 'acme:b acme:a', resource: 'https://api.example.no/krav' },
    });
    expect(answer.data).toMatchObject({ scope: 'acme:a acme:b', aud: 'https://api.example.no/krav' });
  });

  it('uses the request of the instance only where there is no other', async () => {
    const instance = axios.create();
    attachMaskinporten(instance, world.tokens, { scopes: 'acme:c', destinations: [world.simulator.apiUrl] });
    const url = `${world.simulator.apiUrl}/whoami`;
    expect((await instance.get(url)).data).toMatchObject({ scope: 'acme:c' });
    const inContext = await MaskinportenContext.run(['acme:a'], () => instance.get(url));
    expect(inContext.data).toMatchObject({ scope: 'acme:a' });
  });

  it('refuses a call that nothing says the scopes of, and sends nothing', async () => {
    expect(await rejection(http.get('/whoami'))).toMatchObject({ code: 'MP_NO_CONTEXT' });
    expect(world.simulator.log).toHaveLength(0);
  });

  it('F-134, F-137: replays once with another token when the API refuses the first', async () => {
    const first = await http.get('/whoami', { maskinporten: 'acme:read' });
    world.simulator.operator.revoke(jtiOf(first.data));
    const second = await http.get('/whoami', { maskinporten: 'acme:read' });
    expect(second.status).toBe(200);
    expect(jtiOf(second.data)).not.toBe(jtiOf(first.data));
  });

  it('F-135: passes a 403 on and does not refresh', async () => {
    await http.get('/whoami', { maskinporten: 'acme:a' });
    const grants = world.grants().length;
    const error = await rejection(http.get('/scope/acme:b', { maskinporten: 'acme:a' }));
    expect(error).toBeInstanceOf(AxiosError);
    expect((error as AxiosError).response?.status).toBe(403);
    expect(world.grants()).toHaveLength(grants);
  });

  it('T-71: many calls to an API that refuses every token cost a handful of token requests', async () => {
    const server = await startRecordingServer();
    server.answer = (_request, response) => response.writeHead(401).end();
    const instance = axios.create();
    // A token may be asked for by force again when time has passed; here none passes, however slow the machine is.
    const clock = { wallMs: () => Date.now(), monotonicMs: () => 0 };
    const { destinations: ignored, ...core } = world.options;
    expect(ignored).not.toContain(server.origin);
    const tokens = await createTokenService({ ...(core as TokenServiceConfig), clock });
    attachMaskinporten(instance, tokens, { scopes: 'acme:write', destinations: [server.origin] });
    for (let batch = 0; batch < sized({ test: 4, soak: 20 }); batch += 1) {
      const calls = Array.from({ length: 50 }, async (_, index) =>
        rejection(index % 2 === 0 ? instance.get(server.origin) : instance.post(server.origin, 'x')),
      );
      for (const error of await Promise.all(calls)) expect((error as AxiosError).response?.status).toBe(401);
    }
    await Promise.all([tokens.close(), server.close()]);
    expect(world.grants().length).toBeLessThanOrEqual(4);
  });
});

const attach = (defaults: object): void => void attachMaskinporten(axios.create(), new ScriptedTokens([]), defaults);

describe('attaching and detaching', () => {
  const servers = new TwoServers();

  it('T-25: refuses the process-wide axios', () => {
    expect(() => attachMaskinporten(axios, new ScriptedTokens([]))).toThrow(/process-wide axios/);
  });

  it('T-27, T-26: refuses an instance that is attached already, and a copy of one', () => {
    const instance = servers.attached();
    expect(() => attachMaskinporten(instance, new ScriptedTokens([]))).toThrow(/already carries tokens/);
    expect(() => attachMaskinporten(instance.create(), new ScriptedTokens([]))).toThrow(/already carries tokens/);
  });

  it('T-26: 100 times attaching and detaching leaves nothing behind', async () => {
    const instance = axios.create();
    const { adapter } = instance.defaults;
    const tokens = new ScriptedTokens([]).cache(scriptedToken(TOKEN));
    for (let cycle = 0; cycle < 100; cycle += 1) {
      const detach = attachMaskinporten(instance, tokens, {
        scopes: 'acme:read',
        destinations: [servers.server.origin],
      });
      if (cycle % 10 === 0) await instance.get(servers.server.origin);
      detach();
      detach();
    }
    expect(instance.defaults.adapter).toBe(adapter);
    let interceptors = 0;
    // `forEach` is what axios itself walks its interceptors with.
    (instance.interceptors.request as unknown as { forEach(fn: () => void): void }).forEach(() => (interceptors += 1));
    expect(interceptors).toBe(0);
    await instance.get(servers.server.origin);
    expect(servers.server.arrivals.at(-1)?.authorization).toBeUndefined();
    expect(servers.server.arrivals).toHaveLength(11);
  });

  it('carries a token also through an adapter that one call brings', async () => {
    const seen: unknown[] = [];
    const instance = servers.attached();
    const response = await instance.get(servers.server.origin, {
      adapter: async (config) => {
        seen.push(config.headers.get('Authorization'));
        await Promise.resolve();
        return { data: 'x', status: 200, statusText: 'OK', headers: {}, config };
      },
    });
    expect(seen).toEqual([`Bearer ${TOKEN}`]);
    expect(response.config.headers.get('Authorization')).toBeUndefined();
    expect(await rejection(instance.get(servers.other.origin, { adapter: 'fetch' }))).toMatchObject({
      code: 'MP_DESTINATION',
    });
  });

  it('refuses wrong limits, wrong destinations and a wrong default request, all at once', () => {
    expect(() => attach({ deadlineMs: -2, maxResponseBytes: 1.5, destinations: ['x'] })).toThrow(
      /deadlineMs.*maxResponseBytes.*destinations\[0\]/,
    );
    expect(() => attach({ scopes: 'a"b' })).toThrow(expect.objectContaining({ code: 'MP_REQUEST' }));
    expect(() => attach({ resource: 'https://api.example.no' })).toThrow(/scopes/);
    expect(() => attachMaskinporten(axios.create({ maskinporten: 'acme:read' }), new ScriptedTokens([]))).toThrow(
      /third argument/,
    );
  });

  it('refuses a client name where there is only a token service', async () => {
    const error = await rejection(
      servers.attached().get(servers.server.origin, { maskinporten: { client: 'payroll' } }),
    );
    expect(error).toMatchObject({ code: 'MP_CONFIG' });
    expect(error.message).toContain('payroll');
  });

  it('sends nothing anywhere when tokens outside a module name no destinations', async () => {
    const instance = axios.create();
    attachMaskinporten(instance, new ScriptedTokens([]).cache(scriptedToken(TOKEN)), 'acme:read');
    expect(await rejection(instance.get(servers.server.origin))).toMatchObject({ code: 'MP_DESTINATION' });
  });

  it('T-55: a malformed request of a call is refused before anything is sent', async () => {
    for (const scopes of ['', 'a\tb', 'a"b', [], ['a b'], 7 as unknown as string]) {
      expect(
        await rejection(servers.attached().get(servers.server.origin, { maskinporten: { scopes } })),
      ).toMatchObject({
        code: 'MP_REQUEST',
      });
    }
    expect(servers.server.arrivals).toHaveLength(0);
  });

  it('T-66: a polluted prototype changes nothing about a call', async () => {
    const polluted = Object.prototype as Record<string, unknown>;
    const names = {
      maskinporten: { scopes: 'acme:evil' },
      baseURL: servers.other.origin,
      socketPath: '/tmp/x',
      proxy: { host: '127.0.0.2' },
      client: 'evil',
      destinations: [servers.other.origin],
      maxRedirects: 5,
      replayUnsafe: true,
    };
    const tokens = new ScriptedTokens([scriptedToken('asked')]);
    const instance = servers.attached({}, {}, tokens);
    Object.assign(polluted, names);
    try {
      await instance.get(servers.server.origin);
    } finally {
      for (const name of Object.keys(names)) delete polluted[name];
    }
    expect(tokens.asked).toEqual(['acme:read']);
    expect(servers.server.arrivals).toHaveLength(1);
    expect(servers.other.arrivals).toHaveLength(0);
  });
});
