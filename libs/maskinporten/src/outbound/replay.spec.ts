import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { AxiosError } from 'axios';
import { rejection, ScriptedTokens, scriptedToken } from './outbound.fixtures.js';
import { TOKEN, TwoServers, withSpare } from './servers.fixtures.js';

async function* onePart(): AsyncGenerator<string> {
  yield await Promise.resolve('x');
}

describe('a refused token', () => {
  const servers = new TwoServers();

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('F-134: repeats %s once', async (method) => {
    servers.refuseOnce();
    const response = await servers.attached({}, {}, withSpare()).request({
      method,
      url: servers.server.origin,
      data: method === 'PUT' ? { a: 1 } : undefined,
    });
    expect(response.status).toBe(200);
    expect(servers.server.arrivals.map(({ authorization }) => authorization)).toEqual([
      `Bearer ${TOKEN}`,
      'Bearer token-two',
    ]);
    expect(new Set(servers.server.arrivals.map(({ body }) => body)).size).toBe(1);
  });

  it.each(['POST', 'PATCH'])('F-134: repeats %s only when the call or the instance says so', async (method) => {
    servers.refuseOnce();
    const tokens = withSpare();
    expect(
      await rejection(servers.attached({}, {}, tokens).request({ method, url: servers.server.origin, data: 'x' })),
    ).toBeInstanceOf(AxiosError);
    expect([servers.server.arrivals.length, tokens.renewed]).toEqual([1, 1]);
    servers.refuseOnce();
    await servers.attached({}, {}, withSpare()).request({
      method,
      url: servers.server.origin,
      data: 'x',
      maskinporten: { replayUnsafe: true },
    });
    servers.refuseOnce();
    await servers
      .attached({}, { replayUnsafe: true }, withSpare())
      .request({ method, url: servers.server.origin, data: 'x' });
    expect(servers.server.arrivals).toHaveLength(5);
  });

  it.each([
    ['a stream', () => Readable.from(['x'])],
    ['an async iterator', () => Readable.from(onePart())],
  ])('F-134: does not repeat a body that can be read once: %s', async (_name, body) => {
    servers.refuseOnce();
    await rejection(servers.attached({}, { replayUnsafe: true }, withSpare()).put(servers.server.origin, body()));
    expect(servers.server.arrivals).toHaveLength(1);
  });

  it.each([
    ['a buffer', () => Buffer.from('x')],
    ['search parameters', () => new URLSearchParams('a=1')],
    [
      'a form',
      () => {
        const form = new FormData();
        form.set('a', new Blob(['x']));
        return form;
      },
    ],
  ])('F-134: repeats a body that can be read again: %s', async (_name, body) => {
    servers.refuseOnce();
    await servers.attached({}, {}, withSpare()).put(servers.server.origin, body());
    expect(servers.server.arrivals).toHaveLength(2);
    expect(servers.server.arrivals[1]?.body.length).toBe(servers.server.arrivals[0]?.body.length);
  });

  it('F-134: gives up after the second refusal', async () => {
    servers.server.answer = (_request, response) => response.writeHead(401).end();
    const tokens = new ScriptedTokens([scriptedToken('token-two'), scriptedToken('token-three')]).cache(
      scriptedToken(TOKEN),
    );
    const error = (await rejection(servers.attached({}, {}, tokens).get(servers.server.origin))) as AxiosError;
    expect(error.response?.status).toBe(401);
    expect(servers.server.arrivals).toHaveLength(2);
  });

  it('F-134: does not repeat with the token that was refused, nor without any', async () => {
    servers.server.answer = (_request, response) => response.writeHead(401).end();
    await rejection(
      servers
        .attached({}, {}, new ScriptedTokens([scriptedToken(TOKEN)]).cache(scriptedToken(TOKEN)))
        .get(servers.server.origin),
    );
    await rejection(
      servers.attached({}, {}, new ScriptedTokens([]).cache(scriptedToken(TOKEN))).get(servers.server.origin),
    );
    expect(servers.server.arrivals).toHaveLength(2);
  });

  it('F-134: sees a 401 also where the caller accepts every status', async () => {
    servers.refuseOnce();
    const response = await servers.attached({ validateStatus: () => true }, {}, withSpare()).get(servers.server.origin);
    expect(response.status).toBe(200);
  });

  it.each([
    undefined,
    'Bearer',
    'Bearer error="invalid_token"',
    'Bearer error="insufficient_scope", scope="x"',
    'Basic realm="x", Bearer realm="y"',
    'DPoP algs="ES256"',
    'Bearer error="invalid_token", error_description="a \\"quoted\\" text, with = and ,"',
    '"""',
  ])('S-10: a 401 is treated alike whatever its challenge says: %j', async (challenge) => {
    servers.refuseOnce(challenge === undefined ? {} : { 'www-authenticate': challenge });
    expect((await servers.attached({}, {}, withSpare()).get(servers.server.origin)).status).toBe(200);
    expect(servers.server.arrivals).toHaveLength(2);
  });

  it('S-10, F-135: a 403 is passed on whatever its challenge says', async () => {
    servers.server.answer = (_request, response) =>
      response.writeHead(403, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
    const tokens = withSpare();
    await rejection(servers.attached({}, {}, tokens).get(servers.server.origin));
    expect([servers.server.arrivals.length, tokens.renewed]).toEqual([1, 0]);
  });
});
