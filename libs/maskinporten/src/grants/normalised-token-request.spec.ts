import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { inspect } from 'node:util';
import { runs } from '../../../../test/support/size.js';
import { cacheKey, grantClaims, normaliseTokenRequest, type TokenRequest } from './index.js';
import { validRequests } from './grants.fixtures.js';

const facts = { issuer: 'https://test.maskinporten.no/', clientId: 'a-client', nowMs: 0, jti: 'j' };
const identity = { issuer: facts.issuer, clientId: facts.clientId, keyIdentity: 'kid:a' };
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

  it('tells apart what a careless separator would join', () => {
    const forms = [['a,b'], ['a', 'b'], ['a|b'], ["['a']"], ['a', 'null'], ['a', '[null]']].map(
      (scopes) => normaliseTokenRequest(scopes).canonical,
    );
    expect(new Set(forms).size).toBe(forms.length);
  });
});

describe('cacheKey', () => {
  const request = normaliseTokenRequest('a');

  it('is a digest that shows nothing of the request', () => {
    const key = cacheKey(normaliseTokenRequest({ scopes: 'a', pid: '01819000391' }), identity);
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(key).not.toContain('01819000391');
  });

  it.each([{ issuer: 'https://maskinporten.no/' }, { clientId: 'other' }, { keyIdentity: 'kid:b' }])(
    'differs for %j',
    (other) => {
      expect(cacheKey(request, { ...identity, ...other })).not.toBe(cacheKey(request, identity));
    },
  );

  it('keeps the parts of the identity apart', () => {
    expect(cacheKey(request, { issuer: 'a', clientId: 'b","c', keyIdentity: 'd' })).not.toBe(
      cacheKey(request, { issuer: 'a', clientId: 'b', keyIdentity: 'c","d' }),
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

  it('prints everything but person numbers', () => {
    const pid = '01819000391';
    const from = `urn:altinn:person:identifier-no:${pid}`;
    const request = normaliseTokenRequest({
      scopes: 'a',
      pid,
      consent: { id: '6f1c1a52-6a0e-4b56-9d5c-3a7a52b9b6a1', from },
    });
    for (const printed of [
      inspect(request, { showHidden: true, depth: null }),
      JSON.stringify({ request }),
      inspect({ request }),
    ]) {
      expect(printed).not.toContain(pid);
      expect(printed).toContain('[redacted]');
      expect(printed).toContain('6f1c1a52');
    }
    const organisation = 'urn:altinn:organization:identifier-no:310000027';
    expect(
      JSON.stringify(
        normaliseTokenRequest({ scopes: 'a', consent: { id: request.consent?.id ?? '', from: organisation } }),
      ),
    ).toContain(organisation);
    expect(JSON.stringify(normaliseTokenRequest('a'))).toBe('{"scopes":["a"]}');
  });
});
