import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { HttpTransport, type SecurityEvent } from '../http/index.js';
import {
  Issuer,
  ISSUER_PRESETS,
  resolveIssuer,
  ServerClock,
  type IssuerOptions,
  type ResolvedIssuer,
} from './index.js';
import type { Clock } from '../basics/index.js';
import { MetadataRefusal, parseIssuerMetadata } from './issuer-metadata.js';
import { TestServers, turn, type TestServer } from '../http/sockets.fixtures.js';

class FakeClock implements Clock {
  ms = 0;
  wallMs(): number {
    return Date.parse('2026-11-24T12:00:00Z') + this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
}

const servers = new TestServers();
const transports: HttpTransport[] = [];
afterEach(async () => {
  await servers.closeAll();
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});

interface Setup {
  readonly issuer: Issuer;
  readonly clock: FakeClock;
  readonly events: SecurityEvent[];
  readonly transport: HttpTransport;
  readonly serverClock: ServerClock;
}

function setUp(options: IssuerOptions, change: Partial<ResolvedIssuer> = {}): Setup {
  const transport = new HttpTransport();
  transports.push(transport);
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const events: SecurityEvent[] = [];
  const onSecurityEvent = (event: SecurityEvent): number => events.push(event);
  const resolved = { ...resolveIssuer(options), ...change };
  return {
    issuer: new Issuer(resolved, { transport, clock, serverClock, onSecurityEvent }),
    clock,
    events,
    transport,
    serverClock,
  };
}

interface MetadataServer extends TestServer {
  readonly paths: string[];
  readonly identifier: string;
}

type Answer = (base: string, response: ServerResponse) => void;

const correct: Answer = (base, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ issuer: `${base}/`, token_endpoint: `${base}/token`, jwks_uri: `${base}/jwk` }));
};

async function metadataServer(answers: readonly Answer[]): Promise<MetadataServer> {
  const paths: string[] = [];
  const listener: RequestListener = (request, response) => {
    paths.push(request.url ?? '');
    const answer = answers[Math.min(paths.length, answers.length) - 1] ?? correct;
    answer(`http://${request.headers.host}`, response);
  };
  const server = await servers.http(listener);
  return { ...server, paths, identifier: `${server.url}/` };
}

const document =
  (change: (base: string) => object): Answer =>
  (base, response) => {
    response.end(JSON.stringify({ issuer: `${base}/`, token_endpoint: `${base}/token`, ...change(base) }));
  };

const dated =
  (age: boolean): Answer =>
  (base, response) => {
    response.sendDate = false;
    response.setHeader('date', 'Tue, 24 Nov 2026 12:00:30 GMT');
    if (age) response.setHeader('age', '10');
    correct(base, response);
  };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  return isMaskinportenError(outcome) ? outcome.code : `no error of ours: ${String(outcome)}`;
}

/** Waits until a background fetch is over, by watching what it leaves behind. */
async function settled(issuer: Issuer, attempts: () => number, wanted: number): Promise<void> {
  while (attempts() < wanted) await turn();
  await issuer.refresh().catch(() => undefined);
}

