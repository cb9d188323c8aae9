import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AltinnBench, REQUEST_READ, REQUEST_WRITE, SYSTEM } from './altinn.fixtures.js';
import { CUSTOMER, GrantBench, VENDOR, asClaims, tokenClaims } from './grants.fixtures.js';
import { ConfigurationError, type SimulatorOptions, startSimulator } from './index.js';
import { Faults, RequestLog, RoleServer, SimulatorClock } from './kernel/index.js';

interface Seen {
  readonly status: number;
  readonly location: string | undefined;
}

/** A request with exactly these headers and this path: fetch would tidy both. */
function send(port: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Seen> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, location: answer.headers.location });
    })
      .on('error', reject)
      .end();
  });
}

describe('on one port', () => {
  let bench: AltinnBench;
  let port = '';

  beforeAll(async () => {
    bench = await AltinnBench.start({}, { separateOrigins: false });
    ({ port } = new URL(bench.simulator.issuer));
  });
  afterAll(() => bench.close());

  it('every part answers at one origin', async () => {
    const { issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl, selfServiceUrl, browserUrl } = bench.simulator;
    const origin = `http://127.0.0.1:${port}`;
    expect([issuer, tokenEndpoint]).toEqual([`${origin}/`, `${origin}/token`]);
    expect([platformUrl, apiUrl, operatorUrl, selfServiceUrl, browserUrl]).toEqual(
      Array.from({ length: 5 }, () => origin),
    );
    const token = await bench.token(REQUEST_READ);
    const whoami = await bench.send(origin, '/whoami', { token });
    expect(whoami.json).toMatchObject({ iss: issuer, consumer: { ID: `0192:${VENDOR}` } });
    const status = async (path: string): Promise<number> => (await bench.send(origin, path, { token })).status;
    expect(await status(`/authentication/api/v1/systemuser/request/vendor/bysystem/${SYSTEM}`)).toBe(200);
    expect(await status('/broker/api/v1/filetransfer')).toBe(403);
    expect(await status('/scopes/all')).toBe(200);
    expect(await status('/api/v1/scopes/all')).toBe(200);
    expect(await status('/clients/client-1/jwks')).toBe(403);
    expect(await status('/operator/api/clients')).toBe(200);
    expect(await status('/ttd/returns/instances/1/2')).toBe(401);
    expect(await status('/nothing')).toBe(404);
  });

  it.each([
    ['/operator/api/clients', 200],
    ['/operator/api/instances/create', 404],
    ['/operator/app/instances/1/2', 404],
    ['/api/clients', 404],
    ['/%6fperator/api/clients', 404],
    ['//operator/api/clients', 404],
    ['/./operator/api/clients', 404],
    ['/operator%2fapi%2fclients', 404],
  ])('%s is answered by one part only: %i', async (path, status) => {
    expect(await send(port, path)).toMatchObject({ status });
  });

  it('no way round the path brings a request to the operator that did not ask for it', async () => {
    // The guard looks at who asks before it looks for a route: a foreign Host shows which part a path belongs to.
    for (const path of ['/operator/api/clients', '/operator/api/none', '/operator', '/']) {
      expect(await send(port, path, { host: 'evil.example' })).toMatchObject({ status: 403 });
    }
    for (const path of ['/%6fperator/api/clients', '/whoami', '/isalive', '/jwk']) {
      expect((await send(port, path, { host: 'evil.example' })).status).not.toBe(403);
    }
  });

  it('faults hit the part that they name, and never the operator or /isalive', async () => {
    bench.operator.faults.add({ path: '/*', status: 503 });
    expect(await send(port, '/operator/api/faults')).toMatchObject({ status: 200 });
    expect(await send(port, '/isalive')).toMatchObject({ status: 200 });
    expect(await send(port, '/jwk')).toMatchObject({ status: 503 });
    for (const server of ['api', 'platform'] as const) {
      bench.operator.reset();
      bench.operator.faults.add({ path: '/broker/*', server, status: 503 });
      expect(await send(port, '/broker/api/v1/filetransfer')).toMatchObject({ status: 503 });
    }
    bench.operator.reset();
    bench.operator.faults.add({ path: '/token', server: 'api', status: 503 });
    expect((await send(port, '/token', {}, 'POST')).status).not.toBe(503);
    bench.operator.reset();
  });

  it('/isalive is for probes: any Host, any method that reads, and nothing in the log', async () => {
    const before = bench.simulator.log.length;
    expect(await send(port, '/isalive', { host: '10.1.2.3:8480' })).toMatchObject({ status: 200 });
    expect(await send(port, '/isalive', {}, 'HEAD')).toMatchObject({ status: 200 });
    expect(await (await fetch(`${bench.simulator.operatorUrl}/isalive`)).json()).toEqual({ status: 'up' });
    expect(bench.simulator.log).toHaveLength(before);
  });
});

