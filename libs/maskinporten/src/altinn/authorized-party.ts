import { parseOrganisationNumber } from '../grants/index.js';
import { read, readList, readRecords, readText, type WireRecord } from './wire.js';

/** Somebody a system user may act for: its owner, a client of an agent, or a subunit of either. */
export interface AuthorizedParty {
  readonly organisation?: string | undefined;
  readonly name?: string | undefined;
  /** Names of access packages without their URN prefix, in lower case. */
  readonly accessPackages: readonly string[];
  /** Resources that are delegated directly; a resource that comes with a package is not among them. */
  readonly resources: readonly string[];
  /** False for a party that is deleted, or shown only because something below it is accessible. */
  readonly hasAccess: boolean;
}

export const PACKAGE_PREFIX = 'urn:altinn:accesspackage:';

/** Altinn's servers write the code, its documentation the URN (Altinn, access management). */
export function packageCode(text: string): string {
  const lower = text.trim().toLowerCase();
  return lower.startsWith(PACKAGE_PREFIX) ? lower.slice(PACKAGE_PREFIX.length) : lower;
}

export const isPackageUrn = (text: string): boolean => text.toLowerCase().startsWith(PACKAGE_PREFIX);

/** All parties of a list, subunits included however deep they are. */
export function readParties(records: readonly WireRecord[]): AuthorizedParty[] {
  const parties: AuthorizedParty[] = [];
  // A list of our own instead of recursion: the depth of an answer is not ours to trust (T-63).
  const waiting = [...records];
  for (let record = waiting.pop(); record !== undefined; record = waiting.pop()) {
    parties.push(readParty(record));
    waiting.push(...readRecords(record, 'subunits'));
  }
  return parties;
}

function readParty(record: WireRecord): AuthorizedParty {
  const organisation = parseOrganisationNumber(read(record, 'organizationNumber'));
  const name = readText(record, 'name');
  return {
    organisation,
    name,
    accessPackages: texts(record, 'authorizedAccessPackages').map(packageCode),
    resources: texts(record, 'authorizedResources'),
    hasAccess: isOff(read(record, 'isDeleted')) && isOff(read(record, 'onlyHierarchyElementWithNoAccess')),
  };
}

/** Anything but a clear "no" to these means no access. */
const isOff = (flag: unknown): boolean => flag === undefined || flag === false;

const texts = (record: WireRecord, name: string): string[] =>
  (readList(record, name) ?? []).filter((value): value is string => typeof value === 'string');
