import { describe, expect, it } from '@jest/globals';
import axios, { type AxiosError } from 'axios';
import { rejection, ScriptedTokens } from './outbound.fixtures.js';
import { TOKEN, TwoServers } from './servers.fixtures.js';

describe('where a token goes', () => {
  const servers = new TwoServers();

  it('T-22: refuses other origins, whatever the spelling, and sends nothing', async () => {
    const instance = servers.attached({ baseURL: servers.server.origin });
    const { port } = new URL(servers.server.origin);
    for (const url of [
      servers.other.origin,
      `${servers.other.origin}/x`,
      `//127.0.0.2:${port}/x`,
      `http://localhost:${port}/x`,
      `http://127.0.0.1:${port}@127.0.0.2/`,
      `http://user:pass@127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}\t/x`,
      'https://platform.altinn.no/',
      'file:///etc/passwd',
    ]) {
      expect(await rejection(instance.get(url))).toMatchObject({ code: 'MP_DESTINATION' });
    }
    for (const url of ['data:text/plain,hello', 'x', '', 'javascript:alert(1)']) {
      expect(await rejection(servers.attached().get(url))).toMatchObject({ code: 'MP_DESTINATION' });
    }
    expect([...servers.server.arrivals, ...servers.other.arrivals]).toHaveLength(0);
  });

  it('T-22: decides on baseURL, url and allowAbsoluteUrls together', async () => {
    const toOther = servers.attached({ baseURL: servers.other.origin });
    expect(await rejection(toOther.get('/x'))).toMatchObject({ code: 'MP_DESTINATION' });
    await toOther.get(`${servers.server.origin}/absolute`);
    const fixed = servers.attached({ baseURL: `${servers.server.origin}/api`, allowAbsoluteUrls: false });
    await fixed.get(`${servers.other.origin}/x`);
    expect(servers.server.arrivals.map(({ url }) => url)).toEqual(['/absolute', `/api/${servers.other.origin}/x`]);
    expect(servers.other.arrivals).toHaveLength(0);
  });

  it('sends what axios would send: path, parameters and body unchanged', async () => {
    const instance = servers.attached({ baseURL: `${servers.server.origin}/api/`, params: { a: [1, 2], b: 'æ ø' } });
    const plain = axios.create({ baseURL: `${servers.server.origin}/api/`, params: { a: [1, 2], b: 'æ ø' } });
    for (const client of [instance, plain]) {
      await client.get('/x y?z=1#h');
      await client.post('', { sum: 1 });
      await client.get('../up');
    }
    const [half, rest] = [servers.server.arrivals.slice(0, 3), servers.server.arrivals.slice(3)];
    expect(half.map(({ method, url, body }) => ({ method, url, body }))).toEqual(
      rest.map(({ method, url, body }) => ({ method, url, body })),
    );
    expect(half.every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
  });

  it('T-12, S-09: never puts the token into the address', async () => {
    await servers.attached().get(`${servers.server.origin}/x`, { params: { q: 'a' } });
    expect(servers.server.arrivals[0]?.url).toBe('/x?q=a');
  });

  it('T-24: an interceptor that rewrites the URL after every check does not take the token along', async () => {
    const instance = servers.attached({ baseURL: servers.server.origin });
    instance.interceptors.request.use((config) =>
      Object.assign(config, { baseURL: servers.other.origin, url: '/stolen' }),
    );
    expect(await rejection(instance.get('/x'))).toMatchObject({ code: 'MP_DESTINATION' });
    expect(servers.other.arrivals).toHaveLength(0);
  });

  it.each([301, 302, 303, 307, 308])('T-21, F-136, S-14, S-26: does not follow a %d', async (status) => {
    servers.server.answer = (_request, response) =>
      response.writeHead(status, { location: `${servers.other.origin}/caught` }).end();
    const instance = servers.attached({ maxRedirects: 5 });
    const error = (await rejection(instance.post(servers.server.origin, 'body'))) as AxiosError;
    expect(error.response?.status).toBe(status);
    const same = servers.attached();
    servers.server.answer = (_request, response) => response.writeHead(status, { location: '/again' }).end();
    expect(
      ((await rejection(same.get(servers.server.origin, { maxRedirects: 3 }))) as AxiosError).response?.status,
    ).toBe(status);
    expect(servers.other.arrivals).toHaveLength(0);
    expect(servers.server.arrivals).toHaveLength(2);
  });

  it('F-136: does not follow a redirect through axios’s fetch adapter either', async () => {
    servers.server.answer = (_request, response) => response.writeHead(307, { location: servers.other.origin }).end();
    const instance = servers.attached({ adapter: 'fetch' });
    await rejection(instance.get(servers.server.origin));
    expect(servers.server.arrivals).toHaveLength(1);
    expect(servers.server.arrivals[0]?.authorization).toBe(`Bearer ${TOKEN}`);
    expect(servers.other.arrivals).toHaveLength(0);
  });

  it('T-14: the proxy variables of the environment do not see the call', async () => {
    const names = [
      'http_proxy',
      'https_proxy',
      'all_proxy',
      'HTTP_PROXY',
      'HTTPS_PROXY',
      'ALL_PROXY',
      'npm_config_proxy',
      'npm_config_https_proxy',
    ];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = servers.other.origin;
    delete process.env['no_proxy'];
    delete process.env['NO_PROXY'];
    try {
      await servers.attached().get(servers.server.origin);
    } finally {
      for (const [index, name] of names.entries()) {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    expect(servers.server.arrivals).toHaveLength(1);
    expect(servers.other.arrivals).toHaveLength(0);
  });

  it('refuses a socketPath, which goes around the destination', async () => {
    const error = await rejection(servers.attached().get(servers.server.origin, { socketPath: '/tmp/none.sock' }));
    expect(error).toMatchObject({ code: 'MP_DESTINATION' });
  });

  it('does not repeat path or query in the refusal', async () => {
    const error = await rejection(servers.attached().get(`${servers.other.origin}/person/01017012345?secret=canary`));
    expect(error.message).not.toMatch(/canary|01017012345/);
    expect(error.message).toContain(servers.other.origin);
  });
});

describe('other credentials', () => {
  const servers = new TwoServers();

  it.each(['Authorization', 'authorization', 'AUTHORIZATION', 'aUTHORIZATION'])(
    'leaves %s of the call alone, anywhere',
    async (name) => {
      const tokens = new ScriptedTokens([]);
      const instance = servers.attached({}, {}, tokens);
      await instance.get(servers.other.origin, { headers: { [name]: 'Basic c29tZWJvZHk=' } });
      expect(servers.other.arrivals[0]?.authorization).toBe('Basic c29tZWJvZHk=');
      expect(tokens.asked).toHaveLength(0);
    },
  );

  it('leaves the Authorization of the instance, of an interceptor and of `auth` alone', async () => {
    await servers.attached({ headers: { common: { authorization: 'Key 1' } } }).get(servers.server.origin);
    const intercepted = servers.attached();
    intercepted.interceptors.request.use((config) => {
      config.headers.set('Authorization', 'Key 2');
      return config;
    });
    await intercepted.get(servers.server.origin);
    await servers.attached().get(servers.server.origin, { auth: { username: 'u', password: 'p' } });
    expect(servers.server.arrivals.map(({ authorization }) => authorization)).toEqual(['Key 1', 'Key 2', 'Basic dTpw']);
  });

  it.each([false, null, '', '  '])(
    'does not take %j for a credential: the call would go out without any',
    async (value) => {
      await servers.attached().get(servers.server.origin, { headers: { authorization: value as string } });
      expect(servers.server.arrivals[0]?.authorization).toBe(`Bearer ${TOKEN}`);
    },
  );
});
