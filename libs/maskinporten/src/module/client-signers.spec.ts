import { describe, expect, it } from '@jest/globals';
import { HealthContributors } from '../signals/index.js';
import { ClientSigners } from './client-signers.js';

function signer(name?: string) {
  const made = {
    closed: 0,
    sign: () => Promise.resolve(new Uint8Array()),
    close: () => {
      made.closed += 1;
      return Promise.resolve();
    },
    ...(name === undefined ? {} : { health: { name, report: () => ({ status: 'degraded' as const }) } }),
  };
  return made;
}

describe('the signers of a client', () => {
  it('report their state while the client lives, and are closed by the last client that uses them', async () => {
    const contributors = new HealthContributors();
    const shared = signer('hsm');
    const own = signer();
    const first = new ClientSigners([{ pem: 'x' }, { signer: shared }, { signer: own }]);
    const second = new ClientSigners({ signer: shared });
    first.reportTo(contributors);
    second.reportTo(contributors);
    expect(contributors.list().map((each) => [each.name, each.report()])).toEqual([['hsm', { status: 'degraded' }]]);
    await first.close();
    expect([shared.closed, own.closed]).toEqual([0, 1]);
    await second.close();
    expect([shared.closed, own.closed, contributors.list()]).toEqual([1, 1, []]);
  });

  it('are none for other keys, for what is no key, and for what only a prototype has', async () => {
    const polluted = Object.create({ signer: signer('planted') }) as object;
    for (const key of [undefined, null, 'text', { pem: 'x' }, [{ signer: {} }, { signer: null }, 5], polluted]) {
      const contributors = new HealthContributors();
      const signers = new ClientSigners(key);
      signers.reportTo(contributors);
      expect(contributors.list()).toEqual([]);
      await signers.close();
    }
  });
});
