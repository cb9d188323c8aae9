import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CUSTOMER, GrantBench, OTHER, PERSON, VENDOR, makeClient } from '../grants.fixtures.js';
import { type ExpectedRefusal, expectRefusal } from '../refusals.fixtures.js';

const SYSTEM = `${VENDOR}_payroll`;
const CONSENT_ID = '77ed8698-e5e5-4dd4-8b7a-1f3a1a2d9a55';
const owner = { authority: 'iso6523-actorid-upis', ID: `0192:${CUSTOMER}` };
const systemUser = { type: 'urn:altinn:systemuser', systemuser_org: owner, externalRef: 'ref-1' };
const consent = { type: 'urn:altinn:consent', id: CONSENT_ID, from: `urn:altinn:person:identifier-no:${PERSON}` };

const unknownType: ExpectedRefusal = {
  error: 'invalid_authorization_details',
  text: 'Unknown authorization details type',
  code: 'MP-301',
  check: 'authorization_details.type',
};
const unknownFields = (check: 'type' | 'fields', what: string): ExpectedRefusal => ({
  error: 'invalid_authorization_details',
  text: `Unknown fields in the authorization details: ${what}`,
  code: 'MP-302',
  check: `authorization_details.${check}`,
});
const missing = (text: RegExp): ExpectedRefusal => ({
  error: 'invalid_altinn_customer_configuration',
  text,
  code: 'MP-303',
  check: 'authorization_details.party',
});

