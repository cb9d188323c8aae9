import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import { rsaKeyPair } from '../../../../../test/support/pool.js';
import { startTestSimulator } from '../../testing/simulator.fixtures.js';
import { makeKey, type TestKey } from '../../self-service/self-service.fixtures.js';
import { runInProcess, type CliRun, type CliRunOptions } from '../cli.fixtures.js';

const ORGNO = '310000019';
const [OLD, NEW, ADMIN] = [makeKey('old-key'), makeKey('new-key'), makeKey('admin-key')];
const folder = mkdtempSync(join(tmpdir(), 'maskinporten-rotation-cli-'));

function file(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
}
const privateFile = ({ kid, privateJwk }: TestKey): string => file(`${kid}.private.jwk`, privateJwk);

let simulator: Simulator;
let env: Record<string, string>;
beforeAll(async () => {
  simulator = await startTestSimulator({
    config: {
      clients: [
        { clientId: 'app', orgno: ORGNO, jwks: { keys: [OLD.jwk] }, scopes: ['acme:read'] },
        {
          clientId: 'admin',
          orgno: ORGNO,
          jwks: { keys: [ADMIN.jwk] },
          scopes: ['idporten:dcr.read', 'idporten:dcr.write'],
        },
      ],
    },
  });
  env = {
    MASKINPORTEN_ISSUER: simulator.issuer,
    MASKINPORTEN_CLIENT_ID: 'app',
    MASKINPORTEN_KID: OLD.kid,
    MASKINPORTEN_SELF_SERVICE_URL: simulator.selfServiceUrl,
    MASKINPORTEN_ADMIN_CLIENT_ID: 'admin',
    MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE: privateFile(ADMIN),
  };
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => simulator.operator.reset());

/** Waiting moves the simulator's clock; the client then finds out that its own is behind, as it would anywhere. */
let waitedMs = 0;
const wait = (ms: number): Promise<void> => {
  waitedMs += ms;
  simulator.operator.clock.setOffset(simulator.operator.clock.offsetSeconds + ms / 1000);
  return Promise.resolve();
};
beforeEach(() => {
  waitedMs = 0;
});

const run = async (args: string[], options: CliRunOptions = {}): Promise<CliRun> =>
  runInProcess(['keys', ...args], { env, cwd: folder, wait, ...options });

const kids = (): string[] => (simulator.operator.clients.get('app')?.keys ?? []).map(({ kid }) => kid);

const publicFile = (): string => file('public-jwk.json', JSON.stringify(NEW.jwk));

const rotate = async (args: string[] = [], options: CliRunOptions = {}): Promise<CliRun> =>
  run(['rotate', privateFile(NEW), '--scope', 'acme:read', ...args], options);

const without = (name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([key]) => key !== name));

