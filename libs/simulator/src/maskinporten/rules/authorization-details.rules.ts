import { ORGANISATION_AUTHORITY, isOrganisationNumber, isPersonNumber, isRecord } from '../../kernel/index.js';
import type { Grant } from '../grant.js';
import { invalidAuthorizationDetails } from '../refusal.js';
import { EXTERNAL_REF } from '../systems.js';
import type { Rule, Verdict } from './rule.js';

export const SYSTEM_USER = 'urn:altinn:systemuser';
export const CONSENT = 'urn:altinn:consent';
export const DETAIL_TYPES: readonly unknown[] = [SYSTEM_USER, CONSENT];

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  [SYSTEM_USER]: ['type', 'systemuser_org', 'externalRef'],
  [CONSENT]: ['type', 'id', 'from'],
};

const unknownFields = (what: string): Verdict =>
  invalidAuthorizationDetails(`Unknown fields in the authorization details: ${what}`, 'MP-302');

/** The one element that a grant may hold; `undefined` for none, several, or no object. */
export function onlyElement(claims: Grant['claims']): Readonly<Record<string, unknown>> | undefined {
  const { authorization_details: details } = claims;
  if (!Array.isArray(details) || details.length !== 1) return undefined;
  const element: unknown = details[0];
  return isRecord(element) ? element : undefined;
}

function systemUserSyntax(element: Readonly<Record<string, unknown>>): Verdict {
  const { systemuser_org: owner, externalRef } = element;
  if (!isRecord(owner)) return unknownFields('systemuser_org is missing');
  const foreign = Object.keys(owner).find((member) => member !== 'authority' && member !== 'ID');
  if (foreign !== undefined) return unknownFields(`systemuser_org.${foreign}`);
  const { authority, ID: id } = owner;
  // Which code a wrong value here gives is inferred.
  if (authority !== ORGANISATION_AUTHORITY) return unknownFields('systemuser_org.authority');
  if (typeof id !== 'string' || !id.startsWith('0192:') || !isOrganisationNumber(id.slice(5))) {
    return unknownFields('systemuser_org.ID');
  }
  const wellFormed = externalRef === undefined || (typeof externalRef === 'string' && EXTERNAL_REF.test(externalRef));
  return wellFormed ? undefined : unknownFields('externalRef');
}

function consentSyntax({ id, from }: Readonly<Record<string, unknown>>): Verdict {
  if (typeof id !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return unknownFields('id');
  const [, kind, number] =
    typeof from === 'string' ? (/^urn:altinn:(person|organization):identifier-no:(\d+)$/.exec(from) ?? []) : [];
  const known = kind === 'person' ? isPersonNumber(number) : isOrganisationNumber(number);
  return known ? undefined : unknownFields('from');
}

export const authorizationDetailsRules: readonly Rule[] = [
  {
    check: 'authorization_details.type',
    run: ({ claims }) => {
      if (claims['authorization_details'] === undefined) return undefined;
      const element = onlyElement(claims);
      // One element per request (Digdir, JWT grant); how another count is answered is inferred.
      if (element === undefined) return unknownFields('exactly one element is expected');
      return DETAIL_TYPES.includes(element['type'])
        ? undefined
        : invalidAuthorizationDetails('Unknown authorization details type', 'MP-301');
    },
  },
  {
    check: 'authorization_details.fields',
    needs: ['authorization_details.type'],
    run: ({ claims }) => {
      const element = onlyElement(claims);
      if (element === undefined) return undefined;
      const type = String(element['type']);
      const foreign = Object.keys(element).find((member) => !MEMBERS[type]?.includes(member));
      if (foreign !== undefined) return unknownFields(foreign);
      return type === SYSTEM_USER ? systemUserSyntax(element) : consentSyntax(element);
    },
  },
];
