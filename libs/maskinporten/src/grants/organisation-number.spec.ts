import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isPersonNumber, parseOrganisationNumber } from './index.js';
import { organisationNumbers, personNumbers } from './grants.fixtures.js';

describe('parseOrganisationNumber', () => {
  it.each(['310000019', '310000027', '310000035', '314000013', '210000011'])('accepts %s', (number) => {
    expect(parseOrganisationNumber(number)).toBe(number);
    expect(parseOrganisationNumber(`0192:${number}`)).toBe(number);
  });

  it.each([
    '310000010',
    '31000001',
    '3100000199',
    '010000019',
    ' 310000019',
    '310000019 ',
    '310 000 019',
    '310000019\n',
    '0192:',
    '0192:0192:310000019',
    '9908:310000019',
    '٣١٠٠٠٠٠١٩',
    '',
    '3.10000019e8',
    '0192:310000019:ER',
  ])('refuses %j', (text) => {
    expect(parseOrganisationNumber(text)).toBeUndefined();
  });

  it.each([310000019, ['310000019'], { toString: () => '310000019' }, new String('310000019'), null, undefined, true])(
    'T-51: refuses %p without converting it',
    (value) => expect(parseOrganisationNumber(value)).toBeUndefined(),
  );

  it('accepts what modulus 11 accepts and refuses the same number with any other last digit', () => {
    fc.assert(
      fc.property(organisationNumbers, fc.integer({ min: 0, max: 9 }), (number, digit) => {
        const changed = number.slice(0, 8) + String(digit);
        expect(parseOrganisationNumber(changed)).toBe(changed === number ? number : undefined);
      }),
    );
  });
});

describe('isPersonNumber', () => {
  it('accepts the synthetic number of the register of test persons', () => {
    expect(isPersonNumber('01819000391')).toBe(true);
  });

  it.each([
    '01819000392',
    '0181900039',
    '018190003910',
    '',
    1819000391,
    ['01819000391'],
    new String('01819000391'),
    null,
    '01819000391\n',
  ])('T-51: refuses %p', (value) => expect(isPersonNumber(value)).toBe(false));

  it('accepts two valid check digits and no others', () => {
    fc.assert(
      fc.property(personNumbers, fc.integer({ min: 0, max: 99 }), (number, digits) => {
        const changed = number.slice(0, 9) + String(digits).padStart(2, '0');
        expect(isPersonNumber(changed)).toBe(changed === number);
      }),
    );
  });
});