describe('keys publish', () => {
  it.each([[[]], [['--dry-run']], [['--no-apply']]])('changes nothing without --apply (%j)', async (args) => {
    const { exitCode, stdout, stderr } = await run(['publish', publicFile(), ...args]);
    expect([exitCode, stderr, kids()]).toEqual([0, '', [OLD.kid]]);
    expect(stdout).toMatch(/= old-key {2}stays, until \d{4}-\d\d-\d\d\n {2}\+ new-key {2}is added, for one year/);
    expect(stdout).toContain('Nothing has been changed. Run it with --apply to do it.');
  });

  it.each(['--apply', '--no-dry-run'])('%s does it, and running it again changes nothing', async (flag) => {
    const first = await run(['publish', publicFile(), flag]);
    expect([first.exitCode, kids()]).toEqual([0, [OLD.kid, NEW.kid]]);
    expect(first.stdout).toContain('MASKINPORTEN_KID=new-key');
    const again = await run(['publish', publicFile(), flag]);
    expect([again.exitCode, kids()]).toEqual([0, [OLD.kid, NEW.kid]]);
    expect(again.stdout).toContain('nothing to do');
  });

  it('--json prints the plan as one document', async () => {
    const { document } = await run(['publish', publicFile(), '--json']);
    expect(document).toEqual({
      clientId: 'app',
      kid: NEW.kid,
      applied: false,
      changes: true,
      keys: [
        { kid: OLD.kid, action: 'keep', expiresAt: expect.stringMatching(/^\d{4}-/) },
        { kid: NEW.kid, action: 'add' },
      ],
    });
  });

  it('speaks Norwegian', async () => {
    const { stdout } = await run(['publish', publicFile(), '--lang', 'nb']);
    expect(stdout).toContain('Ingenting er endret. Kjør med --apply for å gjøre det.');
    expect(stdout).toContain('legges til, for ett år');
  });

  it('takes what keys generate makes: the public JWK, and the private key under its thumbprint', async () => {
    const made = await runInProcess(['keys', 'generate', '--size', '2048', '--out', 'made', '--json'], { cwd: folder });
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('kid') });
    const { kid } = made.document as { kid: string };
    for (const path of ['made/public-jwk.json', 'made/private-key.pem']) {
      const { document } = await run(['publish', path, '--json']);
      expect(document).toMatchObject({ kid });
    }
    expect((await run(['publish', 'made/private-key.pem', '--kid', 'mine', '--json'])).document).toMatchObject({
      kid: 'mine',
    });
  });

  it('takes a private JWK under its own kid, and a set of one', async () => {
    expect((await run(['publish', privateFile(NEW), '--json'])).document).toMatchObject({ kid: NEW.kid });
    const set = file('set.json', JSON.stringify({ keys: [NEW.jwk] }));
    expect((await run(['publish', set, '--json'])).document).toMatchObject({ kid: NEW.kid });
  });

  it('never sends the private half', async () => {
    await run(['publish', privateFile(NEW), '--apply']);
    expect([kids(), simulator.log.filter(({ status }) => status === 400)]).toEqual([[OLD.kid, NEW.kid], []]);
  });

  it('renews when told to', async () => {
    const old = file('old.json', JSON.stringify(OLD.jwk));
    expect((await run(['publish', old, '--json'])).document).toMatchObject({ changes: false });
    const { document } = await run(['publish', old, '--renew', '--apply', '--json']);
    expect(document).toMatchObject({ applied: true, keys: [{ action: 'renew', reason: 'named' }] });
  });

  it('with five keys asks which one makes room, and drops that one alone', async () => {
    const more = ['a', 'b', 'c', 'd'].map((kid) => makeKey(kid).jwk);
    simulator.operator.clients.add({
      clientId: 'app',
      orgno: ORGNO,
      jwks: { keys: [OLD.jwk, ...more] },
      scopes: ['acme:read'],
    });
    const refused = await run(['publish', publicFile(), '--apply']);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/Cause:.*are 5 already, and none has ended: old-key, a, b, c, d/);
    expect(refused.stderr).toMatch(/Fix:.*--drop/);
    expect(refused.stderr).toMatch(/Who acts:.*you/);
    await run(['publish', publicFile(), '--apply', '--drop', 'b']);
    expect(kids()).toEqual([OLD.kid, 'a', 'c', 'd', NEW.kid]);
  });

  it('tells which setting of the administration client is wrong, and who acts', async () => {
    const wrong = { ...env, MASKINPORTEN_ADMIN_CLIENT_ID: 'nobody' };
    const { exitCode, document } = await run(['publish', publicFile(), '--json'], { env: wrong });
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({
      error: { code: 'MP_CLIENT_UNKNOWN', failures: [{ field: 'MASKINPORTEN_ADMIN_CLIENT_ID' }] },
    });
  });

  it('tells what may be missing at Digdir', async () => {
    simulator.operator.clients.add({
      clientId: 'admin',
      orgno: ORGNO,
      jwks: { keys: [ADMIN.jwk] },
      scopes: ['idporten:dcr.write'],
    });
    const { exitCode, document } = await run(['publish', publicFile(), '--json']);
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({ error: { code: 'MP_SCOPE' } });
  });
});

