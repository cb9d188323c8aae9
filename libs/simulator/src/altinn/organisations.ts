import { createHash } from 'node:crypto';
import {
  Collection,
  flag,
  isOrganisationNumber,
  optional,
  organisationNumber,
  record,
  refuse,
  text,
  withDefault,
} from '../kernel/index.js';

/** What Altinn's register knows of an organisation. Organisations that are not listed exist too, without a name of their own. */
export interface OrganisationInput {
  orgno: string;
  name?: string;
  /** The organisation that this one is a sub-unit of; rights are inherited downwards. */
  parent?: string;
  /** `false`: the register does not know it, AUTH-00000. Default true. */
  registered?: boolean;
  /** Code of a service owner, such as `skd`. */
  serviceOwner?: string;
}

const members = record({
  orgno: organisationNumber,
  name: optional(text()),
  parent: optional(organisationNumber),
  registered: withDefault(flag, true),
  serviceOwner: optional(text(/^[a-z]{2,6}$/, 'a service owner code in small letters')),
});

export type Organisation = ReturnType<typeof members>;

const readOrganisation = (value: unknown, field: string): Organisation => {
  const organisation = members(value, field);
  if (organisation.parent === organisation.orgno) {
    refuse(field === '' ? 'parent' : `${field}.parent`, 'must be another organisation');
  }
  return organisation;
};

export class Organisations extends Collection<Organisation, OrganisationInput> {
  constructor() {
    super({ name: 'organisations', read: readOrganisation, key: ({ orgno }) => orgno });
  }

  nameOf(orgno: string): string {
    return this.get(orgno)?.name ?? `Organisation ${orgno}`;
  }

  isRegistered(orgno: string): boolean {
    return isOrganisationNumber(orgno) && this.get(orgno)?.registered !== false;
  }

  /** The organisation itself and what it is a sub-unit of, upwards. */
  ancestry(orgno: string): readonly string[] {
    const seen: string[] = [];
    for (let next: string | undefined = orgno; next !== undefined && !seen.includes(next);) {
      seen.push(next);
      next = this.get(next)?.parent;
    }
    return seen;
  }

  subunitsOf(orgno: string): readonly string[] {
    return this.list()
      .filter(({ parent }) => parent === orgno)
      .map((unit) => unit.orgno);
  }
}

/** Altinn's own number of a party. Made from the organisation number, so that it needs no table: the ninth digit is a checksum. */
export function partyIdOf(orgno: string): number {
  return Number(orgno.slice(0, 8));
}

export function organisationOfPartyId(partyId: string): string | undefined {
  if (!/^\d{8}$/.test(partyId)) return undefined;
  return Array.from({ length: 10 }, (_, digit) => `${partyId}${digit}`).find((orgno) => isOrganisationNumber(orgno));
}

/** The same UUID for the same organisation, always (RFC 9562 §5.5, name-based). */
export function partyUuidOf(orgno: string): string {
  const bytes = createHash('sha1').update(`maskinporten-simulator:party:${orgno}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
