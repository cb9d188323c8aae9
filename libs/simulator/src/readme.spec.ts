import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { RULES } from './maskinporten/rules/index.js';
import { asClaims } from './grants.fixtures.js';
import { startSimulator } from './index.js';
import { runCommand } from './run-command.js';

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

describe('the lines to paste', () => {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-readme-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('work in a shell, in their order: key, client, token, API, system user, PDP', async () => {
    const [, command = ''] = /^npx maskinporten-simulator(.*)$/m.exec(readme) ?? [];
    let stop: (() => void) | undefined;
    let code: Promise<number> | undefined;
    const line = await new Promise<string>((writeOut, writeError) => {
      const host = { environment: {}, writeOut, writeError, onStop: (listener: () => void) => void (stop = listener) };
      code = runCommand([...command.split(' ').filter(Boolean), '--port', '0', '--json'], host);
    });
    const { operatorUrl } = asClaims(JSON.parse(line));
    const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
    expect(blocks).toHaveLength(4);
    const script = blocks.map((block) => `${block}\necho; echo "== end of a block"`).join('\n');
    const args = ['-euo', 'pipefail', '-c', script.replaceAll('http://127.0.0.1:8480', String(operatorUrl))];
    const { stdout } = await promisify(execFile)('bash', args, { cwd: folder });
    stop?.();
    expect(await code).toBe(0);
    const [client = '', whoami = '', decided = '', permitted = ''] = stdout.split('== end of a block');
    expect(client).toContain('"clientId":"my-client"');
    expect(whoami).toContain('"scope":"skatteetaten:kravogbetalinger"');
    expect(decided).toContain('"id":"310000019_books"');
    expect(permitted).toContain('"decision":"Permit"');
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
