import fc from 'fast-check';
import type { TokenRequest } from './index.js';

/** Nine digits that pass modulus 11. */
export const organisationNumbers = fc
  .integer({ min: 80_000_000, max: 99_999_999 })
  .map((stem) => withControl(String(stem), [3, 2, 7, 6, 5, 4, 3, 2]))
  .filter((number) => number !== undefined);

/** Eleven digits with two valid check digits; the date part means nothing. */
export const personNumbers = fc
  .integer({ min: 100_000_000, max: 319_999_999 })
  .map((stem) => withControl(String(stem), [3, 7, 6, 1, 8, 9, 4, 5, 2]))
  .map((ten) => (ten === undefined ? undefined : withControl(ten, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2])))
  .filter((number) => number !== undefined);

function withControl(digits: string, weights: readonly number[]): string | undefined {
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0);
  const control = (11 - (sum % 11)) % 11;
  return control === 10 ? undefined : `${digits}${control}`;
}

const characters = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.split(''));
/** Few letters, so that different requests often share parts of their scopes. */
export const scopes = fc.string({ unit: characters('ab:/.,|!~[]{}'), minLength: 1, maxLength: 4 });
export const scopeLists = fc.array(scopes, { minLength: 1, maxLength: 4 });
const externalRefs = fc.string({ unit: characters('aZ9_-æØ'), minLength: 1, maxLength: 5 });
const resources = fc.constantFrom('https://a.example', 'https://a.example/x?y=1', 'urn:a:b', 'urn:a:b,c');
const systemUsers = fc.record(
  { organisation: organisationNumbers, externalRef: externalRefs },
  { requiredKeys: ['organisation'] },
);
const consents = fc.record({
  id: fc.uuid(),
  from: fc.oneof(
    personNumbers.map((number) => `urn:altinn:person:identifier-no:${number}`),
    organisationNumbers.map((number) => `urn:altinn:organization:identifier-no:${number}`),
  ),
});
const others = {
  scopes: scopeLists,
  resource: fc.oneof(resources, fc.array(resources, { minLength: 1, maxLength: 3 })),
  consumerOrg: organisationNumbers,
  pid: personNumbers,
  exchange: fc.constant('altinn' as const),
};

/** Any request that passes the checks, in any of the ways it may be written. */
export const validRequests: fc.Arbitrary<TokenRequest> = fc.oneof(
  fc.record({ ...others, systemUser: systemUsers }, { requiredKeys: ['scopes'] }),
  fc.record({ ...others, consent: consents }, { requiredKeys: ['scopes'] }),
);
