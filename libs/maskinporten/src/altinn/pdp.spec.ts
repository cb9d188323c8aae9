import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { organisationNumber, testClient, type TestClient } from './altinn-client.fixtures.js';
import { AltinnStandIn } from './altinn-stand-in.fixtures.js';
import { readPdpAnswer } from './pdp-decision.js';

const CUSTOMER = organisationNumber(1);
const RESOURCE = 'ske-krav-og-betalinger';

const level = (category: string, value: unknown): object => ({
  id: 'urn:altinn:obligation:authenticationLevel1',
  attributeAssignment: [{ attributeId: 'urn:altinn:obligation-assignment:1', value, category }],
});
const ORG = 'urn:altinn:minimum-authenticationlevel-org';
const PLAIN = 'urn:altinn:minimum-authenticationlevel';
const single = (result: unknown): unknown => readPdpAnswer({ response: [result] }, 1)[0];

const question = (systemUserId: string, action = 'read', resource = RESOURCE) => ({
  systemUserId,
  resource,
  action,
  party: CUSTOMER,
});

const shown = (value: unknown): string => inspect(value, { depth: 20, showHidden: true, getters: true });

describe('PDP', () => {
  const standIn = new AltinnStandIn();
  let client: TestClient;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    client = await testClient(standIn);
  });
  afterEach(async () => client.close());

  it('F-80: exactly one Permit whose obligations are met is a yes', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [`${RESOURCE}#read`] });
    await expect(client.altinn.pdp.authorize(question(user.id))).resolves.toEqual({ outcome: 'permit' });
    const [call] = standIn.calls('/authorize');
    expect(call).toMatchObject({ scope: 'altinn:authorization/authorize', exchanged: true, owner: undefined });
  });

  it('F-80: reads PascalCase as well as camelCase', async () => {
    standIn.style.pascalCase = true;
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    await expect(client.altinn.pdp.authorize(question(user.id))).resolves.toEqual({ outcome: 'permit' });
    await expect(client.altinn.pdp.authorize(question(user.id, 'read', 'unknown'))).resolves.toEqual({
      outcome: 'unknown',
      reason: 'Indeterminate (urn:oasis:names:tc:xacml:1.0:status:syntax-error)',
    });
  });

  it('F-81: NotApplicable is a no', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [`${RESOURCE}#read`] });
    await expect(client.altinn.pdp.authorize(question(user.id, 'write'))).resolves.toEqual({
      outcome: 'no',
      decision: 'NotApplicable',
    });
  });

  it('asks several questions in one call and answers them in order', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [`${RESOURCE}#read`] });
    const decisions = await client.altinn.pdp.authorizeAll([
      question(user.id, 'write'),
      question(user.id, 'read'),
      question(user.id, 'sign'),
    ]);
    expect(decisions.map(({ outcome }) => outcome)).toEqual(['no', 'permit', 'no']);
    expect(standIn.calls('/authorize')).toHaveLength(1);
  });

  it('F-83: tries a 401 and a 403 once with a fresh token of our own, then says who refused', async () => {
    standIn.fail('/authorize', 403, { times: 1 });
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    await expect(client.altinn.pdp.authorize(question(user.id))).resolves.toEqual({ outcome: 'permit' });
    expect(standIn.calls('/exchange/')).toHaveLength(2);
    await client.close();
    client = await testClient(standIn, { subscriptionKey: 'wrong' });
    await expect(client.altinn.pdp.authorize(question(user.id))).rejects.toMatchObject({
      name: 'AltinnError',
      code: 'MP_UPSTREAM_REJECTED',
      status: 401,
    });
  });

  it('T-06, T-01: neither the client nor its errors show the subscription key', async () => {
    const key = standIn.subscriptionKey;
    expect(shown(client.altinn)).not.toContain(key);
    standIn.fail('/authorize', 400, { body: JSON.stringify({ detail: `bad key ${key}` }) });
    const error: unknown = await client.altinn.pdp
      .authorize(question('6f9619ff-8b86-4d01-b42d-00cf4fc964ff'))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'MP_REQUEST' });
    expect(`${shown(error)}${String(error)}${JSON.stringify(error)}`).not.toContain(key);
  });

  it('F-82: 503 is repeated, 429 says how long to wait', async () => {
    standIn.fail('/authorize', 503, { times: 1 });
    standIn.fail('/authorize', 429, { headers: { 'retry-after': '17' } });
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    await expect(client.altinn.pdp.authorize(question(user.id))).rejects.toMatchObject({
      code: 'MP_THROTTLED',
      retryAfterMs: 17_000,
    });
  });

  it.each([
    ['Deny', 'no'],
    ['NotApplicable', 'no'],
    ['Indeterminate', 'unknown'],
    ['permit', 'unknown'],
    ['Permit ', 'unknown'],
    ['PERMIT', 'unknown'],
    [true, 'unknown'],
    [undefined, 'unknown'],
    [['Permit'], 'unknown'],
  ])('F-81: decision %p is %s', (decision, outcome) => {
    expect(single({ decision })).toMatchObject({ outcome });
  });

  it.each([
    ['none', { response: [] }],
    ['several', { response: [{ decision: 'Permit' }, { decision: 'Permit' }] }],
    ['no list', { response: { decision: 'Permit' } }],
    ['a bare result', { decision: 'Permit' }],
    ['a list of lists', { response: [[{ decision: 'Permit' }]] }],
    ['text', 'Permit'],
    ['nothing', undefined],
  ])('F-81: %s instead of one result is unknown', (_, json) => {
    expect(readPdpAnswer(json, 1)).toEqual([expect.objectContaining({ outcome: 'unknown' })]);
  });

  it('F-81: a single Indeterminate for several questions makes all of them unknown', () => {
    const answer = readPdpAnswer({ response: [{ decision: 'Indeterminate' }] }, 3);
    expect(answer.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown']);
    const tooFew = readPdpAnswer({ response: [{ decision: 'Permit' }] }, 2);
    expect(tooFew.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown']);
  });

  it.each([
    ['none', undefined, 'permit'],
    ['an empty list', [], 'permit'],
    ['organisation level 3', [level(ORG, '3')], 'permit'],
    ['organisation level 4', [level(ORG, '4')], 'unknown'],
    ['person level 4, organisation level 3', [level(PLAIN, '4'), level(ORG, '3')], 'permit'],
    ['person level 2, organisation level 4', [level(PLAIN, '2'), level(ORG, '4')], 'unknown'],
    ['plain level 3', [level(PLAIN, 3)], 'permit'],
    ['plain level 4', [level(PLAIN, '4')], 'unknown'],
    ['the higher of two', [level(ORG, '2'), level(ORG, '4')], 'unknown'],
    ['a level that is no number', [level(ORG, 'high')], 'unknown'],
    ['something unknown', [level('urn:altinn:else', '1')], 'unknown'],
    ['an empty obligation', [{ id: 'x', attributeAssignment: [] }], 'unknown'],
    ['not a list', { id: 'x' }, 'unknown'],
  ])('F-80: Permit with obligations: %s', (_, obligations, outcome) => {
    expect(single({ decision: 'Permit', obligations })).toMatchObject({ outcome });
  });

  it('F-80: nothing but an object whose own decision is Permit is ever a permit (T-66)', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const json: unknown = JSON.parse(text);
        return readPdpAnswer(json, 1).every(({ outcome }) => outcome !== 'permit');
      }),
      { numRuns: runs(2_000) },
    );
    const inherited = Object.create({ decision: 'Permit' }) as object;
    expect(single(inherited)).toMatchObject({ outcome: 'unknown' });
  });
});
