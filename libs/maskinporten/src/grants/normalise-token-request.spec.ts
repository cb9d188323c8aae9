import { describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { grantClaims, NormalisedTokenRequest, normaliseTokenRequest, type TokenRequestInput } from './index.js';

/** The refusal, or undefined when it was accepted. Takes anything: callers write JavaScript too. */
function refusal(input: unknown, ownOrganisation?: string): MaskinportenError | undefined {
  try {
    normaliseTokenRequest(input as TokenRequestInput, { ownOrganisation });
    return undefined;
  } catch (error) {
    if (!isMaskinportenError(error, 'MP_REQUEST')) throw error;
    return error;
  }
}

const refusedFields = (input: unknown, ownOrganisation?: string): readonly string[] | undefined =>
  refusal(input, ownOrganisation)?.failures.map(({ field }) => field);

const organisation = '310000027';
const id = '6f1c1a52-6a0e-4b56-9d5c-3a7a52b9b6a1';
const person = 'urn:altinn:person:identifier-no:01819000391';

describe('normaliseTokenRequest', () => {
  it.each([
    ['b a a', { scope: 'a b', scopes: ['a', 'b'], kind: 'plain' }],
    [['b', 'a'], { scope: 'a b' }],
    [
      { scopes: 'a', consumerOrg: `0192:${organisation}` },
      { consumerOrg: organisation, kind: 'plain' },
    ],
    [{ scopes: 'a', resource: 'https://x.no' }, { resource: ['https://x.no'] }],
    [{ scopes: 'a', resource: ['urn:b', 'urn:a', 'urn:b'] }, { resource: ['urn:a', 'urn:b'] }],
    [
      { scopes: 'a', systemUser: { organisation: `0192:${organisation}` } },
      { systemUser: { organisation }, kind: 'system-user' },
    ],
    [
      { scopes: 'a', systemUser: { organisation, externalRef: 'æøå_1-2' } },
      { systemUser: { organisation, externalRef: 'æøå_1-2' } },
    ],
    [{ scopes: 'a', consent: { id, from: person }, consumerOrg: organisation }, { consent: { id, from: person } }],
    [
      { scopes: 'a', consent: { id, from: `urn:altinn:organization:identifier-no:${organisation}` } },
      { consent: { id, from: `urn:altinn:organization:identifier-no:${organisation}` } },
    ],
    [
      { scopes: 'a', pid: '01819000391', exchange: 'altinn' },
      { pid: '01819000391', exchange: 'altinn' },
    ],
    [{ scopes: 'a', consumerOrg: undefined, unknown: undefined }, { scope: 'a' }],
  ] as const)('brings %j into its one form', (input, expected) => {
    expect(normaliseTokenRequest(input as TokenRequestInput)).toMatchObject(expected);
  });

  it.each([
    [undefined, ['request']],
    [null, ['request']],
    [7, ['request']],
    [() => 'a', ['request']],
    ['', ['scopes']],
    [[], ['scopes']],
    [{}, ['scopes']],
    [{ scopes: 'a', scope: 'a' }, ['scope']],
    [
      { scopes: 'a', 'b\n': 1, '\nb': 1, ['b'.repeat(64)]: 1, ['b'.repeat(65)]: 1 },
      ['(unprintable)', '(unprintable)', 'b'.repeat(64), '(unprintable)'],
    ],
    [{ scopes: 'a', resource: [] }, ['resource']],
    [{ scopes: 'a', resource: 'x' }, ['resource']],
    [{ scopes: 'a', resource: 'https://x.no/#f' }, ['resource']],
    [{ scopes: 'a', resource: 'https://' }, ['resource']],
    [{ scopes: 'a', resource: ' https://x.no' }, ['resource']],
    [{ scopes: 'a', resource: ['https://x.no', 7] }, ['resource']],
    [{ scopes: 'a', resource: [['https://x.no']] }, ['resource']],
    [{ scopes: 'a', consumerOrg: '310000010' }, ['consumerOrg']],
    [{ scopes: 'a', systemUser: organisation }, ['systemUser']],
    [{ scopes: 'a', systemUser: [organisation] }, ['systemUser']],
    [{ scopes: 'a', systemUser: {} }, ['systemUser.organisation']],
    [{ scopes: 'a', systemUser: { organisation, externalRef: 'a b' } }, ['systemUser.externalRef']],
    [{ scopes: 'a', systemUser: { organisation, externalRef: '' } }, ['systemUser.externalRef']],
    [{ scopes: 'a', systemUser: { organisation, externalRef: 'a'.repeat(256) } }, ['systemUser.externalRef']],
    [{ scopes: 'a', systemUser: { organisation, externalRef: 7 } }, ['systemUser.externalRef']],
    [{ scopes: 'a', systemUser: { organisation, orgno: 1 } }, ['systemUser.orgno']],
    [{ scopes: 'a', systemUser: { organisation }, consent: { id, from: person } }, ['consent']],
    [
      { scopes: 'a', systemUser: { organisation: 7 }, consent: { id, from: person } },
      ['systemUser.organisation', 'consent'],
    ],
    [{ scopes: 'a', consent: 'x' }, ['consent']],
    [{ scopes: 'a', consent: { id, from: person, to: 'x' } }, ['consent.to']],
    [{ scopes: 'a', consent: { id, from: [person] } }, ['consent.from']],
    [{ scopes: 'a', consent: { id, from: `x${person}` } }, ['consent.from']],
    [{ scopes: 'a', consent: { id, from: `${person}1` } }, ['consent.from']],
    [
      { scopes: 'a', consent: { id, from: `urn:altinn:organization:identifier-no:${organisation}x` } },
      ['consent.from'],
    ],
    [{ scopes: 'a', consent: { id: `x${id}`, from: person } }, ['consent.id']],
    [{ scopes: 'a', consent: { id: `${id}x`, from: person } }, ['consent.id']],
    [{ scopes: 'a', consent: {} }, ['consent.id', 'consent.from']],
    [{ scopes: 'a', consent: { id: 'x', from: person } }, ['consent.id']],
    [{ scopes: 'a', consent: { id, from: 'urn:altinn:person:identifier-no:01819000392' } }, ['consent.from']],
    [{ scopes: 'a', consent: { id, from: 'urn:altinn:person:identifier-no:310000027' } }, ['consent.from']],
    [{ scopes: 'a', consent: { id, from: 'urn:altinn:organization:identifier-no:310000010' } }, ['consent.from']],
    [{ scopes: 'a', consent: { id, from: 'urn:altinn:organization:identifier-no:01819000391' } }, ['consent.from']],
    [{ scopes: 'a', pid: '01819000392' }, ['pid']],
    [{ scopes: 'a', exchange: 'other' }, ['exchange']],
    [{ scopes: 1, consumerOrg: 2, pid: 3, exchange: 4 }, ['scopes', 'consumerOrg', 'pid', 'exchange']],
  ])('refuses %j and names every wrong field', (input, fields) => {
    expect(refusedFields(input)).toEqual(fields);
  });

  it.each([
    [7, 'request', 'must be an object'],
    [{ scopes: 7 }, 'scopes', 'must be a string or a list of strings'],
    [[], 'scopes', 'at least one scope is required'],
    [['a', 7], 'scopes', 'element 1 is not a string'],
    [['a', 'b c'], 'scopes', 'element 1 is not a scope: printable ASCII without spaces, quotes and backslashes'],
    [
      { scopes: 'a', scope: 'a' },
      'scope',
      'is not a field of a token request; known are scopes, resource, consumerOrg, systemUser, consent, pid, exchange',
    ],
    [{ scopes: 'a', resource: [] }, 'resource', 'must name at least one URI when present'],
    [{ scopes: 'a', resource: 'x' }, 'resource', 'must be an absolute URI without fragment'],
    [
      { scopes: 'a', consumerOrg: '310000010' },
      'consumerOrg',
      'must be a Norwegian organisation number: a string of nine digits that pass modulus 11, with or without 0192:',
    ],
    [{ scopes: 'a', systemUser: 'x' }, 'systemUser', 'must be an object'],
    [{ scopes: 'a', systemUser: {} }, 'systemUser.organisation', 'is required'],
    [
      { scopes: 'a', systemUser: { organisation, orgno: 1 } },
      'systemUser.orgno',
      'is not a field of a token request; known are organisation, externalRef',
    ],
    [
      { scopes: 'a', systemUser: { organisation, externalRef: '' } },
      'systemUser.externalRef',
      'must be 1 to 255 of the characters a-z, A-Z, 0-9, æøå, ÆØÅ, _ and -',
    ],
    [
      { scopes: 'a', systemUser: { organisation }, consent: { id, from: person } },
      'consent',
      'cannot be combined with systemUser: a token has one element of authorization_details',
    ],
    [{ scopes: 'a', consent: { id: 'x', from: person } }, 'consent.id', 'must be a UUID'],
    [
      { scopes: 'a', consent: { id, from: 'x' } },
      'consent.from',
      'must be urn:altinn:person:identifier-no:<11 digits> or urn:altinn:organization:identifier-no:<9 digits>',
    ],
    [{ scopes: 'a', pid: 'x' }, 'pid', 'must be 11 digits with valid check digits'],
    [{ scopes: 'a', exchange: 'x' }, 'exchange', "must be 'altinn' when present"],
    [
      { scopes: 'a', consumerOrg: '310000019' },
      'consumerOrg',
      'is the organisation that owns the client: leave it out when you act for yourself',
    ],
  ])('says why it refuses %j', (input, field, reason) => {
    expect(refusal(input, '310000019')).toMatchObject({
      message: expect.stringContaining(`The token request is not valid, nothing was sent. ${field}: ${reason}`),
      failures: [{ field, code: 'MP_REQUEST', reason }],
    });
  });

  it('separates several reasons in its message', () => {
    expect(refusal({ scopes: [], exchange: 'x' })?.message).toContain(
      "scopes: at least one scope is required; exchange: must be 'altinn' when present",
    );
  });

  it('makes no members for what was left out', () => {
    const absent = {
      resource: undefined,
      consumerOrg: undefined,
      consent: undefined,
      pid: undefined,
      exchange: undefined,
    };
    expect(Object.keys(normaliseTokenRequest({ scopes: 'a', systemUser: undefined, ...absent }))).toEqual([
      'scopes',
      'scope',
      'kind',
    ]);
  });

  it.each([
    310000027,
    ['310000027'],
    { 0: '310000027' },
    true,
    new String('310000027'),
    ' 310000027',
    '310000027,310000019',
    '310000027 310000019',
    '310000027\u0000',
    '310000010',
    null,
  ])('T-51: %p is no organisation number, wherever it stands', (value) => {
    expect(refusedFields({ scopes: 'a', consumerOrg: value })).toEqual(['consumerOrg']);
    expect(refusedFields({ scopes: 'a', systemUser: { organisation: value } })).toEqual(['systemUser.organisation']);
  });

  it('T-51: a getter that changes its mind is read once', () => {
    const answers = [organisation, '310000019', 'evil'];
    const shifty = {
      scopes: 'a',
      get consumerOrg() {
        return answers.shift() ?? '';
      },
    };
    expect(normaliseTokenRequest(shifty).consumerOrg).toBe(organisation);
    const resource = ['urn:a'];
    const uris = ['urn:a', 'not a uri'];
    Object.defineProperty(resource, 0, { get: () => uris.shift(), enumerable: true });
    expect(normaliseTokenRequest({ scopes: 'a', resource }).resource).toEqual(['urn:a']);
  });

  it('F-55: refuses the own organisation as consumer before anything is sent', () => {
    expect(refusedFields({ scopes: 'a', consumerOrg: `0192:${organisation}` }, organisation)).toEqual(['consumerOrg']);
    expect(refusedFields({ scopes: 'a', consumerOrg: '310000019' }, organisation)).toBeUndefined();
    expect(refusedFields(normaliseTokenRequest({ scopes: 'a', consumerOrg: organisation }), organisation)).toEqual([
      'consumerOrg',
    ]);
  });

  it('gives a normalised request back as it is', () => {
    const request = normaliseTokenRequest({ scopes: 'a', pid: '01819000391' });
    expect(normaliseTokenRequest(request)).toBe(request);
    expect(NormalisedTokenRequest.is(Object.create(request))).toBe(false);
    expect(NormalisedTokenRequest.is({ ...request.toJSON() })).toBe(false);
    expect(NormalisedTokenRequest.is(null)).toBe(false);
  });

  it('never quotes what it refuses', () => {
    const canary = '01819000392';
    const input = {
      scopes: [`${canary} x`],
      pid: canary,
      resource: canary,
      consumerOrg: canary,
      consent: { id: canary, from: canary },
      [`${canary} `]: 1,
    };
    expect(() => normaliseTokenRequest(input as unknown as TokenRequestInput)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(canary) }),
    );
  });
});

