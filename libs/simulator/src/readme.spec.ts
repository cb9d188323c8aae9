import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RULES } from './maskinporten/rules/index.js';
import { asClaims } from './grants.fixtures.js';
import { startSimulator } from './index.js';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

describe('the README', () => {
  it('shows a configuration that works', async () => {
    const [, block = ''] = /```json\n([\s\S]*?)```/.exec(readme) ?? [];
    const config = asClaims(JSON.parse(block));
    const simulator = await startSimulator({ config });
    expect(simulator.operator.systemUsers.list()).toHaveLength(1);
    expect(simulator.operator.faults.list()).toMatchObject([{ path: '/token', status: 503, retryAfter: 1, times: 1 }]);
    await simulator.close();
  });

  it('names every member of the configuration', async () => {
    const simulator = await startSimulator();
    const answer = await fetch(`${simulator.operatorUrl}/operator/api`);
    const { members } = asClaims(await answer.json());
    await simulator.close();
    expect(members).toContain('clients');
    for (const member of Array.isArray(members) ? members : []) expect(readme).toContain(`\`${String(member)}\``);
  });
});

describe('the rules', () => {
  it('have names of their own, and need only rules that come before them', () => {
    const seen = new Set<string>();
    for (const { check, needs = [] } of RULES) {
      expect(seen.has(check)).toBe(false);
      expect(needs.filter((needed) => !seen.has(needed))).toEqual([]);
      seen.add(check);
    }
  });
});
