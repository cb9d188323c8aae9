import type { Right, SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { resourceIdOf } from './registry.js';

/** For whom a system user acts: its owner, or an agent's clients, and the agent itself once that is delegated. */
export function rootsOf({ userType, clients, orgno, self }: SystemUser): readonly string[] {
  if (userType === 'standard') return [orgno];
  return self ? [...clients.filter((client) => client !== orgno), orgno] : clients;
}

/** Every party that a system user acts for, with their sub-units. */
export function partiesOf(user: SystemUser, altinn: AltinnState): readonly string[] {
  const parties: string[] = [];
  const take = (orgno: string): void => {
    if (parties.includes(orgno)) return;
    parties.push(orgno);
    altinn.organisations.subunitsOf(orgno).forEach(take);
  };
  rootsOf(user).forEach(take);
  return parties;
}

export function actsFor(user: SystemUser, orgno: string, altinn: AltinnState): boolean {
  const roots = rootsOf(user);
  return altinn.organisations.ancestry(orgno).some((ancestor) => roots.includes(ancestor));
}

/** Whether one right covers an action; a right without action covers all of the resource's. */
function covers(right: Right, resourceId: string, action: string | undefined): boolean {
  return (
    resourceIdOf(right.resource) === resourceId &&
    (right.action === undefined || action === undefined || right.action === action)
  );
}

/** Whether a system user has a right to a resource, directly or through a package; for whom is {@link actsFor}. */
export function hasRight(
  user: SystemUser,
  resourceId: string,
  action: string | undefined,
  altinn: AltinnState,
): boolean {
  const resource = altinn.resource(resourceId);
  if (resource === undefined) return false;
  if (action !== undefined && resource.actions !== undefined && !resource.actions.includes(action)) return false;
  return (
    user.rights.some((right) => covers(right, resourceId, action)) ||
    user.accessPackages.some((urn) => altinn.accessPackage(urn)?.resources.includes(resourceId) === true)
  );
}

export function mayDo(
  user: SystemUser,
  question: { readonly party: string; readonly resource: string; readonly action?: string },
  altinn: AltinnState,
): boolean {
  return actsFor(user, question.party, altinn) && hasRight(user, question.resource, question.action, altinn);
}
