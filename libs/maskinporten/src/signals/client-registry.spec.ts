import { describe, expect, it } from '@jest/globals';
import { ClientRegistry, HealthContributors } from './index.js';
import { startService } from '../tokens/token-service.fixtures.js';

describe('ClientRegistry', () => {
  it('tells of the clients that are there and of those that come, until told to stop', async () => {
    const [first, second] = [await startService(), await startService()];
    const registry = new ClientRegistry();
    const client = { name: 'first', tokens: first.service };
    const seen: string[] = [];
    registry.register(client);
    const stop = registry.watch(({ name }) => seen.push(name));
    registry.register({ name: 'second', tokens: second.service });
    stop();
    registry.register({ name: 'third', tokens: second.service });
    expect(seen).toEqual(['first', 'second']);
    expect(registry.get('first')).toBe(client);
    registry.unregister({ name: 'first', tokens: second.service });
    expect(registry.get('first')).toBe(client);
    registry.unregister(client);
    expect(registry.has('first')).toBe(false);
    expect(() => registry.get('first')).toThrow(expect.objectContaining({ code: 'MP_ABORTED' }));
    await Promise.all([first.close(), second.close()]);
  });
});

describe('HealthContributors', () => {
  it('lists who contributes until it is taken away', () => {
    const contributors = new HealthContributors();
    const contributor = { name: 'store', report: () => ({ status: 'up' as const }) };
    const remove = contributors.add(contributor);
    expect(contributors.list()).toEqual([contributor]);
    remove();
    expect(contributors.list()).toEqual([]);
  });
});