describe('Issuer with an address of its own', () => {
  it('reads the metadata once for a thousand callers, and again after twelve hours in the background', async () => {
    const server = await metadataServer([correct]);
    const { issuer, clock } = setUp({ issuer: server.identifier });
    const endpoints = await Promise.all(Array.from({ length: 1_000 }, () => issuer.tokenEndpoint()));
    expect(new Set(endpoints)).toEqual(new Set([`${server.url}/token`]));
    expect(server.paths).toEqual(['/.well-known/oauth-authorization-server']);
    expect(issuer.status.metadata).toEqual({
      issuer: server.identifier,
      tokenEndpoint: `${server.url}/token`,
      jwksUri: `${server.url}/jwk`,
    });
    clock.ms += 12 * 3_600_000 - 1;
    await issuer.tokenEndpoint();
    expect(server.paths).toHaveLength(1);
    clock.ms += 1;
    expect(await Promise.all([issuer.tokenEndpoint(), issuer.tokenEndpoint()])).toHaveLength(2);
    await settled(issuer, () => server.paths.length, 2);
    expect(issuer.status.lastSuccessAt).toEqual(new Date(clock.wallMs()));
  });

  it('F-70: unreachable metadata is a transient error, nothing is guessed, and the next call after two seconds asks again', async () => {
    const server = await metadataServer([correct]);
    await server.close();
    const { issuer, clock } = setUp({ issuer: server.identifier });
    const [first, second] = await Promise.all([codeOf(issuer.tokenEndpoint()), codeOf(issuer.tokenEndpoint())]);
    expect([first, second]).toEqual(['MP_NETWORK', 'MP_NETWORK']);
    expect(issuer.knownTokenEndpoint).toBeUndefined();
    const { lastError } = issuer.status;
    await expect(issuer.tokenEndpoint()).rejects.toBe(lastError);
    clock.ms += 2_000;
    const again: unknown = await issuer.tokenEndpoint().catch((error: unknown) => error);
    expect(again).toMatchObject({
      code: 'MP_NETWORK',
      retryable: true,
      failures: [{ field: 'MASKINPORTEN_TOKEN_ENDPOINT' }],
    });
    expect(again).not.toBe(lastError);
  });

  it.each<[string, string, Answer]>([
    ['500', 'MP_UPSTREAM', (_, response) => response.writeHead(500).end()],
    ['501', 'MP_CONFIG_ENDPOINT', (_, response) => response.writeHead(501).end()],
    ['429', 'MP_THROTTLED', (_, response) => response.writeHead(429).end()],
    ['404', 'MP_CONFIG_ENDPOINT', (_, response) => response.writeHead(404).end()],
    ['a redirect', 'MP_REDIRECT', (base, response) => response.writeHead(302, { location: `${base}/` }).end()],
    ['HTML', 'MP_PROTOCOL', (_, response) => response.end('<html></html>')],
    ['an array', 'MP_PROTOCOL', (_, response) => response.end('[]')],
    ['no token_endpoint', 'MP_PROTOCOL', document(() => ({ token_endpoint: undefined }))],
    ['more than 256 KiB', 'MP_PROTOCOL', (_, response) => response.end(' '.repeat(256 * 1024 + 1))],
  ])('F-70: metadata answered with %s is %s, and is remembered', async (_, code, answer) => {
    const server = await metadataServer([answer]);
    const { issuer, events } = setUp({ issuer: server.identifier });
    expect(await codeOf(issuer.tokenEndpoint())).toBe(code);
    expect(await codeOf(issuer.tokenEndpoint())).toBe(code);
    expect(server.paths).toHaveLength(1);
    expect(events).toEqual([]);
  });

  it("says which address answered 404, and that a token endpoint of one's own avoids it", async () => {
    const server = await metadataServer([(_, response) => response.writeHead(404).end()]);
    const { issuer } = setUp({ issuer: `${server.identifier}tenant` });
    const error: unknown = await issuer.tokenEndpoint().catch((caught: unknown) => caught);
    const address = `${server.identifier}.well-known/oauth-authorization-server/tenant`;
    expect(error).toMatchObject({
      code: 'MP_CONFIG_ENDPOINT',
      message: `The metadata of the issuer was answered with status 404: ${address} – correct the issuer, or set tokenEndpoint: then no metadata is needed.`,
    });
  });

  it.each<[string, Answer]>([
    ['another issuer', document(() => ({ issuer: 'https://evil.example/' }))],
    ['the issuer without its slash', document((base) => ({ issuer: base }))],
    ['no issuer', document(() => ({ issuer: undefined }))],
    ['an issuer that is no string', document(() => ({ issuer: ['x'] }))],
  ])('F-71, S-13: metadata with %s is refused, with a security event, and nothing is sent there', async (_, answer) => {
    const server = await metadataServer([answer]);
    const { issuer, events } = setUp({ issuer: server.identifier });
    expect(await codeOf(issuer.tokenEndpoint())).toBe('MP_CONFIG_ENDPOINT');
    expect(events).toEqual([expect.objectContaining({ type: 'metadata-issuer-mismatch' })]);
    expect(issuer.knownTokenEndpoint).toBeUndefined();
  });

  it.each<[string, (base: string) => string]>([
    ['another host', () => 'https://evil.example/token'],
    ['another port', () => 'http://127.0.0.1:1/token'],
    ['another scheme', (base) => base.replace('http:', 'https:')],
    ['plain http elsewhere', () => 'http://evil.example/token'],
    ['userinfo', (base) => base.replace('://', '://user:canary@')],
    ['an address', () => 'https://203.0.113.7/token'],
    ['a prefix of the host', (base) => `${base}.evil.example/token`],
    ['script', () => 'javascript:alert(1)'],
    ['a relative path', () => '/token'],
    ['a fragment', (base) => `${base}/token#x`],
  ])('F-72, T-28, S-13: a token_endpoint with %s is refused the same way', async (_, endpoint) => {
    const server = await metadataServer([document((base) => ({ token_endpoint: endpoint(base) }))]);
    const { issuer, events } = setUp({ issuer: server.identifier });
    expect(await codeOf(issuer.tokenEndpoint())).toBe('MP_CONFIG_ENDPOINT');
    expect(events).toEqual([expect.objectContaining({ type: 'metadata-endpoint-refused' })]);
    expect(JSON.stringify(events)).not.toContain('canary');
    expect(issuer.knownTokenEndpoint).toBeUndefined();
  });

  it('T-29: whatever metadata says, the identifier is the configured one', async () => {
    const server = await metadataServer([document(() => ({ issuer: 'https://evil.example/', audience: 'x' }))]);
    const { issuer } = setUp({ issuer: server.identifier });
    await codeOf(issuer.tokenEndpoint());
    expect(issuer.identifier).toBe(server.identifier);
  });

  it('F-70: once known, the endpoint stays when a later document is bad or absent', async () => {
    const server = await metadataServer([correct, document(() => ({ issuer: 'https://evil.example/' }))]);
    const { issuer, clock, events } = setUp({ issuer: server.identifier });
    await issuer.tokenEndpoint();
    clock.ms += 12 * 3_600_000;
    expect(await issuer.tokenEndpoint()).toBe(`${server.url}/token`);
    await settled(issuer, () => server.paths.length, 2);
    expect(events.map(({ type }) => type)).toContain('metadata-issuer-mismatch');
    expect(await issuer.tokenEndpoint()).toBe(`${server.url}/token`);
    expect(issuer.status.lastError?.code).toBe('MP_CONFIG_ENDPOINT');
  });

  it('T-46: a caller that goes stops waiting alone', async () => {
    const server = await metadataServer([(base, response) => setImmediate(() => correct(base, response))]);
    const { issuer } = setUp({ issuer: server.identifier });
    const controller = new AbortController();
    const gone = codeOf(issuer.tokenEndpoint({ signal: controller.signal }));
    const stays = issuer.tokenEndpoint({ signal: new AbortController().signal });
    controller.abort();
    expect(await gone).toBe('MP_ABORTED');
    expect(await stays).toBe(`${server.url}/token`);
    const fresh = setUp({ issuer: server.identifier }).issuer;
    expect(await codeOf(fresh.refresh({ signal: AbortSignal.abort() }))).toBe('MP_ABORTED');
  });

  it('T-44: the fetch runs outside the context of the caller that caused it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const server = await metadataServer([correct]);
    const { transport } = setUp({ issuer: server.identifier });
    const seen: unknown[] = [];
    const clock = new FakeClock();
    clock.wallMs = () => {
      seen.push(storage.getStore());
      return 0;
    };
    const issuer = new Issuer(resolveIssuer({ issuer: server.identifier }), { transport, clock });
    await storage.run('caller', () => issuer.tokenEndpoint());
    expect(seen).toEqual([undefined]);
  });

  it('F-100: learns the server’s time, but not from a cached copy', async () => {
    const cached = await metadataServer([dated(true)]);
    const first = setUp({ issuer: cached.identifier });
    // The transport's clock is the machine's; only that something was learnt matters here.
    await first.issuer.tokenEndpoint();
    expect(first.serverClock.measuredOffsetMs).toBe(0);
    const direct = await metadataServer([dated(false)]);
    const second = setUp({ issuer: direct.identifier });
    await second.issuer.tokenEndpoint();
    expect(second.serverClock.measuredOffsetMs).not.toBe(0);
  });
});