describe('authorization_details', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start({
      clients: [makeClient(), makeClient({ clientId: 'unlisted' }), makeClient({ clientId: 'foreign', orgno: OTHER })],
      systems: [
        { id: SYSTEM, vendor: VENDOR, clientIds: ['client-1'] },
        { id: `${VENDOR}_stolen`, vendor: VENDOR, clientIds: ['foreign'] },
      ],
      systemUsers: [
        { systemId: SYSTEM, orgno: CUSTOMER, externalRef: 'ref-1' },
        { systemId: `${VENDOR}_stolen`, orgno: CUSTOMER, externalRef: 'ref-2' },
        { systemId: `${VENDOR}_deleted`, orgno: CUSTOMER, externalRef: 'ref-3' },
      ],
      consents: [
        {
          id: CONSENT_ID,
          from: `urn:altinn:organization:identifier-no:${CUSTOMER}`,
          consentRights: [{ action: ['read'] }],
        },
        { id: CONSENT_ID.replace('77', '88'), from: consent.from, validTo: '2020-01-01T00:00:00+00:00' },
      ],
    });
  });
  afterAll(() => bench.close());

  it.each<readonly [string, unknown, ExpectedRefusal]>([
    ['that are an object', systemUser, unknownFields('type', 'exactly one element is expected')],
    ['that are a text', JSON.stringify([systemUser]), unknownFields('type', 'exactly one element is expected')],
    ['with no element', [], unknownFields('type', 'exactly one element is expected')],
    ['with two elements', [systemUser, systemUser], unknownFields('type', 'exactly one element is expected')],
    [
      'with an element that is a text',
      ['urn:altinn:systemuser'],
      unknownFields('type', 'exactly one element is expected'),
    ],
    ['of no type', [{ systemuser_org: owner }], unknownType],
    ['of an unknown type', [{ ...systemUser, type: 'urn:altinn:systembruker' }], unknownType],
    ['with an unknown field', [{ ...systemUser, external_ref: 'x' }], unknownFields('fields', 'external_ref')],
    [
      'with systemuser_id, which only the token has',
      [{ ...systemUser, systemuser_id: ['x'] }],
      unknownFields('fields', 'systemuser_id'),
    ],
    ['without systemuser_org', [{ type: systemUser.type }], unknownFields('fields', 'systemuser_org is missing')],
    [
      'with id in lower case',
      [{ ...systemUser, systemuser_org: { authority: owner.authority, id: owner.ID } }],
      unknownFields('fields', 'systemuser_org.id'),
    ],
    [
      'with another authority',
      [{ ...systemUser, systemuser_org: { ...owner, authority: 'x' } }],
      unknownFields('fields', 'systemuser_org.authority'),
    ],
    [
      'with the bare number',
      [{ ...systemUser, systemuser_org: { ...owner, ID: CUSTOMER } }],
      unknownFields('fields', 'systemuser_org.ID'),
    ],
    [
      'with a number that fails modulus 11',
      [{ ...systemUser, systemuser_org: { ...owner, ID: '0192:310000010' } }],
      unknownFields('fields', 'systemuser_org.ID'),
    ],
    [
      'with white space in externalRef',
      [{ ...systemUser, externalRef: 'a b' }],
      unknownFields('fields', 'externalRef'),
    ],
    [
      'with an externalRef of 256 characters',
      [{ ...systemUser, externalRef: 'a'.repeat(256) }],
      unknownFields('fields', 'externalRef'),
    ],
    ['with externalRef null', [{ ...systemUser, externalRef: null }], unknownFields('fields', 'externalRef')],
    [
      'for an owner without a system user',
      [{ ...systemUser, systemuser_org: { ...owner, ID: `0192:${OTHER}` } }],
      missing(/not found for organisation 310000035.*\(MP-303\)$/),
    ],
    [
      'without the externalRef that was set',
      [{ type: systemUser.type, systemuser_org: owner }],
      missing(/external reference 310000027/),
    ],
    ['with another externalRef', [{ ...systemUser, externalRef: 'REF-1' }], missing(/external reference REF-1/)],
    ['for a system that is gone', [{ ...systemUser, externalRef: 'ref-3' }], missing(/not found/)],
    ['for a consent with a bad id', [{ ...consent, id: 'x' }], unknownFields('fields', 'id')],
    ['for a consent from nobody', [{ type: consent.type, id: CONSENT_ID }], unknownFields('fields', 'from')],
    [
      'for a consent from an impossible person',
      [{ ...consent, from: 'urn:altinn:person:identifier-no:01819000392' }],
      unknownFields('fields', 'from'),
    ],
    [
      'for a consent with a field of the answer',
      [{ ...consent, validTo: '2030-01-01T00:00:00Z' }],
      unknownFields('fields', 'validTo'),
    ],
    ['for a consent that was not given', [consent], missing(/^Consent .* not found/)],
    [
      'for a consent that is over',
      [{ ...consent, id: CONSENT_ID.replace('77', '88') }],
      missing(/^Consent .* no longer valid/),
    ],
  ])('%s are refused', async (_name, details, expected) => {
    expectRefusal(bench, await bench.grant({ claims: { authorization_details: details } }), expected);
  });

  it('for a client that the system does not list are refused with MP-303', async () => {
    const reply = await bench.grant({ claims: { iss: 'unlisted', authorization_details: [systemUser] } });
    expectRefusal(bench, reply, missing(/client unlisted/));
  });

  it('for a system of another vendor that lists the client are refused with MP-303', async () => {
    const details = [{ ...systemUser, externalRef: 'ref-2' }];
    const reply = await bench.grant({ claims: { iss: 'foreign', authorization_details: details } });
    expectRefusal(bench, reply, missing(/client foreign/));
  });

  it.each(['æøå_1-2', 'ÆØÅ', 'a'.repeat(255)])('accept externalRef %s', async (externalRef) => {
    bench.simulator.operator.systemUsers.add({ systemId: SYSTEM, orgno: OTHER, externalRef });
    const details = [{ ...systemUser, systemuser_org: { ...owner, ID: `0192:${OTHER}` }, externalRef }];
    expect(await bench.grant({ claims: { authorization_details: details } })).toMatchObject({ status: 200 });
  });

  it('stop giving tokens the moment the system user is deleted', async () => {
    const [user] = bench.simulator.operator.systemUsers.add({ systemId: SYSTEM, orgno: OTHER });
    const details = [{ type: systemUser.type, systemuser_org: { ...owner, ID: `0192:${OTHER}` } }];
    expect(await bench.grant({ claims: { authorization_details: details } })).toMatchObject({ status: 200 });
    expect(bench.simulator.operator.systemUsers.remove(user?.id ?? '')).toBe(true);
    expect(await bench.grant({ claims: { authorization_details: details } })).toMatchObject({ status: 400 });
  });

  it('give the rights of a consent that was configured', async () => {
    const details = [{ ...consent, from: `urn:altinn:organization:identifier-no:${CUSTOMER}` }];
    const token = await bench.token({ claims: { authorization_details: details } });
    expect(token['authorization_details']).toMatchObject([{ consentRights: [{ action: ['read'] }] }]);
  });
});
