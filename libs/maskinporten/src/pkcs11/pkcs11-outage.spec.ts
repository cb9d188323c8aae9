import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSigningKey, type SigningKey } from '../keys/index.js';
import type { Pkcs11Signer, Pkcs11SignerOptions } from './index.js';
import {
  closeSigners,
  openSigner,
  PIN,
  SoftHsm,
  tokenProcesses,
  until,
  withSoftHsm,
  type HsmServer,
} from './softhsm.fixtures.js';

const data = Buffer.from('header.claims');
const failureOf = (key: SigningKey): Promise<unknown> => key.sign(data).catch((error: unknown) => error);

/** As a library that crashes ends them. */
function killProcesses(): void {
  for (const pid of tokenProcesses()) process.kill(pid, 'SIGKILL');
}

/** `reopenEveryMs` is so long by default that what is seen comes from the calls. */
async function open(
  where: Pick<SoftHsm, 'library' | 'environment'>,
  more: Partial<Pkcs11SignerOptions> = {},
): Promise<{ signer: Pkcs11Signer; key: SigningKey }> {
  const { library, environment } = where;
  const signer = await openSigner({ library, environment, pin: PIN, reopenEveryMs: 3_600_000, ...more });
  return { signer, key: await loadSigningKey({ signer }) };
}

/** Signs until it works; a token that could not be opened is left alone for a moment. */
async function signsAgain(key: SigningKey): Promise<void> {
  while (!((await failureOf(key)) instanceof Uint8Array)) await new Promise((resolve) => setTimeout(resolve, 20));
}

