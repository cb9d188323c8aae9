import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { normaliseTokenRequest } from '../grants/index.js';
import { Demand } from './index.js';
import { answer } from './strict-token-endpoint.fixtures.js';
import { startBench, type Bench } from './token-endpoint.fixtures.js';

let bench: Bench;
let second: Server;
let visits: string[];

beforeEach(async () => {
  bench = await startBench();
  visits = [];
  second = createServer((request, response) => {
    visits.push(`${request.method} ${request.url}`);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(second, 'listening');
});
afterEach(async () => {
  second.close();
  second.closeAllConnections();
  await bench.close();
});

describe.each([301, 302, 303, 307, 308])('T-20, S-14: redirect %i', (status) => {
  it.each([
    '/elsewhere',
    '//{}/x',
    'http://{}/x',
    'http://user:pw@{}/x',
    'http://localhost:{port}/x',
    '?a=b',
    'https://{}/x',
    'http://{}/token',
  ])('to %s is an error, and the assertion goes nowhere else', async (template) => {
    const { port } = second.address() as AddressInfo;
    const location = template.replace('{port}', String(port)).replace('{}', `127.0.0.1:${port}`);
    bench.server.always = answer(status, '', { location });
    const fetching = bench.endpoint.fetchToken(normaliseTokenRequest('a'), new Demand());
    await expect(fetching).rejects.toMatchObject({
      code: 'MP_REDIRECT',
      category: 'security',
      status,
      attempts: 1,
      retryable: false,
    });
    expect(visits).toEqual([]);
    expect(bench.server.grants).toHaveLength(1);
  });
});
