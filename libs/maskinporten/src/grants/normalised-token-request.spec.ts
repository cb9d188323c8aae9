import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { runs } from '../../../../test/support/size.js';
import {
  cacheKey,
  grantClaims,
  normaliseTokenRequest,
  type NormalisedTokenRequest,
  type TokenRequest,
} from './index.js';
import { validRequests } from './grants.fixtures.js';

const facts = { issuer: 'https://test.maskinporten.no/', clientId: 'a-client', nowMs: 0, jti: 'j' };
const identity = { issuer: facts.issuer, clientId: facts.clientId, keyIdentity: 'kid:a' };
const id = '6f1c1a52-6a0e-4b56-9d5c-3a7a52b9b6a1';
const FROM_PERSON = 'urn:altinn:person:identifier-no:01819000391';
const FROM_ORGANISATION = 'urn:altinn:organization:identifier-no:310000027';
/** What makes the token: the claims that are signed, and whether it is exchanged afterwards. Independent of `canonical`. */
const meaning = (request: TokenRequest): string => {
  const normalised = normaliseTokenRequest(request);
  return JSON.stringify([grantClaims(normalised, facts), normalised.exchange]);
};

describe('the canonical form', () => {
  it('T-54: two requests share it exactly when the same claims are signed', () => {
    fc.assert(
      fc.property(validRequests, validRequests, (a, b) => {
        const same = meaning(a) === meaning(b);
        expect(normaliseTokenRequest(a).canonical === normaliseTokenRequest(b).canonical).toBe(same);
        expect(cacheKey(normaliseTokenRequest(a), identity) === cacheKey(normaliseTokenRequest(b), identity)).toBe(
          same,
        );
      }),
      { numRuns: runs(2_000) },
    );
  });

  it('T-54: changing any one dimension changes it', () => {
    fc.assert(
      fc.property(
        validRequests,
        validRequests,
        fc.constantFrom('scopes', 'resource', 'consumerOrg', 'systemUser', 'consent', 'pid', 'exchange'),
        (a, b, name) => {
          const field: keyof TokenRequest = name;
          const { [field]: _, ...rest } = a;
          const changed = { ...rest, ...(b[field] === undefined ? {} : { [field]: b[field] }) } as TokenRequest;
          fc.pre(changed.scopes !== undefined && (changed.systemUser === undefined || changed.consent === undefined));
          const same = meaning(a) === meaning(changed);
          expect(normaliseTokenRequest(a).canonical === normaliseTokenRequest(changed).canonical).toBe(same);
        },
      ),
      { numRuns: runs(1_000) },
    );
  });

  it('does not depend on order or repetition of scopes and resources', () => {
    fc.assert(
      fc.property(validRequests, fc.infiniteStream(fc.nat()), (request, random) => {
        const shuffled = (list: readonly string[]): string[] =>
          [...list, ...list]
            .map((item) => [random.next().value ?? 0, item] as const)
            .toSorted(([a], [b]) => a - b)
            .map(([, item]) => item);
        const { scopes, resource } = request;
        const other = {
          ...request,
          scopes: shuffled(scopes as readonly string[]),
          ...(Array.isArray(resource) ? { resource: shuffled(resource as string[]) } : {}),
        };
        expect(normaliseTokenRequest(other).canonical).toBe(normaliseTokenRequest(request).canonical);
      }),
    );
  });

  it('T-54: tells apart requests that differ in one thing', () => {
    const consent = { id, from: FROM_PERSON };
    const requests: TokenRequest[] = [
      { scopes: 'a' },
      { scopes: 'b' },
      { scopes: 'a', resource: 'urn:a' },
      { scopes: 'a', resource: 'urn:b' },
      { scopes: 'a', consumerOrg: '310000027' },
      { scopes: 'a', consumerOrg: '310000019' },
      { scopes: 'a', systemUser: { organisation: '310000027' } },
      { scopes: 'a', systemUser: { organisation: '310000019' } },
      { scopes: 'a', systemUser: { organisation: '310000027', externalRef: 'a' } },
      { scopes: 'a', systemUser: { organisation: '310000027', externalRef: 'b' } },
      { scopes: 'a', consent },
      { scopes: 'a', consent: { ...consent, id: '6f1c1a52-6a0e-4b56-9d5c-3a7a52b9b6a2' } },
      { scopes: 'a', consent: { ...consent, from: FROM_ORGANISATION } },
      { scopes: 'a', pid: '01819000391' },
      { scopes: 'a', exchange: 'altinn' },
    ];
    expect(new Set(requests.map((request) => normaliseTokenRequest(request).canonical)).size).toBe(requests.length);
  });

  it('tells apart what a careless separator would join', () => {
    const forms = [['a,b'], ['a', 'b'], ['a|b'], ["['a']"], ['a', 'null'], ['a', '[null]']].map(
      (scopes) => normaliseTokenRequest(scopes).canonical,
    );
    expect(new Set(forms).size).toBe(forms.length);
  });
});