describe('Issuer whose endpoint is known', () => {
  it('F-70: a preset answers at once and keeps its endpoint while metadata is unreachable', async () => {
    const server = await metadataServer([correct]);
    await server.close();
    const { issuer, clock } = setUp({ environment: 'test' }, { metadataUrl: `${server.url}/metadata` });
    expect(await issuer.tokenEndpoint()).toBe(ISSUER_PRESETS.test.tokenEndpoint);
    expect(await codeOf(issuer.refresh())).toBe('MP_NETWORK');
    clock.ms += 29_999;
    expect(await issuer.tokenEndpoint()).toBe(ISSUER_PRESETS.test.tokenEndpoint);
    expect(issuer.status.lastError?.code).toBe('MP_NETWORK');
  });

  it('F-70: after a failure the background fetch is repeated when 30 seconds have gone, not before', async () => {
    const server = await metadataServer([(_, response) => response.writeHead(500).end()]);
    const { issuer, clock } = setUp({ environment: 'test' }, { metadataUrl: `${server.url}/metadata` });
    await issuer.tokenEndpoint();
    while (issuer.status.lastError === undefined) await turn();
    clock.ms += 29_999;
    await issuer.tokenEndpoint();
    await turn();
    expect(server.paths).toHaveLength(1);
    clock.ms += 1;
    await issuer.tokenEndpoint();
    while (server.paths.length < 2) await turn();
    expect(server.paths).toHaveLength(2);
  });

  it('F-71, T-28: metadata of somebody else does not move a preset', async () => {
    const server = await metadataServer([correct]);
    const { issuer, events } = setUp({ environment: 'prod' }, { metadataUrl: `${server.url}/metadata` });
    expect(await codeOf(issuer.refresh())).toBe('MP_CONFIG_ENDPOINT');
    expect(events).toHaveLength(1);
    expect(await issuer.tokenEndpoint()).toBe(ISSUER_PRESETS.prod.tokenEndpoint);
  });

  it('a configured endpoint is used as it is, and metadata is not asked for', async () => {
    const server = await metadataServer([correct]);
    const tokenEndpoint = `${server.url}/elsewhere`;
    const { issuer } = setUp({ issuer: server.identifier, tokenEndpoint });
    expect(await issuer.tokenEndpoint()).toBe(tokenEndpoint);
    await issuer.refresh();
    expect(await issuer.tokenEndpoint()).toBe(tokenEndpoint);
    expect(server.paths).toHaveLength(1);
    expect([issuer.environment, issuer.metadataUrl]).toEqual([
      undefined,
      `${server.url}/.well-known/oauth-authorization-server`,
    ]);
  });
});

