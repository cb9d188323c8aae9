import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { MaskinportenContext } from './maskinporten-context.js';
import { maskinportenFetch, type FetchDefaults, type MaskinportenFetch } from './maskinporten-fetch.js';
import {
  deepText,
  rejection,
  ScriptedTokens,
  scriptedToken,
  startRecordingServer,
  startWorld,
  type RecordingServer,
  type World,
} from './outbound.fixtures.js';

const TOKEN = 'token-one';

const tokenContextOf = async (answer: Promise<Response>): Promise<unknown> =>
  ((await (await answer).json()) as { scope: string }).scope;
const stream = (): ReadableStream => new Blob(['x']).stream();

describe('maskinportenFetch', () => {
  let world: World;
  let server: RecordingServer;
  let other: RecordingServer;

  beforeAll(async () => {
    world = await startWorld();
    server = await startRecordingServer();
    other = await startRecordingServer('127.0.0.2');
  });
  afterAll(async () => {
    await world?.close();
    await server?.close();
    await other?.close();
  });
  beforeEach(() => {
    for (const each of [server, other]) {
      each.arrivals.length = 0;
      each.answer = (_request, response) => response.end('{"fine":true}');
    }
  });

  const calling = (
    defaults: FetchDefaults = {},
    tokens = new ScriptedTokens([scriptedToken('token-two')]).cache(scriptedToken(TOKEN)),
  ): MaskinportenFetch =>
    maskinportenFetch(tokens, { scopes: 'acme:read', destinations: [server.origin], ...defaults });
  const refuseOnce = (): void => {
    let refused = false;
    server.answer = (_request, response) => {
      response.writeHead(refused ? 200 : 401).end('{}');
      refused = true;
    };
  };

  it('S-09: calls an API with the token of the context, the call, or the defaults', async () => {
    const call = maskinportenFetch(world.tokens, { scopes: 'acme:a', destinations: [world.simulator.apiUrl] });
    const url = `${world.simulator.apiUrl}/whoami`;
    expect(await tokenContextOf(call(url))).toBe('acme:a');
    expect(await tokenContextOf(MaskinportenContext.run('acme:b', async () => call(new URL(url))))).toBe('acme:b');
    expect(await tokenContextOf(call(new Request(url), { maskinporten: 'acme:read' }))).toBe('acme:read');
  });

  it('F-134: replays against the real API with another token', async () => {
    const call = maskinportenFetch(world.tokens, { scopes: 'acme:c', destinations: [world.simulator.apiUrl] });
    const url = `${world.simulator.apiUrl}/whoami`;
    const { jti } = (await (await call(url)).json()) as { jti: string };
    world.simulator.operator.revoke(jti);
    const again = await call(url);
    expect(again.status).toBe(200);
    expect(((await again.json()) as { jti: string }).jti).not.toBe(jti);
  });

  it('refuses a call without scopes, and other destinations, and sends nothing', async () => {
    const bare = maskinportenFetch(new ScriptedTokens([]), { destinations: [server.origin] });
    expect(await rejection(bare(server.origin))).toMatchObject({ code: 'MP_NO_CONTEXT' });
    for (const url of [
      other.origin,
      `${server.origin.replace('//', '//u:p@')}/`,
      '/relative',
      'data:,x',
      `${server.origin}\t`,
    ]) {
      expect(await rejection(calling()(url))).toMatchObject({ code: 'MP_DESTINATION' });
    }
    expect(await rejection(calling()(new Request(other.origin)))).toMatchObject({ code: 'MP_DESTINATION' });
    expect([...server.arrivals, ...other.arrivals]).toHaveLength(0);
  });

  it('leaves the caller’s own Authorization alone, anywhere', async () => {
    const call = calling();
    await call(other.origin, { headers: { AUTHORIZATION: 'Key 1' } });
    await call(new Request(other.origin, { headers: { authorization: 'Key 2' } }));
    await call(server.origin, { headers: { authorization: '' } });
    expect(other.arrivals.map(({ authorization }) => authorization)).toEqual(['Key 1', 'Key 2']);
    expect(server.arrivals[0]?.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('keeps the method, headers and body of a Request object', async () => {
    await calling()(new Request(`${server.origin}/x?y=1`, { method: 'POST', body: 'hello', headers: { 'x-a': 'b' } }));
    expect(server.arrivals).toEqual([
      { method: 'POST', url: '/x?y=1', authorization: `Bearer ${TOKEN}`, body: 'hello' },
    ]);
  });

  it.each([301, 302, 303, 307, 308])('F-136, T-21, S-14: a %d is MP_REDIRECT', async (status) => {
    server.answer = (_request, response) => response.writeHead(status, { location: `${other.origin}/caught` }).end();
    const error = await rejection(calling()(server.origin, { redirect: 'follow' }));
    expect(error).toMatchObject({ code: 'MP_REDIRECT', status });
    expect(error.message).not.toContain('caught');
    expect(other.arrivals).toHaveLength(0);
  });

  it('a 304 is no redirect', async () => {
    server.answer = (_request, response) => response.writeHead(304).end();
    expect((await calling()(server.origin)).status).toBe(304);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('F-134: repeats %s once', async (method) => {
    refuseOnce();
    const response = await calling()(server.origin, { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
    expect(response.status).toBe(200);
    expect(server.arrivals.map(({ authorization }) => authorization)).toEqual([`Bearer ${TOKEN}`, 'Bearer token-two']);
  });

  it('F-134: repeats POST only when told, and neither a stream nor the body of a Request', async () => {
    const cases: [string | Request, Parameters<MaskinportenFetch>[1], number][] = [
      [server.origin, { method: 'POST', body: 'x' }, 401],
      [server.origin, { method: 'POST', body: 'x', maskinporten: { replayUnsafe: true } }, 200],
      [server.origin, { method: 'PUT', body: stream(), duplex: 'half' }, 401],
      [new Request(server.origin, { method: 'PUT', body: 'x' }), {}, 401],
      [new Request(server.origin), {}, 200],
    ];
    for (const [input, init, status] of cases) {
      refuseOnce();
      expect((await calling()(input, init)).status).toBe(status);
    }
    expect(server.arrivals).toHaveLength(7);
  });

  it('F-135: passes a 403 on', async () => {
    server.answer = (_request, response) => response.writeHead(403).end('no');
    const response = await calling()(server.origin);
    expect([response.status, await response.text(), server.arrivals.length]).toEqual([403, 'no', 1]);
  });

  it('ends a dripping body at the deadline, and the call when the caller’s signal fires', async () => {
    server.answer = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(drip));
    };
    const dripping = await calling({ deadlineMs: 2_000 })(server.origin);
    expect(await rejection(dripping.text())).toMatchObject({ name: 'TimeoutError' });
    const controller = new AbortController();
    const response = await calling()(server.origin, { signal: controller.signal });
    controller.abort();
    expect(await rejection(response.text())).toMatchObject({ name: 'AbortError' });
  });

  it('T-63: limits the decoded size of an answer, and keeps what a response says about itself', async () => {
    server.answer = (_request, response) => response.writeHead(201, { 'x-a': 'b' }).end('x'.repeat(5_000));
    const call = calling({ maxResponseBytes: 1_000 });
    const response = await call(`${server.origin}/x`);
    expect([response.status, response.headers.get('x-a'), response.url]).toEqual([201, 'b', `${server.origin}/x`]);
    expect((await rejection(response.text())).message).toContain('1000 bytes');
    expect((await (await calling()(server.origin)).text()).length).toBe(5_000);
  });

  it('T-01, T-04: neither answers nor failures show the token', async () => {
    const shown = [
      await calling()(server.origin),
      await rejection(calling()(server.origin, { signal: AbortSignal.abort() })),
    ];
    server.answer = (request) => request.socket.destroy();
    shown.push(await rejection(calling()(server.origin)));
    for (const value of shown) expect(deepText(value)).not.toContain(TOKEN);
  });

  it('sends through the fetch it is given', async () => {
    const seen: string[] = [];
    const call = calling({
      fetch: async (_input, init) => {
        seen.push(String(new Headers(init?.headers).get('authorization')));
        await Promise.resolve();
        return new Response(null, { status: 204 });
      },
    });
    expect((await call(server.origin)).status).toBe(204);
    expect(seen).toEqual([`Bearer ${TOKEN}`]);
  });
});