describe('keys rotate', () => {
  it('tells the four steps and does none of them without --apply', async () => {
    const { exitCode, stdout } = await rotate();
    expect([exitCode, kids(), waitedMs]).toEqual([0, [OLD.kid], 0]);
    expect(stdout).toMatch(
      /1\. Register[^]*\+ new-key[^]*2\. Wait[^\n]*2:00[^]*3\. Get[^]*4\. Take[^]*- old-key +goes/,
    );
    expect(stdout).toContain('--apply');
  });

  it('does them, and nothing when it is run again', async () => {
    const { exitCode, document, stderr } = await rotate(['--apply', '--json']);
    expect([exitCode, stderr, kids()]).toEqual([0, '', [NEW.kid]]);
    expect(document).toMatchObject({
      clientId: 'app',
      newKid: NEW.kid,
      oldKid: OLD.kid,
      applied: true,
      waitSeconds: 120,
      publish: { changes: true },
      remove: {
        keys: [
          { kid: OLD.kid, action: 'drop' },
          { kid: NEW.kid, action: 'keep' },
        ],
      },
    });
    // What is left of them, by the simulator's clock, when the set has been read back.
    expect(waitedMs).toBeGreaterThan(60_000);
    expect(waitedMs).toBeLessThanOrEqual(120_000);
    const again = await rotate(['--apply', '--json']);
    expect(again.document).toMatchObject({ publish: { changes: false }, remove: null });
  });

  it('shows how long it still takes in a terminal, and nothing of it elsewhere', async () => {
    const shown = await rotate(['--apply'], { isTerminal: true, columns: 120, env: { ...env, NO_COLOR: '1' } });
    expect(shown.stderr).toMatch(/knows the new key: 1:\d\d left/);
    expect(shown.stderr).toMatch(/knows the new key: 0:\d\d left/);
    expect(shown.stdout).toContain('Done: new-key works, and old-key is gone.');
    simulator.operator.reset();
    expect((await rotate(['--apply'])).stderr).toBe('');
  });

  it('--keep-old ends with both, and the next run without it takes the old one away', async () => {
    const first = await rotate(['--apply', '--keep-old', '--lang', 'nb']);
    expect(first.stdout).toContain('Ferdig: new-key virker, og old-key er fortsatt registrert.');
    expect(kids()).toEqual([OLD.kid, NEW.kid]);
    const today = new Date().toISOString().slice(0, 10);
    expect(first.stdout).toContain(`MASKINPORTEN_KEY_REGISTERED_AT=${today}`);
    // As if that had been ten days ago.
    simulator.operator.clock.setOffset(0);
    const registered = new Date(Date.now() - 10 * 24 * 3600 * 1000);
    const jwks = { keys: [OLD.jwk, { ...NEW.jwk, exp: Math.floor(registered.getTime() / 1000) + 365 * 24 * 3600 }] };
    simulator.operator.clients.add({ clientId: 'app', orgno: ORGNO, jwks, scopes: ['acme:read'] });
    const second = await rotate(['--apply']);
    expect(second.stdout).toContain(`MASKINPORTEN_KEY_REGISTERED_AT=${registered.toISOString().slice(0, 10)}`);
    expect(kids()).toEqual([NEW.kid]);
  });

  it('keeps both keys when the new one is refused', async () => {
    simulator.operator.ungranted.add({ orgno: ORGNO, scope: 'acme:read' });
    const { exitCode, stderr } = await rotate(['--apply']);
    expect([exitCode, kids()]).toEqual([1, [OLD.kid, NEW.kid]]);
    expect(stderr).toContain('MP_NOT_GRANTED');
    expect(stderr).toContain('The old one is registered too');
  });

  it('takes the key that goes from --old-kid before MASKINPORTEN_KID', async () => {
    const { exitCode, stderr } = await rotate(['--old-kid', 'another']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('another is not registered; registered are old-key');
  });

  it('takes an encrypted key with its passphrase from the environment', async () => {
    const { privateKey } = rsaKeyPair();
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'blåbær' });
    const args = ['rotate', file('sealed.pem', String(pem)), '--scope', 'acme:read', '--kid', 'sealed', '--json'];
    const sealed = { ...env, MASKINPORTEN_NEW_KEY_PASSPHRASE: 'blåbær' };
    expect((await run(args, { env: sealed })).document).toMatchObject({ newKid: 'sealed' });
    expect((await run(args)).exitCode).toBe(1);
  });
});

describe('wrong use of keys publish and keys rotate', () => {
  it.each([
    ['MASKINPORTEN_CLIENT_ID'],
    ['MASKINPORTEN_ISSUER'],
    ['MASKINPORTEN_SELF_SERVICE_URL'],
    ['MASKINPORTEN_ADMIN_CLIENT_ID'],
    ['MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE'],
  ])('%s is missed by its name', async (name) => {
    const { exitCode, stderr } = await run(['publish', publicFile()], { env: without(name) });
    expect(exitCode).toBe(2);
    // Without an issuer it is the environment that one would name.
    expect(stderr).toContain(name);
  });

  it('the key of the client never stands in for that of the administration client', async () => {
    const own = { ...without('MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE'), MASKINPORTEN_PRIVATE_KEY_FILE: privateFile(OLD) };
    const { exitCode, stderr } = await run(['publish', publicFile()], { env: own });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('MASKINPORTEN_ADMIN_PRIVATE_KEY_FILE');
  });

  it.each([
    [['publish']],
    [['publish', 'x.json', '--apply', '--dry-run']],
    [['rotate', 'x.json']],
    [['publish', 'x.json', '--force']],
  ])('keys %j exits with 2', async (args) => {
    expect((await run(args)).exitCode).toBe(2);
  });

  it('rotate without a key that goes exits with 2', async () => {
    const { exitCode, stderr } = await run(['rotate', privateFile(NEW), '--scope', 'acme:read'], {
      env: without('MASKINPORTEN_KID'),
    });
    expect([exitCode, stderr.includes('--old-kid')]).toEqual([2, true]);
  });

  it.each([
    ['no key', '{"kty":"EC"}', 2],
    ['nothing', '', 1],
  ])('a file with %s is refused', async (_what, content, exitCode) => {
    expect((await run(['publish', file('odd.json', content)])).exitCode).toBe(exitCode);
  });

  it('a file that is not there is named', async () => {
    const { exitCode, stderr } = await run(['publish', 'absent.json']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('absent.json');
  });

  it('the help says what it needs', async () => {
    const { stdout } = await run(['rotate', '--help']);
    expect(stdout).toContain('MASKINPORTEN_ADMIN_PKCS12_FILE');
  });
});