describe('parseIssuerMetadata', () => {
  const issuer = 'https://test.maskinporten.no/';

  it('reads Maskinporten’s own document, which lacks what RFC 8414 requires', () => {
    const body = JSON.stringify({
      authorization_details_types_supported: ['urn:altinn:systemuser'],
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      issuer,
      jwks_uri: 'https://test.maskinporten.no/jwk',
      token_endpoint: 'https://test.maskinporten.no/token',
    });
    expect(parseIssuerMetadata(Buffer.from(body), issuer)).toEqual({
      issuer,
      tokenEndpoint: 'https://test.maskinporten.no/token',
      jwksUri: 'https://test.maskinporten.no/jwk',
    });
  });

  it('leaves out a jwks_uri at another origin', () => {
    const body = JSON.stringify({ issuer, token_endpoint: `${issuer}token`, jwks_uri: 'https://evil.example/jwk' });
    expect(parseIssuerMetadata(Buffer.from(body), issuer)).not.toHaveProperty('jwksUri');
  });

  it('T-57: text of a foreign document reaches events only when short and visible', () => {
    for (const foreign of ['a\u001b[31m', 'x'.repeat(101), 'https://user:pw@evil/', '\u202e']) {
      const body = Buffer.from(JSON.stringify({ issuer: foreign }));
      expect(() => parseIssuerMetadata(body, issuer)).toThrow(new MetadataRefusal('names another issuer (not shown)'));
    }
  });

  it.each(['[', '{"a":', '"', ' ', 'x', '\\'])('T-62, T-63: a million characters of %j are refused', (unit) => {
    const body = Buffer.from(unit.repeat(Math.floor(1_000_000 / unit.length)));
    expect(() => parseIssuerMetadata(body, issuer)).toThrow(MetadataRefusal);
  });
});
