import { describe, expect, it } from '@jest/globals';
import { HealthContributors, TokenServices } from './index.js';
import { startService } from '../tokens/token-service.fixtures.js';

describe('TokenServices', () => {
  it('tells of the services that are there and of those that come, until told to stop', async () => {
    const [first, second] = [await startService(), await startService()];
    const services = new TokenServices();
    const seen: string[] = [];
    services.add('first', first.service);
    const stop = services.watch((name) => seen.push(name));
    services.add('second', second.service);
    stop();
    services.add('third', second.service);
    expect(seen).toEqual(['first', 'second']);
    expect(services.get('first')).toBe(first.service);
    services.remove('first', second.service);
    expect(services.get('first')).toBe(first.service);
    services.remove('first', first.service);
    expect(services.get('first')).toBeUndefined();
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