describe('with a public and a browser URL', () => {
  let bench: AltinnBench;
  const publicUrl = 'https://maskinporten.test:8443';
  let origin = '';

  beforeAll(async () => {
    bench = await AltinnBench.start({}, { separateOrigins: false, publicUrl, browserUrl: 'http://localhost:9999/' });
    origin = `http://127.0.0.1:${bench.simulator.port}`;
  });
  afterAll(() => bench.close());

  it('every name follows the public URL, and what a person opens the browser’s', async () => {
    const { issuer, tokenEndpoint, platformUrl, apiUrl, operatorUrl, selfServiceUrl, browserUrl } = bench.simulator;
    expect([issuer, tokenEndpoint, platformUrl]).toEqual([`${publicUrl}/`, `${publicUrl}/token`, publicUrl]);
    expect([apiUrl, operatorUrl, selfServiceUrl, browserUrl]).toEqual([
      publicUrl,
      publicUrl,
      publicUrl,
      'http://localhost:9999',
    ]);

    const metadata = await bench.send(origin, '/.well-known/oauth-authorization-server');
    expect(metadata.json).toMatchObject({ issuer, token_endpoint: tokenEndpoint, jwks_uri: `${issuer}jwk` });

    const form = async (claims: Record<string, unknown>) => {
      const assertion = await bench.grants.assertion({ claims });
      const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion });
      return asClaims(await (await fetch(`${origin}/token`, { method: 'POST', body })).json());
    };
    const good = await form({ aud: issuer, scope: REQUEST_WRITE });
    expect(tokenClaims(good)).toMatchObject({ iss: issuer });
    expect(await form({ aud: `${origin}/`, scope: REQUEST_WRITE })).toMatchObject({
      error: 'invalid_grant',
      error_uri: `${issuer}errors/MP-110`,
    });

    const response = await fetch(`${origin}/authentication/api/v1/systemuser/request/vendor`, {
      method: 'POST',
      headers: { authorization: `Bearer ${String(good['access_token'])}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        systemId: SYSTEM,
        partyOrgNo: CUSTOMER,
        rights: [{ action: 'read', resource: [{ id: 'urn:altinn:resource', value: 'ske-krav-og-betalinger' }] }],
      }),
    });
    expect(response.headers.get('location')).toMatch(
      /^https:\/\/maskinporten\.test:8443\/authentication\/api\/v1\/systemuser\/request\//,
    );
    expect(asClaims(await response.json())['confirmUrl']).toMatch(
      /^http:\/\/localhost:9999\/accessmanagement\/ui\/systemuser\/request\?id=/,
    );
  });

  it.each([
    ['the public name', 'maskinporten.test', 200],
    ['the public name with another port', 'Maskinporten.Test:1', 200],
    ['the browser’s name', 'localhost:9999', 200],
    ['another name', 'evil.test', 403],
    ['a name that ends alike', 'evil-maskinporten.test', 403],
    ['the public name with something before it', 'x@maskinporten.test', 403],
  ])('the operator answers to %s: %s → %i', async (_what, host, status) => {
    expect(await send(new URL(origin).port, '/operator/api/clients', { host })).toMatchObject({ status });
  });

  it('a page that a proxy serves over TLS may use the operator', async () => {
    const expected = { [publicUrl]: 200, 'https://maskinporten.test': 403, 'http://localhost:9999': 200 };
    for (const [from, status] of Object.entries(expected)) {
      const headers = { host: 'maskinporten.test:8443', origin: from };
      expect(await send(new URL(origin).port, '/operator/api/clients', headers)).toMatchObject({ status });
    }
  });
});

describe('off loopback', () => {
  const running: Awaited<ReturnType<typeof GrantBench.start>>[] = [];
  afterAll(() => Promise.all(running.map((bench) => bench.close())));
  const start = async (options: SimulatorOptions): Promise<GrantBench> => {
    const bench = await GrantBench.start({}, { separateOrigins: false, host: '0.0.0.0', ...options });
    running.push(bench);
    return bench;
  };

  it('a token is made, and the operator’s API needs it while its page asks for it', async () => {
    const { simulator } = await start({});
    const { operatorToken = '', operatorUrl } = simulator;
    const { port, hostname } = new URL(operatorUrl);
    expect(hostname).toBe('localhost');
    expect(operatorToken).toMatch(/^[\w-]{32}$/);
    const call = async (headers: Record<string, string>, path = '/operator/api/clients', method = 'GET') =>
      (await send(port, path, headers, method)).status;
    expect(await call({})).toBe(401);
    expect(await call({ authorization: `Bearer ${operatorToken}x` })).toBe(401);
    expect(await call({ authorization: `Basic ${operatorToken}` })).toBe(401);
    expect(await call({ authorization: `Bearer ${operatorToken}` })).toBe(200);
    expect(await call({}, '/operator/api/reset', 'POST')).toBe(401);
    expect(await call({}, '/operator/api')).toBe(401);
    expect(await call({}, '/operator/api?x')).toBe(401);
    expect(await call({}, '/operator/api/none')).toBe(401);
    for (const open of [
      '/operator',
      '/operator/page/page.css',
      '/isalive',
      '/jwk',
      '/accessmanagement/ui/systemuser/request',
    ]) {
      expect(await call({}, open)).toBe(200);
    }
  });

  it.each([false, true])(
    'no spelling of a path avoids the token (T-84); an origin for each part: %s',
    async (separateOrigins) => {
      const { simulator } = await start({ separateOrigins });
      const { port } = new URL(simulator.operatorUrl);
      for (const path of [
        '/operator/%61pi/clients',
        '/operator/ap%69/log',
        '/operator/%61pi',
        '/operator/api#x',
        '/operator/%61pi/none',
        ...(separateOrigins ? ['http://localhost/operator/api/clients', '/%6fperator/api/clients', '/none'] : []),
      ]) {
        expect([path, (await send(port, path, {})).status]).toEqual([path, 401]);
      }
      expect(await send(port, '/operator/%61pi/reset', {}, 'POST')).toMatchObject({ status: 401 });
      expect(await send(port, '/isalive', {})).toMatchObject({ status: 200 });
      expect(await send(port, '/operator/', {})).toMatchObject({ status: 200 });
    },
  );

  it('another machine’s address is answered with the token, when the Host is one of ours', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address;
    const { simulator } = await start({
      operatorToken: 'a-token-of-the-test',
      allowedHosts: ['Sim.Internal:80', ...(outside === undefined ? [] : [outside])],
    });
    expect(simulator.operatorToken).toBe('a-token-of-the-test');
    const { port } = new URL(simulator.operatorUrl);
    const authorization = 'Bearer a-token-of-the-test';
    expect(await send(port, '/operator/api/clients', { host: 'sim.internal:8480', authorization })).toMatchObject({
      status: 200,
    });
    expect(await send(port, '/operator/api/clients', { host: 'other.internal', authorization })).toMatchObject({
      status: 403,
    });
    if (outside === undefined) return;
    const url = `http://${outside}:${port}/operator/api/clients`;
    expect((await fetch(url, { headers: { authorization } })).status).toBe(200);
    expect((await fetch(url)).status).toBe(401);
  });

  it('on loopback a token is needed when one is given', async () => {
    const { simulator } = await start({ host: '127.0.0.1', operatorToken: 'a-token-of-the-test' });
    expect((await fetch(`${simulator.operatorUrl}/operator/api/clients`)).status).toBe(401);
  });
});

describe('the options of the network', () => {
  it.each<[SimulatorOptions, string]>([
    [{ port: 65_536 }, 'port'],
    [{ port: 1.5 }, 'port'],
    [{ host: 'http://x' }, 'host'],
    [{ host: '' }, 'host'],
    [{ publicUrl: 'maskinporten:8480' }, 'publicUrl'],
    [{ publicUrl: 'http://x/path' }, 'publicUrl'],
    [{ publicUrl: 'http://user@x' }, 'publicUrl'],
    [{ publicUrl: 'ftp://x' }, 'publicUrl'],
    [{ browserUrl: 'http://x/?q' }, 'browserUrl'],
    [{ publicUrl: 'http://x', separateOrigins: true }, 'publicUrl'],
    [{ operatorToken: 'short' }, 'operatorToken'],
    [{ operatorToken: 'a token with white space' }, 'operatorToken'],
    [{ allowedHosts: ['good', 'not good'] }, 'allowedHosts[1]'],
  ])('%j is refused, naming the field', async (options, field) => {
    const error: unknown = await startSimulator(options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error instanceof ConfigurationError && error.problems.map((problem) => problem.field)).toEqual([field]);
  });
});

describe('a part that is not ready', () => {
  it('says so, with the status and the header for trying again', async () => {
    const world = { clock: new SimulatorClock(), log: new RequestLog(), isReady: () => false };
    const server = new RoleServer('maskinporten', world, new Faults());
    const port = await server.listen({ host: '127.0.0.1', port: 0, orAny: false });
    for (const path of ['/token', '/isalive']) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
      expect(await answer.json()).toMatchObject({ detail: 'The simulator is starting. Try again in a second.' });
    }
    await server.close();
  });
});
