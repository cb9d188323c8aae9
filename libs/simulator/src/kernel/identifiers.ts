/** ISO 6523 code of the Norwegian register of legal entities, and the authority that Maskinporten writes beside it. */
export const ORGANISATION_AUTHORITY = 'iso6523-actorid-upis';

export interface OrganisationIdentifier {
  readonly authority: typeof ORGANISATION_AUTHORITY;
  readonly ID: string;
}

export function organisationIdentifier(orgno: string): OrganisationIdentifier {
  return { authority: ORGANISATION_AUTHORITY, ID: `0192:${orgno}` };
}

function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * Number(digits[index]), 0);
}

/** Control digit by modulus 11; 10 means that no number with these digits exists. */
function controlDigit(digits: string, weights: readonly number[]): number {
  return (11 - (weightedSum(digits, weights) % 11)) % 11;
}

/** Nine digits whose last is the modulus-11 control digit (Brønnøysund). Synthetic numbers of Tenor pass as well. */
export function isOrganisationNumber(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{9}$/.test(value) &&
    controlDigit(value, [3, 2, 7, 6, 5, 4, 3, 2]) === Number(value[8])
  );
}

/**
 * Eleven digits with a plausible date and both control digits. Synthetic populations add 40 (NAV), 65 (NHN) or 80
 * (Skatteetaten, Tenor) to the month; D-numbers add 40 to the day.
 */
export function isPersonNumber(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{11}$/.test(value)) return false;
  const day = Number(value.slice(0, 2));
  const month = Number(value.slice(2, 4));
  const plainDay = day > 40 ? day - 40 : day;
  const plainMonth = [80, 65, 40, 0].map((shift) => month - shift).find((candidate) => candidate >= 1) ?? 0;
  if (plainDay < 1 || plainDay > 31 || plainMonth > 12 || plainMonth < 1) return false;
  return (
    controlDigit(value, [3, 7, 6, 1, 8, 9, 4, 5, 2]) === Number(value[9]) &&
    controlDigit(value, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) === Number(value[10])
  );
}
