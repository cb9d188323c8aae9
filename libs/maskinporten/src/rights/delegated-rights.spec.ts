import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { organisationNumber, testClient, type TestClient } from '../altinn/altinn-client.fixtures.js';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import { DelegatedRights } from './index.js';

const CUSTOMER = organisationNumber(1);
const RESOURCE = 'ske-krav-og-betalinger';

const about = (systemUserId: string, action = 'read') => ({
  systemUserId,
  resource: RESOURCE,
  action,
  party: CUSTOMER,
});

class TestClock {
  ms = 1_000_000;
  wallMs = (): number => this.ms;
  monotonicMs = (): number => this.ms;
}

describe('rights of a system user that presents itself', () => {
  const standIn = new AltinnStandIn();
  let client: TestClient;
  let clock: TestClock;
  let rights: DelegatedRights;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    clock = new TestClock();
    client = await testClient(standIn);
    rights = new DelegatedRights({ altinn: client.altinn, clock });
  });
  afterEach(async () => client.close());

  const asked = (): number => standIn.calls('/authorize').length;

  it('a Permit is a yes for 30 s, and a no is asked again after 2 s', async () => {
    const { id } = standIn.addUser({ organisation: CUSTOMER, rights: [`${RESOURCE}#read`] });
    await expect(rights.check(about(id))).resolves.toEqual({ allowed: true, checkedAt: new Date(1_000_000) });
    clock.ms += 29_999;
    await rights.check(about(id));
    expect(asked()).toBe(1);
    clock.ms += 1;
    await rights.check(about(id));
    expect(asked()).toBe(2);
    await expect(rights.check(about(id, 'write'))).resolves.toMatchObject({ allowed: false, code: 'right_missing' });
    clock.ms += 1_999;
    await rights.check(about(id, 'write'));
    expect(asked()).toBe(3);
    clock.ms += 1;
    await rights.check(about(id, 'write'));
    expect(asked()).toBe(4);
  });

  it('one system user says nothing about another, nor a party about another', async () => {
    const { id } = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const other = standIn.addUser({ organisation: CUSTOMER, rights: [] });
    await expect(rights.check(about(id))).resolves.toMatchObject({ allowed: true });
    await expect(rights.check(about(other.id))).resolves.toMatchObject({ allowed: false });
    await expect(rights.check({ ...about(id), party: organisationNumber(2) })).resolves.toMatchObject({
      allowed: false,
    });
  });

  it('many who ask at once are one question; a fresh answer and a forgotten one are asked for', async () => {
    const { id } = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    await Promise.all(Array.from({ length: 20 }, () => rights.check(about(id))));
    expect(asked()).toBe(1);
    await rights.check(about(id), true);
    expect(asked()).toBe(2);
    rights.forget(about(id));
    await rights.check(about(id));
    expect(asked()).toBe(3);
  });

  it('F-80: no answer is not a yes, and is not remembered', async () => {
    const { id } = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.fail('/authorize', 400, { times: 1 });
    await expect(rights.check(about(id))).rejects.toMatchObject({ name: 'RightsRefusal' });
    await expect(rights.check(about(id))).resolves.toMatchObject({ allowed: true });
    await expect(rights.check({ ...about(id), resource: 'unknown' })).rejects.toMatchObject({
      code: 'delegation_unknown',
      details: { reason: expect.stringContaining('Indeterminate') },
    });
  });

  it('F-83: a refusal of our own client, and a client without Altinn, are our own faults', async () => {
    const { id } = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    standIn.fail('/authorize', 403);
    await expect(rights.check(about(id))).rejects.toMatchObject({ code: 'system_user_misconfigured' });
    await expect(new DelegatedRights({ altinn: undefined }).check(about(id))).rejects.toMatchObject({
      code: 'system_user_misconfigured',
    });
  });
});
