import { describe, expect, it } from '@jest/globals';
import { isOrganisationNumber, isPersonNumber } from './index.js';

describe('organisation numbers', () => {
  it.each(['310000019', '310000027', '310000035', '314000013', '210000011'])('%s is one', (number) => {
    expect(isOrganisationNumber(number)).toBe(true);
  });

  it.each(['310000010', '31000001', '3100000190', '31000001x', ' 310000019', '', 310_000_019, null])(
    '%p is none',
    (value) => {
      expect(isOrganisationNumber(value)).toBe(false);
    },
  );

  it('of the ten last digits, at most one fits', () => {
    for (let stem = 31_000_000; stem < 31_000_200; stem += 1) {
      const fitting = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((digit) => isOrganisationNumber(`${stem}${digit}`));
      expect(fitting.length).toBeLessThanOrEqual(1);
    }
  });
});

/** All numbers with the given first nine digits and right control digits. */
function completed(stem: string): readonly string[] {
  return Array.from({ length: 100 }, (_value, tail) => `${stem}${String(tail).padStart(2, '0')}`).filter(
    isPersonNumber,
  );
}

describe('person numbers', () => {
  it('01819000391, month + 80, is one', () => {
    expect(isPersonNumber('01819000391')).toBe(true);
  });

  it.each(['01819000390', '01819000381', '0181900039', '018190003911', 'x1819000391', '', 1_819_000_391])(
    '%p is none',
    (value) => {
      expect(isPersonNumber(value)).toBe(false);
    },
  );

  it.each([
    ['an ordinary date', '0101900', 1],
    ['a D-number, day + 40', '4101900', 1],
    ['NAV, month + 40', '0141900', 1],
    ['NHN, month + 65', '0166900', 1],
    ['Skatteetaten, month + 80', '0181900', 1],
    ['day 0', '0001900', 0],
    ['day 32', '3201900', 0],
    ['day 39', '3901900', 0],
    ['month 0', '0100900', 0],
    ['month 13', '0113900', 0],
    ['month 60', '0160900', 0],
  ])('%s', (_name, stem, possible) => {
    const found = Array.from({ length: 100 }, (_value, serial) =>
      completed(`${stem}${String(serial).padStart(2, '0')}`),
    ).flat();
    expect(found.length > 0 ? 1 : 0).toBe(possible);
  });
});
