import type { ExecutionContext } from '@nestjs/common';
import { parseOrganisationNumber } from '../grants/index.js';
import { DEFAULT_ACTION, keyOf } from '../rights/index.js';
import type { SystemUserRequirement } from './requirement.js';
import { VerifiedDelegation } from './verified-delegation.js';

/** For unit tests in which the guard is replaced: what a handler would be given. Nothing of it was verified. */
export async function standInDelegation(
  context: ExecutionContext,
  requirement: SystemUserRequirement,
): Promise<VerifiedDelegation> {
  const { resource, action = DEFAULT_ACTION, client, externalRef } = requirement;
  const organisation = asNumber(await requirement.organisation(context));
  const party = requirement.party === undefined ? organisation : asNumber(await requirement.party(context));
  const reference: unknown = typeof externalRef === 'function' ? await externalRef(context) : externalRef;
  return new VerifiedDelegation({
    key: keyOf(organisation, typeof reference === 'string' ? reference : undefined),
    party,
    systemUser: {
      id: '00000000-0000-4000-8000-000000000000',
      organisation,
      externalRef: typeof reference === 'string' ? reference : organisation,
      userType: party === organisation ? 'standard' : 'agent',
    },
    resource,
    action,
    decision: { allowed: true, strategy: 'pdp', granularity: 'action', checkedAt: new Date() },
    client,
  });
}

/** Tests may use what is not a real number. */
const asNumber = (value: unknown): string => parseOrganisationNumber(value) ?? (typeof value === 'string' ? value : '');
