import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { CUSTOMER, type Claims, GrantBench, PERSON, SCOPE, VENDOR } from '../grants.fixtures.js';

const SYSTEM = `${VENDOR}_payroll`;

/** Any JSON value, texts with odd characters included. */
const json = fc.jsonValue({ maxDepth: 2 });

const full = (): Claims => ({
  resource: ['https://api.example.no/'],
  consumer_org: CUSTOMER,
  pid: PERSON,
  authorization_details: [
    {
      type: 'urn:altinn:systemuser',
      systemuser_org: { authority: 'iso6523-actorid-upis', ID: `0192:${CUSTOMER}` },
      externalRef: 'ref',
    },
  ],
});

describe('a good grant with one thing changed is never accepted', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start({
      delegations: [{ consumer: CUSTOMER, supplier: VENDOR, scope: SCOPE }],
      systems: [{ id: SYSTEM, vendor: VENDOR, clientIds: ['client-1'] }],
      systemUsers: [{ systemId: SYSTEM, orgno: CUSTOMER, externalRef: 'ref' }],
    });
  });
  afterAll(() => bench.close());

  const refused = async (claims: Claims): Promise<void> => {
    const { status, json: body } = await bench.grant({ claims: { ...full(), ...claims } });
    expect({ claims, status, token: body['access_token'] }).toEqual({
      claims,
      status: status === 403 ? 403 : 400,
      token: undefined,
    });
  };

  it('and is accepted unchanged', async () => {
    expect(await bench.grant({ claims: full() })).toMatchObject({ status: 200 });
  });

  // Any other value of these claims is wrong.
  it.each(['aud', 'iss', 'consumer_org', 'iss_onbehalfof', 'nbf', 'sub'])('%s', async (name) => {
    await fc.assert(
      fc.asyncProperty(
        json.filter((value) => value !== bench.claims()[name] && value !== CUSTOMER),
        (value) => refused({ [name]: value }),
      ),
      { numRuns: runs(25) },
    );
  });

  it('scope', async () => {
    await fc.assert(
      fc.asyncProperty(
        json.filter((value) => typeof value !== 'string' || value.trim() !== SCOPE),
        (value) => refused({ scope: value }),
      ),
      { numRuns: runs(25) },
    );
  });

  it('iat or exp, out of the window', async () => {
    const moved = fc
      .record({ iat: fc.integer({ min: -400, max: 400 }), exp: fc.integer({ min: -400, max: 400 }) })
      .filter(({ iat, exp }) => Math.abs(iat) >= 10 || exp <= 0 || exp - iat > 120 || exp <= iat);
    await fc.assert(
      fc.asyncProperty(moved, ({ iat, exp }) =>
        refused({ iat: bench.clock.seconds + iat, exp: bench.clock.seconds + exp }),
      ),
      { numRuns: runs(50) },
    );
  });

  it.each(['iat', 'exp', 'jti'])('%s of another type', async (name) => {
    const other = json.filter((value) => typeof value !== 'number' && typeof value !== 'string');
    await fc.assert(
      fc.asyncProperty(other, (value) => refused({ [name]: value })),
      { numRuns: runs(20) },
    );
  });

  it('pid, in any one digit', async () => {
    const changed = fc
      .record({ index: fc.nat(10), digit: fc.nat(9) })
      .filter(({ index, digit }) => PERSON[index] !== String(digit));
    await fc.assert(
      fc.asyncProperty(changed, ({ index, digit }) =>
        refused({ pid: `${PERSON.slice(0, index)}${digit}${PERSON.slice(index + 1)}` }),
      ),
      { numRuns: runs(25) },
    );
  });

  it('authorization_details, in any member', async () => {
    const owner = { authority: 'iso6523-actorid-upis', ID: `0192:${CUSTOMER}` };
    const element = { type: 'urn:altinn:systemuser', systemuser_org: owner, externalRef: 'ref' };
    const members = fc.oneof(
      fc.record({ type: json }),
      fc.record({ systemuser_org: json }),
      json.map((ID) => ({ systemuser_org: Object.assign({}, owner, { ID }) })),
      json.map((authority) => ({ systemuser_org: Object.assign({}, owner, { authority }) })),
      fc.record({ externalRef: json.filter((value) => value !== 'ref') }),
      fc
        .tuple(fc.string({ minLength: 1 }), json)
        .filter(([name]) => !Object.hasOwn(element, name) && name !== '__proto__')
        .map(([name, value]) => ({ [name]: value })),
    );
    const damage = members.map((changed) => Object.assign({}, element, changed));
    await fc.assert(
      fc.asyncProperty(damage, (value) => refused({ authorization_details: [value] })),
      { numRuns: runs(50) },
    );
  });

  it('any claim that is not documented', async () => {
    const names = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => {
      const known = Object.keys({ ...bench.claims(), ...full() });
      return !known.includes(name) && name !== '__proto__';
    });
    await fc.assert(
      fc.asyncProperty(names, json, (name, value) => refused({ [name]: value })),
      { numRuns: runs(50) },
    );
  });

  it('any byte of header, claims or signature', async () => {
    const assertion = await bench.assertion({ claims: full() });
    const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=');
    // The last character of each part has bits that mean nothing: the easiest to overlook.
    const ends = assertion.split('.').map((_part, index, parts) => parts.slice(0, index + 1).join('.').length - 1);
    const at = fc.oneof(fc.nat(assertion.length - 1), fc.constantFrom(...ends));
    const change = fc.record({ at, to: fc.constantFrom(...alphabet) });
    await fc.assert(
      fc.asyncProperty(
        change.filter(({ at: place, to }) => assertion[place] !== to),
        async ({ at: place, to }) => {
          const changed = `${assertion.slice(0, place)}${to}${assertion.slice(place + 1)}`;
          expect((await bench.send(changed)).status).toBe(400);
        },
      ),
      { numRuns: runs(120) },
    );
    expect((await bench.send(assertion)).status).toBe(200);
  });
});
