import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { startSimulator, type Simulator } from 'maskinporten-simulator';
import { PATIENT } from '../../../../test/support/patience.js';
import { MaskinportenHealthIndicator, MaskinportenHealthModule } from '../health/index.js';
import { loadSigningKey, type KeySource } from '../keys/index.js';
import { makeKey } from '../keys/keys.fixtures.js';
import { MaskinportenModule } from '../module/index.js';
import { MaskinportenTokenService, type TokenEvent } from '../tokens/index.js';
import type { Pkcs11Signer } from './index.js';
import { closeSigners, openSigner, PIN, SoftHsm, tokenProcesses, until, withSoftHsm } from './softhsm.fixtures.js';

const SCOPE = 'acme:read';
const spare = makeKey();

withSoftHsm(() => {
  describe('a service whose key is on a token', () => {
    const hsm = new SoftHsm();
    let simulator: Simulator;
    let signer: Pkcs11Signer;
    let app: Awaited<ReturnType<typeof start>> | undefined;

    beforeAll(async () => {
      hsm.initialise('t').generate('t', { label: 'k', id: '01', bits: 3072 });
      simulator = await startSimulator({ separateOrigins: true });
    });
    afterEach(async () => {
      await app?.close();
      await closeSigners();
      simulator.operator.reset();
    });
    afterAll(async () => {
      await simulator?.close();
      hsm.remove();
    });

    /** Registers the public half of the token's key, and of the spare one, and starts an application. */
    async function start(more: readonly KeySource[] = []) {
      const { library, environment } = hsm;
      signer = await openSigner({ library, environment, pin: PIN, reopenEveryMs: 50 });
      const { kid } = await loadSigningKey({ signer });
      const keys = [
        { ...signer.publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' },
        { ...spare.publicKey.export({ format: 'jwk' }), kid: 'spare', use: 'sig', alg: 'RS256' },
      ];
      const client = { clientId: 'a-client', orgno: '310000019', jwks: { keys }, scopes: [SCOPE] };
      await fetch(`${simulator.operatorUrl}/operator/api/clients`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(client),
      });
      const { issuer } = simulator;
      @Module({
        imports: [
          MaskinportenModule.forRoot({ issuer, clientId: 'a-client', key: [{ signer }, ...more], retry: PATIENT }),
          MaskinportenHealthModule,
        ],
      })
      class AppModule {}
      const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
      const nest = module.createNestApplication({ logger: false });
      await nest.init();
      return nest;
    }
    const tokens = (): MaskinportenTokenService => {
      if (app === undefined) throw new Error('not started');
      return app.get(MaskinportenTokenService);
    };
    const health = () => app?.get(MaskinportenHealthIndicator).check('m', { details: true, parts: ['key'] }).m;

    it('gets tokens, is told in health, and the process of the token ends with the application', async () => {
      app = await start();
      expect(await tokens().getToken(SCOPE)).toMatchObject({ kid: signer.kid, scopes: [SCOPE] });
      expect(health()).toMatchObject({ status: 'up', contributors: { pkcs11: { status: 'up' } } });
      expect(tokenProcesses()).toHaveLength(1);
      await app.close();
      await until(() => tokenProcesses().length === 0);
    });

    it('under load, with the HSM unplugged and back: no call fails, because a usable token exists', async () => {
      app = await start();
      const service = tokens();
      const first = await service.getToken(SCOPE);
      const failures: unknown[] = [];
      let calls = 0;
      const load = new AbortController();
      const callers = Promise.all(
        Array.from({ length: 10 }, async () => {
          while (!load.signal.aborted) {
            await service.getToken(SCOPE).catch((error: unknown) => failures.push(error));
            calls += 1;
            await new Promise((resolve) => setImmediate(resolve));
          }
        }),
      );
      hsm.unplug();
      // Somebody wants a token that is not there yet: that call alone feels it.
      await expect(service.getToken({ scopes: SCOPE, resource: 'https://api.example.no' })).rejects.toMatchObject({
        category: 'transient',
        retryable: true,
      });
      expect(health()).toMatchObject({ status: 'degraded', contributors: { pkcs11: { status: 'degraded' } } });
      const before = calls;
      // Nor does a forced refresh, which has something to fall back on.
      await until(() => calls > before + 200);
      expect(await service.getToken(SCOPE)).toBe(first);
      hsm.plugIn();
      await until(() => health()?.status === 'up');
      load.abort();
      await callers;
      expect(failures).toEqual([]);
    });

    it('under load, with a second key: every call gets a new token all the time, and the HSM signs again when it is back', async () => {
      app = await start([{ pem: spare.pem, kid: 'spare' }]);
      const service = tokens();
      const events: TokenEvent[] = [];
      service.onEvent((event) => events.push(event));
      const kids: (string | undefined)[] = [];
      const load = new AbortController();
      const failures: unknown[] = [];
      const caller = (async () => {
        while (!load.signal.aborted) {
          try {
            const token = await service.getToken(SCOPE);
            kids.push(token.kid);
            service.invalidate(token);
          } catch (error) {
            failures.push(error);
          }
        }
      })();
      await until(() => kids.length > 3);
      hsm.unplug();
      await until(() => kids.filter((kid) => kid === 'spare').length > 5);
      hsm.plugIn();
      await until(() => kids.at(-1) === signer.kid);
      load.abort();
      await caller;
      expect(failures).toEqual([]);
      expect(kids[0]).toBe(signer.kid);
      expect(events.filter(({ type }) => type === 'key-fallback').length).toBeGreaterThan(0);
      expect(service.status.key).toMatchObject({ kid: signer.kid, fallback: false });
    });
  });
});
