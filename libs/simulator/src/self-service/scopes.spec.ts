import { expect, it } from '@jest/globals';
import { makeClient } from '../grants.fixtures.js';
import { startSimulator } from '../start-simulator.js';

it.each(['/scopes/all', '/api/v1/scopes/all'])('%s lists every scope that exists, to everybody', async (path) => {
  const simulator = await startSimulator({
    config: {
      clients: [makeClient({ scopes: ['acme:orders/all:read', 'acme:old'] })],
      scopes: [{ name: 'acme:old', active: false, delegable: false, atMaxAge: 30 }, { name: 'acme:unused' }],
    },
  });
  const response = await fetch(`${simulator.selfServiceUrl}${path}`);
  expect(response.status).toBe(200);
  const scopes = (await response.json()) as Record<string, unknown>[];
  await simulator.close();
  expect(scopes.map(({ name }) => name)).toEqual(['acme:old', 'acme:orders/all:read', 'acme:unused']);
  expect(scopes[0]).toMatchObject({ active: false, at_max_age: 30 });
  expect(scopes[0]).not.toHaveProperty('delegation_source');
  expect(scopes[1]).toMatchObject({ prefix: 'acme', subscope: 'orders/all:read', active: true, visibility: 'PUBLIC' });
});