describe('T-66: a polluted prototype', () => {
  // prettier-ignore
  const names = [
    'scopes', 'resource', 'consumerOrg', 'systemUser', 'consent', 'pid', 'exchange', 'organisation', 'externalRef', 'id', 'from',
    'scope', 'canonical', 'kind', 'ownOrganisation', 'length', '0', 'then', 'toJSON', 'iss', 'aud', 'sub', 'nbf', 'consumer_org',
    'iss_onbehalfof', 'authorization_details', 'kid', 'alg', 'x5c', 'jti', 'reason', 'value', 'get', 'set',
  ];
  it.each(names)('%s changes nothing', (name) => {
    const input = { scopes: ['b', 'a'], systemUser: { organisation } };
    const facts = { issuer: 'https://test.maskinporten.no/', clientId: 'c', nowMs: 0, jti: 'j' };
    const snapshot = (): unknown[] => {
      const request = normaliseTokenRequest(input);
      const { resource, consumerOrg, consent, pid, exchange, kind, canonical, systemUser } = request;
      const claims = grantClaims(request, facts);
      return [
        resource,
        consumerOrg,
        consent,
        pid,
        exchange,
        kind,
        canonical,
        systemUser?.externalRef,
        Object.entries(claims),
      ];
    };
    const before = snapshot();
    const value = name === 'get' || name === 'set' ? () => '310000019' : '310000019';
    Reflect.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: true, writable: true });
    let polluted: unknown[];
    try {
      polluted = snapshot();
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
    expect(polluted).toEqual(before);
  });
});
