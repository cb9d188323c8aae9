import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { checkDestination } from '../issuer/index.js';
import { insecureHosts } from '../http/index.js';
import { checkOptions } from '../module/check-options.js';
import { createTokenService, type TokenEvent, type TokenServiceConfig } from './index.js';
import { keySource } from './token-service.fixtures.js';

// Reaches this machine on Linux and is no loopback address: what a container's name is to a developer.
const HOST = '0.0.0.0';

let server: Server;
let issuer: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.setHeader('content-type', 'application/json');
    const token = { access_token: 'a-token', token_type: 'Bearer', expires_in: 120, scope: 'acme:read' };
    const metadata = { issuer, token_endpoint: `${issuer}token` };
    response.end(JSON.stringify(request.url === '/token' ? token : metadata));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  issuer = `http://${HOST}:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => void server.close());

const { NODE_ENV } = process.env;
afterEach(() => {
  if (NODE_ENV === undefined) delete process.env['NODE_ENV'];
  else process.env['NODE_ENV'] = NODE_ENV;
});

const config = (more: Partial<TokenServiceConfig> = {}): TokenServiceConfig => ({
  issuer,
  clientId: 'a-client',
  key: keySource(),
  http: { allowInsecureHosts: [HOST] },
  ...more,
});

async function refusal(given: TokenServiceConfig): Promise<string[]> {
  try {
    await (await createTokenService(given)).close();
  } catch (error) {
    if (isMaskinportenError(error)) return error.failures.map(({ field, reason }) => `${field} ${reason}`);
    throw error;
  }
  return [];
}

describe('http.allowInsecureHosts', () => {
  it('lets metadata, token endpoint and token be had over http from the host, with one warning', async () => {
    const events: TokenEvent[] = [];
    const tokens = await createTokenService(config({ onEvent: (event) => events.push(event) }));
    try {
      expect((await tokens.getToken('acme:read')).value).toBe('a-token');
      await tokens.checkIssuer();
    } finally {
      await tokens.close();
    }
    const warnings = events.filter((event) => event.type === 'warning' && event.field.startsWith('http.'));
    expect(warnings).toEqual([
      { type: 'warning', field: 'http.allowInsecureHosts', reason: expect.stringContaining(`to ${HOST}:`) },
    ]);
  });

  it('nothing of it without the host', async () => {
    expect(await refusal(config({ http: {} }))).toEqual([expect.stringMatching(/^issuer must be https:/)]);
    expect(await refusal(config({ http: { allowInsecureHosts: ['simulator'] } }))).toEqual([
      expect.stringMatching(/^issuer must be https:/),
    ]);
    const elsewhere = config({ tokenEndpoint: 'http://elsewhere.example/token' });
    expect(await refusal(elsewhere)).toEqual([expect.stringMatching(/^tokenEndpoint must be https:/)]);
  });

  it('is refused with the prod preset, the production issuer and NODE_ENV=production', async () => {
    const refused = [expect.stringMatching(/^http\.allowInsecureHosts is refused/)];
    const { issuer: _, ...preset } = config({ environment: 'prod' });
    expect(await refusal(preset)).toEqual(refused);
    expect(await refusal(config({ environment: 'prod' }))).toEqual(refused);
    expect(await refusal(config({ issuer: 'https://maskinporten.no/' }))).toEqual(refused);
    process.env['NODE_ENV'] = 'production';
    expect(await refusal(config())).toEqual(refused);
    expect(await refusal(config({ issuer: 'https://issuer.example/', http: { allowInsecureHosts: [] } }))).toEqual([]);
  });

  it.each([
    ['simulator:8480'],
    ['http://simulator'],
    ['simulator/'],
    ['*'],
    ['*.local'],
    ['simulator.'],
    ['user@simulator'],
    ['127.1'],
    [''],
    [' '],
    [5],
    ['maskinporten.no'],
    ['test.maskinporten.no'],
    ['platform.tt02.altinn.no'],
  ])('%j is not a name that it takes', async (name) => {
    const http = { allowInsecureHosts: [HOST, name as string] };
    expect(await refusal(config({ http }))).toEqual([expect.stringMatching(/^http\.allowInsecureHosts\[1\] /)]);
  });

  it('takes names as a URL says them, in any case', () => {
    const hosts = insecureHosts([
      'Mock-OAuth2-Server',
      'host.docker.internal',
      'my_service',
      '[fd00::1]',
      '172.17.0.1',
    ]);
    for (const host of ['mock-oauth2-server', 'host.docker.internal', 'my_service', '[fd00::1]', '172.17.0.1']) {
      expect(checkDestination(`http://${host}:8080`, hosts)).toEqual({ origin: `http://${host}:8080` });
    }
    expect(checkDestination('http://mock-oauth2-server.example', hosts)).toHaveProperty('reason');
    expect(checkDestination('http://sub.host.docker.internal', hosts)).toHaveProperty('reason');
  });

  it('holds for issuer, Altinn and destinations of the options, and an application says which is not listed', () => {
    const options = {
      issuer: 'http://simulator:8480/',
      tokenEndpoint: 'http://simulator:8480/token',
      clientId: 'a-client',
      key: keySource(),
      destinations: ['http://simulator:8480', { origin: 'http://mock:1080', pathPrefix: '/krav' }],
      altinn: { platformUrl: 'http://simulator:8480' },
      http: { allowInsecureHosts: ['simulator', 'mock'] },
    };
    expect(checkOptions(options)).toEqual([]);
    expect(checkOptions({ ...options, http: { allowInsecureHosts: ['mock'] } }).map(({ field }) => field)).toEqual([
      'issuer',
      'tokenEndpoint',
      'altinn.platformUrl',
      'destinations[0]',
    ]);
  });
});
