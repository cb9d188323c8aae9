import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { isMaskinportenError } from '../errors/index.js';
import { normaliseTokenRequest, RequestMemo, type TokenRequestInput } from './index.js';
import { organisationNumbers, scopeLists, validRequests } from './grants.fixtures.js';

/** The canonical form, or the fields that were refused: everything an input can come to. */
function outcome(resolve: () => { canonical: string }): unknown {
  try {
    return resolve().canonical;
  } catch (error) {
    if (!isMaskinportenError(error, 'MP_REQUEST')) throw error;
    return error.failures;
  }
}

const direct = (input: unknown): unknown => outcome(() => normaliseTokenRequest(input as TokenRequestInput));
const through = (memo: RequestMemo, input: unknown): unknown => outcome(() => memo.resolve(input as TokenRequestInput));

/** Written by hand around everything the fast path looks at. */
const oddValues = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    'a',
    'a b',
    'b a',
    7,
    true,
    [],
    ['a'],
    ['a b'],
    ['a', 'b'],
    ['a\nb'],
    ['b', 'a'],
    [1],
    'a\nb',
    {},
    [[]],
  ),
  organisationNumbers,
  organisationNumbers.map((number) => `0192:${number}`),
);
const oddSystemUsers = fc.oneof(
  oddValues,
  fc.record({ organisation: oddValues, externalRef: oddValues }, { requiredKeys: [] }),
  organisationNumbers.map((organisation) => Object.assign([], { organisation })),
  organisationNumbers.map((organisation) => Object.create({ organisation }) as object),
);
const oddInputs = fc.oneof(
  validRequests,
  scopeLists,
  scopeLists.map((list) => list.join(' ')),
  oddValues,
  fc.record(
    {
      scopes: oddValues,
      consumerOrg: oddValues,
      systemUser: oddSystemUsers,
      exchange: fc.constantFrom<unknown>(undefined, 'altinn', 'x', null),
      pid: oddValues,
      other: oddValues,
    },
    { requiredKeys: [] },
  ),
);

/** A request with one field that answers differently each time it is read. */
const shifty = (name: string, ...answers: unknown[]): object =>
  Object.defineProperty({ scopes: 'a' }, name, { get: () => answers.shift(), enumerable: true });

