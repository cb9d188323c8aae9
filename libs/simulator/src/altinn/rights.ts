import type { Right, SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { resourceIdOf } from './registry.js';

/** Every party that a system user acts for: its owner, or an agent's clients; with their sub-units. */
export function partiesOf(user: SystemUser, altinn: AltinnState): readonly string[] {
  const parties: string[] = [];
  const take = (orgno: string): void => {
    if (parties.includes(orgno)) return;
    parties.push(orgno);
    altinn.organisations.subunitsOf(orgno).forEach(take);
  };
  (user.userType === 'agent' ? user.clients : [user.orgno]).forEach(take);
  return parties;
}

export function actsFor(user: SystemUser, orgno: string, altinn: AltinnState): boolean {
  const roots = user.userType === 'agent' ? user.clients : [user.orgno];
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