withSoftHsm(() => {
  describe('a token that is not always there', () => {
    const hsm = new SoftHsm();
    let server: HsmServer;

    beforeAll(async () => {
      hsm.initialise('t').generate('t', { label: 'k', id: '01' });
      server = await hsm.serve();
    });
    afterEach(async () => {
      await closeSigners();
      server.goOn();
    });
    afterAll(async () => {
      server?.goOn();
      await server?.stop();
      hsm.remove();
    });

    it('unplugged: failures are for a time, health is degraded; plugged in: it signs again by itself', async () => {
      const { signer, key } = await open(hsm);
      hsm.unplug();
      expect(await failureOf(key)).toMatchObject({
        code: 'MP_UPSTREAM',
        category: 'transient',
        retryable: true,
        actBy: 'you',
        failures: [{ field: 'pkcs11.token' }],
      });
      expect(signer.health.report()).toMatchObject({ status: 'degraded', details: { code: 'MP_UPSTREAM' } });
      hsm.plugIn();
      await signsAgain(key);
      expect(signer.health.report()).toEqual({ status: 'up' });
    });

    it('restarted while nobody signed: the stale sessions cost no call', async () => {
      const { key } = await open(server);
      await server.stop();
      await server.start();
      await expect(key.sign(data)).resolves.toHaveLength(256);
    });

    it('restarted under load: no call fails', async () => {
      const { key } = await open(server);
      for (let round = 0; round < 3; round += 1) {
        await server.stop();
        await server.start();
        const signed = await Promise.all(Array.from({ length: 20 }, () => key.sign(data)));
        expect(signed).toHaveLength(20);
      }
    });

    it('its process killed, as by a library that crashes: the next one signs', async () => {
      const { key } = await open(hsm);
      killProcesses();
      await expect(key.sign(data)).resolves.toHaveLength(256);
      expect(tokenProcesses()).toHaveLength(1);
    });

    it('switched off for long: it is looked for, and in use again before anybody asks', async () => {
      const { signer, key } = await open(server, { reopenEveryMs: 50 });
      await server.stop();
      expect(await failureOf(key)).toMatchObject({ code: 'MP_UPSTREAM' });
      await server.start();
      await until(() => signer.health.report().status === 'up');
      await expect(key.sign(data)).resolves.toHaveLength(256);
    });

    it('while it is away nobody asks it more than once at a time, and callers are answered at once', async () => {
      const { key } = await open(hsm);
      hsm.unplug();
      const failures = await Promise.all(Array.from({ length: 30 }, () => failureOf(key)));
      for (const failure of failures) expect(failure).toMatchObject({ code: 'MP_UPSTREAM' });
      expect(tokenProcesses().length).toBeLessThanOrEqual(1);
      hsm.plugIn();
      await signsAgain(key);
    });

    it('hanging: the event loop goes on, the call ends in time, the hung process goes, and it signs when it is back', async () => {
      const { signer, key } = await open(server, { timeoutMs: 2_000 });
      const [before] = tokenProcesses();
      server.hang();
      let turns = 0;
      let settled = false;
      const turn = (): void => {
        turns += 1;
        if (!settled) setImmediate(turn);
      };
      setImmediate(turn);
      const failure = await failureOf(key);
      settled = true;
      // The library sits in one call all the time: had it been in this thread, there would have been no turn at all.
      expect(turns).toBeGreaterThan(10);
      expect(failure).toMatchObject({ code: 'MP_TIMEOUT', category: 'transient', retryable: true });
      await until(() => !tokenProcesses().includes(before ?? 0));
      expect(signer.health.report()).toMatchObject({ status: 'degraded', details: { code: 'MP_TIMEOUT' } });
      expect(await failureOf(key)).toMatchObject({ category: 'transient' });
      server.goOn();
      await signsAgain(key);
      expect(signer.health.report()).toEqual({ status: 'up' });
    });

    it('hanging, with callers that have gone: the hung process goes all the same', async () => {
      const { signer } = await open(server, { timeoutMs: 2_000 });
      const [before] = tokenProcesses();
      server.hang();
      const controller = new AbortController();
      const signing = signer.sign(data, { alg: 'RS256', signal: controller.signal });
      controller.abort();
      await expect(signing).rejects.toMatchObject({ code: 'MP_ABORTED' });
      await until(() => !tokenProcesses().includes(before ?? 0));
    });

    it('hanging when it is opened: the start is refused in time, and nothing is left behind', async () => {
      server.hang();
      await expect(open(server, { openTimeoutMs: 300 })).rejects.toMatchObject({ code: 'MP_TIMEOUT', retryable: true });
      await until(() => tokenProcesses().length === 0);
    });

    it('closing while it hangs ends at once', async () => {
      const { signer, key } = await open(server, { timeoutMs: 60_000 });
      server.hang();
      const signing = failureOf(key);
      await signer.close();
      expect(await signing).toMatchObject({ code: 'MP_ABORTED' });
      await until(() => tokenProcesses().length === 0);
    });

    it('with another PIN than before: the old one is tried once, not until the token locks', async () => {
      const own = new SoftHsm().initialise('t').generate('t', { label: 'k', id: '01' });
      const pinFile = join(mkdtempSync(join(tmpdir(), 'maskinporten-pin-')), 'pin');
      writeFileSync(pinFile, PIN);
      const { library, environment } = own;
      const signer = await openSigner({ library, environment, pinFile, reopenEveryMs: 3_600_000 });
      const key = await loadSigningKey({ signer });
      const changePin = (from: string, to: string): string => own.tool('t', ['--change-pin', '--new-pin', to], from);
      changePin(PIN, 'another-pin');
      killProcesses();
      const refused = { code: 'MP_CONFIG', retryable: false, failures: [{ field: 'pkcs11.pin' }] };
      expect(await failureOf(key)).toMatchObject(refused);
      expect(signer.health.report()).toMatchObject({ status: 'down', details: { code: 'MP_CONFIG' } });
      // The refused PIN would be right now; that it is refused all the same shows that the token was not asked.
      changePin('another-pin', PIN);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await failureOf(key)).toMatchObject(refused);
      expect(tokenProcesses()).toEqual([]);
      changePin(PIN, 'another-pin');
      writeFileSync(pinFile, 'another-pin\n');
      await signsAgain(key);
      own.remove();
    });

    it('with another key under the same label: it is refused, because Maskinporten does not know it', async () => {
      const own = new SoftHsm().initialise('t').generate('t', { label: 'k', id: '01' });
      const { key } = await open(own);
      own.tool('t', ['--delete-object', '--type', 'privkey', '--id', '01']);
      own.tool('t', ['--delete-object', '--type', 'pubkey', '--id', '01']);
      own.generate('t', { label: 'k', id: '01' });
      killProcesses();
      expect(await failureOf(key)).toMatchObject({ code: 'MP_SIGNATURE', failures: [{ field: 'pkcs11.key' }] });
      own.remove();
    });
  });
});