describe('RequestMemo', () => {
  it('comes to what normaliseTokenRequest comes to, for anything, first and second time, with a limit or without', () => {
    for (const limit of [1, 3, 10_000]) {
      const memo = new RequestMemo({}, limit);
      fc.assert(
        fc.property(oddInputs, (input) => {
          const expected = direct(input);
          expect(through(memo, input)).toEqual(expected);
          expect(through(memo, input)).toEqual(expected);
        }),
        { numRuns: runs(2_000) },
      );
    }
  });

  it('remembers content, not objects: a reused and changed object is another request', () => {
    const memo = new RequestMemo({}, 100);
    fc.assert(
      fc.property(fc.array(validRequests, { minLength: 2, maxLength: 5 }), (requests) => {
        const reused: Record<string, unknown> = {};
        const list: string[] = [];
        for (const request of requests) {
          for (const name of Object.keys(reused)) Reflect.deleteProperty(reused, name);
          list.splice(0, list.length, ...[request.scopes].flat());
          Object.assign(reused, request, { scopes: list });
          expect(through(memo, reused)).toEqual(direct(request));
        }
      }),
      { numRuns: runs(500) },
    );
  });

  it.each([
    ['a', ['b', 'a'], 'b a', { scopes: 'a b' }],
    ['a', { scopes: 'a', consumerOrg: '310000027' }],
    ['a', { scopes: ['a'], systemUser: { organisation: '310000027' } }],
    ['a', { scopes: ['a'], systemUser: { organisation: '310000027' }, exchange: 'altinn' }],
    ['a', { scopes: 'a', exchange: 'altinn' }, { scopes: 'a', systemUser: undefined }],
    [{ scopes: ['a', 'b'] }, { scopes: ['a', 'c'] }, { scopes: ['a'] }, ['c', 'b'], 'c b'],
    [{ scopes: 'a', exchange: undefined, consumerOrg: undefined, systemUser: undefined, pid: undefined }],
    [
      { scopes: 'a', systemUser: { organisation: '310000027' } },
      { scopes: 'a', consumerOrg: '310000027' },
    ],
    [
      { scopes: 'a', consumerOrg: '0192:310000027' },
      { scopes: 'a', consumerOrg: '310000019' },
    ],
  ])('gives the right request first, and the same object for the same content', (...inputs) => {
    const memo = new RequestMemo({}, 100);
    const first = inputs.map((input) => memo.resolve(input as TokenRequestInput));
    expect(first.map(({ canonical }) => canonical)).toEqual(inputs.map(direct));
    const copies = inputs.map((input) => (typeof input === 'string' ? input : (structuredClone(input) as unknown)));
    copies.forEach((input, index) => expect(memo.resolve(input as TokenRequestInput)).toBe(first[index]));
  });

  it('normalises a request with rarer fields each time', () => {
    const memo = new RequestMemo({}, 100);
    const organisation = '310000027';
    for (const rare of [
      { scopes: 'a', resource: 'urn:a' },
      { scopes: 'a', pid: '01819000391' },
      { scopes: 'a', systemUser: { organisation, externalRef: 'a' } },
      { scopes: 'a', systemUser: { organisation }, consumerOrg: organisation },
    ]) {
      expect(memo.resolve(rare)).not.toBe(memo.resolve(rare));
    }
  });

  it.each([
    { scopes: 'a', systemUser: Object.assign([], { organisation: '310000027' }) },
    { scopes: 'a', systemUser: Object.create({ organisation: '310000027' }) as unknown },
    { scopes: 'a', systemUser: { organisation: '310000027', orgno: '310000027' } },
    { scopes: 'a', consent: { organisation: '310000027' } },
    { scopes: 'a', other: 'a' },
    Object.assign(() => 'a', { scopes: 'a' }),
    null,
    7,
  ])('refuses %j as normaliseTokenRequest does, also beside what it knows', (input) => {
    const memo = new RequestMemo({}, 100);
    memo.resolve({ scopes: 'a', systemUser: { organisation: '310000027' } });
    const refusal = direct(input);
    expect(refusal).toEqual(expect.arrayContaining([expect.objectContaining({ code: 'MP_REQUEST' })]));
    expect(through(memo, input)).toEqual(refusal);
  });

  it('tells apart lists that begin alike, and a list from the text of its letters', () => {
    const memo = new RequestMemo({}, 100);
    const inputs = [['a'], ['a', 'b'], ['a', 'c'], 'ab', ['a', 'b', 'c'], ['ab'], 'abc', ['b']];
    expect(inputs.map((input) => through(memo, input))).toEqual(inputs.map(direct));
  });

  it('gives a normalised request back as it is', () => {
    const request = normaliseTokenRequest({ scopes: ['a', 'b'], exchange: 'altinn' });
    expect(new RequestMemo({}, 100).resolve(request)).toBe(request);
  });

  it('forgets everything when asked to', () => {
    const memo = new RequestMemo({}, 2);
    const known = memo.resolve('a');
    memo.clear();
    const learnt = memo.resolve('a');
    expect(learnt).not.toBe(known);
    memo.resolve('b');
    expect(memo.resolve('a')).toBe(learnt);
  });

  it('does not confuse a list with a text, or a list whose element holds a separator', () => {
    const memo = new RequestMemo({}, 100);
    expect(through(memo, ['a', 'b'])).toBe(direct('a b'));
    expect(() => memo.resolve(['a\nb'])).toThrow('element 0');
    expect(() => memo.resolve('a\nb')).toThrow('element 0');
    expect(() => memo.resolve(['a b'])).toThrow('element 0');
    expect(through(memo, 'a b')).toBe(direct(['b', 'a']));
  });

  it('F-55: refuses the own organisation every time', () => {
    const memo = new RequestMemo({ ownOrganisation: '310000027' }, 100);
    const request = normaliseTokenRequest({ scopes: 'a', consumerOrg: '310000027' });
    for (const input of [
      request,
      { scopes: 'a', consumerOrg: '310000027' },
      { scopes: 'a', consumerOrg: '0192:310000027' },
    ]) {
      expect(() => memo.resolve(input)).toThrow('consumerOrg');
      expect(() => memo.resolve(input)).toThrow('consumerOrg');
    }
    expect(memo.resolve({ scopes: 'a', consumerOrg: '310000019' }).consumerOrg).toBe('310000019');
  });

  it('T-51: reads a getter once, and what it checks is what it remembers', () => {
    const memo = new RequestMemo({}, 100);
    expect(memo.resolve(shifty('consumerOrg', '310000027', '310000019') as TokenRequestInput).consumerOrg).toBe(
      '310000027',
    );
    expect(memo.resolve({ scopes: 'a', consumerOrg: '310000027' }).consumerOrg).toBe('310000027');
    expect(memo.resolve({ scopes: 'a', consumerOrg: '310000019' }).consumerOrg).toBe('310000019');
    const list = Object.defineProperty(['a'], 0, {
      get: (() => {
        const answers = ['b', 'evil x'];
        return () => answers.shift();
      })(),
      enumerable: true,
    });
    expect(memo.resolve(list).scopes).toEqual(['b']);
    expect(memo.resolve('b').scopes).toEqual(['b']);
  });

  it('T-66: a polluted prototype changes nothing', () => {
    const memo = new RequestMemo({}, 100);
    const plain = memo.resolve({ scopes: 'a' });
    const names = ['consumerOrg', 'systemUser', 'exchange', 'organisation', 'pid', 'scopes', 'plain'];
    // What is not enumerable is not seen by for…in.
    for (const [name, enumerable] of names.flatMap((each) => [[each, true] as const, [each, false] as const])) {
      Reflect.defineProperty(Object.prototype, name, { value: '310000027', enumerable, configurable: true });
      try {
        for (const input of ['a', ['a'], { scopes: 'a' }]) expect(memo.resolve(input).canonical).toBe(plain.canonical);
        expect(memo.resolve({ scopes: 'a', systemUser: { organisation: '310000019' } }).systemUser?.organisation).toBe(
          '310000019',
        );
      } finally {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
  });

  it('T-70: forgets everything at its limit and learns anew', () => {
    const memo = new RequestMemo({}, 2);
    const a = memo.resolve('a');
    const b = memo.resolve('b');
    expect(memo.resolve('a')).toBe(a);
    memo.resolve('c');
    expect(memo.resolve('a')).not.toBe(a);
    expect(memo.resolve('b')).not.toBe(b);
    expect(memo.resolve('a').canonical).toBe(a.canonical);
  });

  it('T-70: counts organisations too', () => {
    const memo = new RequestMemo({}, 2);
    const of = (organisation: string) => memo.resolve({ scopes: 'a', systemUser: { organisation } });
    const first = of('310000019');
    of('310000027');
    expect(of('310000019')).toBe(first);
    of('310000035');
    expect(of('310000019')).not.toBe(first);
  });

  it('T-70: knows sixteen different scopes, with any number of organisations', () => {
    const memo = new RequestMemo({}, 100);
    const known = Array.from({ length: 16 }, (_, index) => memo.resolve(`a${index}`));
    memo.resolve({ scopes: 'a0', consumerOrg: '310000019' });
    known.forEach((request, index) => expect(memo.resolve(`a${index}`)).toBe(request));
    memo.resolve('a16');
    expect(memo.resolve('a0')).not.toBe(known[0]);
  });
});
