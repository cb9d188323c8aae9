import { isRecord, ownMembers } from '../../basics/index.js';
import { parseOrganisationNumber } from '../../grants/index.js';
import { malformed } from './token-refusal.js';

const NORWEGIAN_AUTHORITY = 'iso6523-actorid-upis';
/** ISO 6523 code of the Norwegian register of legal entities. */
const NORWEGIAN_SCHEME = '0192';

/**
 * Reads `{ authority, ID }` of a token. `ID` has two to four parts, of which the second is the organisation and a fourth
 * a sub-unit (T-88); only the Norwegian authority and scheme make it an organisation number (T-89). Documentation also
 * prints `id`.
 *
 * @param claim name for the refusal
 * @returns nine digits; undefined when it is an organisation of another register
 * @throws TokenRefusal (`token_malformed`) when it is not an organisation at all
 */
export function organisationOf(value: unknown, claim: string): string | undefined {
  const { authority, ID, id } = isRecord(value)
    ? ownMembers(value)
    : ownMembers<Readonly<Record<string, unknown>>>(undefined);
  const identifier = ID ?? id;
  if (typeof authority !== 'string' || typeof identifier !== 'string') {
    throw malformed(`${claim} is not an object with authority and ID.`);
  }
  if (authority !== NORWEGIAN_AUTHORITY) return undefined;
  const parts = identifier.split(':');
  if (parts.length < 2 || parts.length > 4 || parts.includes('')) {
    throw malformed(`${claim}.ID does not have two to four parts.`);
  }
  const [scheme, organisation] = parts;
  if (scheme !== NORWEGIAN_SCHEME) return undefined;
  const parsed = parseOrganisationNumber(organisation);
  if (parsed === undefined) throw malformed(`${claim}.ID does not hold an organisation number.`);
  return parsed;
}
