import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IssueTokenInput, Simulator } from 'maskinporten-simulator';
import { startTestSimulator } from '../../testing/simulator.fixtures.js';
import { runInProcess, type CliRun } from '../cli.fixtures.js';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startTestSimulator();
});
afterAll(() => simulator.close());

const WISH: IssueTokenInput = { consumer: '310000019', scopes: ['acme:things.read'] };

function explain(token: string, args: readonly string[] = []): Promise<CliRun> {
  const env = { MASKINPORTEN_ISSUER: simulator.issuer };
  return runInProcess(['token', 'explain', ...args], { env, readInput: async () => Promise.resolve(`${token}\n`) });
}

describe('token explain', () => {
  it('says who an accepted token is for, and never prints it back', async () => {
    const token = await simulator.issueToken(WISH);
    for (const args of [[], ['--json'], ['--lang', 'nb']]) {
      const { exitCode, stdout, stderr } = await explain(token, args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toContain('310000019');
      expect(stdout).toContain('acme:things.read');
      for (const part of token.split('.')) expect(stdout).not.toContain(part);
    }
  });

  it('takes it with Bearer before it', async () => {
    expect((await explain(`Bearer ${await simulator.issueToken(WISH)}`)).exitCode).toBe(0);
  });

  it('says what would refuse it here: signature, audience, what is not a token', async () => {
    const refusals = [
      [await simulator.issueToken({ ...WISH, tamper: 'signature' }), 'token_signature'],
      [await simulator.issueToken({ ...WISH, audience: 'https://other.example' }), 'token_audience'],
      ['hello', 'token_malformed'],
    ] as const;
    for (const [token, code] of refusals) {
      const run = await explain(token, ['--json']);
      expect(run.exitCode).toBe(1);
      expect(run.document).toMatchObject({ accepted: false, refusal: { code } });
    }
    const audience = ['--audience', 'https://other.example'];
    expect((await explain(refusals[1][0], audience)).exitCode).toBe(0);
  });

  it('asks for the token and for the issuer when they are missing', async () => {
    expect((await explain('')).exitCode).toBe(2);
    const nowhere = { env: {}, readInput: async () => Promise.resolve(await simulator.issueToken(WISH)) };
    expect((await runInProcess(['token', 'explain'], nowhere)).exitCode).toBe(2);
  });

  it('leaves token as it was', async () => {
    const { exitCode, stderr } = await runInProcess(['token']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('scope') });
  });
});
