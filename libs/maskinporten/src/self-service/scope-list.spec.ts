import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { startTestSimulator } from '../testing/simulator.fixtures.js';
import { HttpTransport } from '../http/index.js';
import { listScopes } from './index.js';

it.each(['', '/', '/api/v1'])('lists the names of the simulator’s scopes (base address with %j)', async (path) => {
  const simulator = await startTestSimulator({ config: { scopes: [{ name: 'acme:b' }, { name: 'acme:a' }] } });
  const transport = new HttpTransport();
  try {
    const baseUrl = `${simulator.selfServiceUrl}${path}`;
    expect(await listScopes({ baseUrl, transport })).toEqual(['acme:a', 'acme:b']);
  } finally {
    await transport.close();
    await simulator.close();
  }
});

it.each([
  [200, '<html>'],
  [200, '{"name":"acme:a"}'],
  [404, '[]'],
])('takes no list from HTTP %i with %s', async (status, body) => {
  const server = createServer((_request, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = new HttpTransport();
  try {
    const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(listScopes({ baseUrl, transport })).rejects.toMatchObject({ code: 'MP_PROTOCOL' });
  } finally {
    await transport.close();
    server.close();
  }
});
