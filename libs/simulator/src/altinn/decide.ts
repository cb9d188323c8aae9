import { isOrganisationNumber } from '../kernel/index.js';
import type { SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import type { Attribute, Category } from './decision-request.js';
import { organisationOfPartyId, partyUuidOf } from './organisations.js';
import { type Resource, resourceIdOf } from './registry.js';
import { mayDo } from './rights.js';

export interface Question {
  readonly subject: Category | undefined;
  readonly action: Category | undefined;
  readonly resource: Category | undefined;
}

export type Decision = 'Permit' | 'Deny' | 'NotApplicable' | 'Indeterminate';

export interface Verdict {
  readonly decision: Decision;
  /** Last part of the status code's URN. */
  readonly status: 'ok' | 'processing-error' | 'syntax-error';
  /** In words, for the log; the PDP never sends it. */
  readonly reason: string;
  /** Of a `Permit`: whose levels become obligations. */
  readonly resource?: Resource;
}

const ACTION_ID = 'urn:oasis:names:tc:xacml:1.0:action:action-id';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const valueOf = (category: Category, id: string): string | undefined =>
  category.attributes.find(({ attributeId }) => attributeId === id)?.value;

const indeterminate = (status: 'processing-error' | 'syntax-error', reason: string): Verdict => ({
  decision: 'Indeterminate',
  status,
  reason,
});

/** The party of a resource category, in any of the ways that Altinn reads. */
function partyOf(resource: Category, altinn: AltinnState): string | undefined {
  const number =
    valueOf(resource, 'urn:altinn:organization:identifier-no') ?? valueOf(resource, 'urn:altinn:organizationnumber');
  if (number !== undefined) return isOrganisationNumber(number) ? number : undefined;
  const partyId = valueOf(resource, 'urn:altinn:partyid');
  if (partyId !== undefined) return organisationOfPartyId(partyId);
  const uuid = valueOf(resource, 'urn:altinn:party:uuid')?.toLowerCase();
  const known = [
    ...altinn.organisations.list().map(({ orgno }) => orgno),
    ...altinn.systemUsers.list().map(({ orgno }) => orgno),
    ...altinn.systemUsers.list().flatMap(({ clients }) => clients),
  ];
  return uuid === undefined ? undefined : known.find((orgno) => partyUuidOf(orgno) === uuid);
}

/** What the PDP knows of a system user: up to some minutes old when the cache is on, both ways (Altinn, access control). */
function systemUser(id: string, altinn: AltinnState): SystemUser | undefined {
  const live = altinn.systemUsers.get(id);
  const seconds = altinn.settings.current.pdpCacheSeconds;
  if (seconds === 0) return live;
  const now = altinn.world.clock.nowMs();
  const cached = altinn.pdpCache.get(id);
  if (cached !== undefined && now - cached.atMs < seconds * 1000) return cached.user;
  altinn.pdpCache.set(id, { user: live, atMs: now });
  return live;
}

/** One answer of the PDP. Everything that cannot be evaluated is `Indeterminate`, with HTTP 200 (Altinn, access control). */
export function decide({ subject, action, resource }: Question, altinn: AltinnState): Verdict {
  if (subject === undefined || action === undefined || resource === undefined) {
    return indeterminate('syntax-error', 'a category is missing');
  }
  const [only, ...more] = subject.attributes;
  if (only === undefined || more.length > 0) {
    return indeterminate('processing-error', 'the system user must be the only subject attribute');
  }
  if (only.attributeId !== 'urn:altinn:systemuser:uuid' || !UUID.test(only.value)) {
    return indeterminate('processing-error', 'the subject is no UUID of a system user');
  }
  const actionId = valueOf(action, ACTION_ID);
  if (actionId === undefined || actionId === '') return indeterminate('syntax-error', 'the action is missing');
  const attributes = resource.attributes.map(({ attributeId: id, value }: Attribute) => ({ id, value }));
  const id = resourceIdOf(attributes);
  const known = id === undefined ? undefined : altinn.resource(id);
  if (known === undefined) return indeterminate('syntax-error', `the resource ${id ?? ''} has no policy`);
  const party = partyOf(resource, altinn);
  if (party === undefined || !altinn.organisations.isRegistered(party)) {
    return indeterminate('processing-error', 'the party cannot be resolved');
  }
  const what = `${actionId} on ${known.id} for ${party}`;
  if (known.deniedParties.includes(party)) {
    return { decision: 'Deny', status: 'ok', reason: `${party} is not on the access list of ${known.id}` };
  }
  const user = systemUser(only.value.toLowerCase(), altinn) ?? systemUser(only.value, altinn);
  return user !== undefined && mayDo(user, { party, resource: known.id, action: actionId }, altinn)
    ? { decision: 'Permit', status: 'ok', reason: what, resource: known }
    : { decision: 'NotApplicable', status: 'ok', reason: `no right to ${what}` };
}