const plain = (): NormalisedTokenRequest => normaliseTokenRequest('a');

describe('cacheKey', () => {
  it('is a digest that shows nothing of the request', () => {
    const key = cacheKey(normaliseTokenRequest({ scopes: 'a', pid: '01819000391' }), identity);
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(key).not.toContain('01819000391');
  });

  it.each([{ issuer: 'https://maskinporten.no/' }, { clientId: 'other' }, { keyIdentity: 'kid:b' }])(
    'differs for %j',
    (other) => {
      expect(cacheKey(plain(), { ...identity, ...other })).not.toBe(cacheKey(plain(), identity));
    },
  );

  it('keeps the parts of the identity apart', () => {
    expect(cacheKey(plain(), { issuer: 'a', clientId: 'b","c', keyIdentity: 'd' })).not.toBe(
      cacheKey(plain(), { issuer: 'a', clientId: 'b', keyIdentity: 'c","d' }),
    );
  });
});

describe('NormalisedTokenRequest', () => {
  it('cannot be changed', () => {
    fc.assert(
      fc.property(validRequests, (input) => {
        const request = normaliseTokenRequest(input);
        const parts: unknown[] = [request, request.scopes, request.resource, request.systemUser, request.consent];
        expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
      }),
    );
  });

  it('is one and the same when normalised from its own fields again', () => {
    fc.assert(
      fc.property(validRequests, (input) => {
        const { scopes, resource, consumerOrg, systemUser, consent, pid, exchange } = normaliseTokenRequest(input);
        const fields = Object.fromEntries(
          Object.entries({ scopes, resource, consumerOrg, systemUser, consent, pid, exchange }).filter(
            ([, value]) => value !== undefined,
          ),
        ) as unknown as TokenRequest;
        expect(normaliseTokenRequest(fields).canonical).toBe(normaliseTokenRequest(input).canonical);
      }),
    );
  });

  it('gives the request without its exchange, everything else unchanged', () => {
    fc.assert(
      fc.property(validRequests, (input) => {
        const { exchange: _, ...rest } = input;
        expect(normaliseTokenRequest(input).withoutExchange().canonical).toBe(normaliseTokenRequest(rest).canonical);
      }),
    );
  });

  it.each([
    [{}, undefined, false],
    [{ resource: 'urn:a', exchange: 'altinn' as const }, undefined, false],
    [{ systemUser: { organisation: '310000019' } }, '310000019', true],
    [{ systemUser: { organisation: '310000019' }, consumerOrg: '310000035' }, '310000019', true],
    [{ consumerOrg: '310000035' }, '310000035', true],
    [{ consumerOrg: '310000035', consent: { id, from: FROM_ORGANISATION } }, '310000035', true],
    [{ consent: { id, from: FROM_ORGANISATION } }, '310000027', true],
    [{ consent: { id, from: FROM_PERSON } }, undefined, true],
    [{ pid: '01819000391' }, undefined, true],
  ])('%j is for organisation %s, delegated: %s', (fields, organisation, delegated) => {
    const request = normaliseTokenRequest({ scopes: 'a', ...fields });
    expect(request.organisation).toBe(organisation);
    expect(request.delegated).toBe(delegated);
    expect(request.consentingOrganisation).toBe(request.consent?.from === FROM_ORGANISATION ? '310000027' : undefined);
  });

  it('has the kind of its circuit', () => {
    expect(normaliseTokenRequest({ scopes: 'a', consumerOrg: '310000035' }).kind).toBe('plain');
    expect(normaliseTokenRequest({ scopes: 'a', systemUser: { organisation: '310000019' } }).kind).toBe('system-user');
  });

  it('prints everything but person numbers', () => {
    const pid = '01819000391';
    const request = normaliseTokenRequest({
      scopes: 'a',
      pid,
      consent: { id, from: FROM_PERSON },
    });
    const json =
      '{"scopes":["a"],"consent":{"id":"6f1c1a52-6a0e-4b56-9d5c-3a7a52b9b6a1",' +
      '"from":"urn:altinn:person:identifier-no:[redacted]"},"pid":"[redacted]"}';
    expect(JSON.stringify({ request })).toBe(`{"request":${json}}`);
    expect(inspect(request, { showHidden: true, depth: null })).toBe(`NormalisedTokenRequest ${json}`);
    expect(inspect({ request })).toContain(`NormalisedTokenRequest ${json}`);
    const consent = { id, from: FROM_ORGANISATION };
    expect(JSON.stringify(normaliseTokenRequest({ scopes: 'a', consent }))).toContain(FROM_ORGANISATION);
    expect(JSON.stringify(normaliseTokenRequest('a'))).toBe('{"scopes":["a"]}');
  });
});
