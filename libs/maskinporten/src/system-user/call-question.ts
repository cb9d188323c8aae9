import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { isExternalRef, parseOrganisationNumber } from '../grants/index.js';
import { DEFAULT_CLIENT, tokenContextOf } from '../outbound/index.js';
import { DelegationError } from './delegation-error.js';
import type { SystemUserRequirement } from './requirement.js';

/** Whose system a handler means: what it says, else the client its token comes from. */
export function clientNameOf(
  reflector: Reflector,
  context: ExecutionContext,
  { client }: SystemUserRequirement,
): string {
  return client ?? tokenContextOf(reflector, context)?.client ?? DEFAULT_CLIENT;
}

/** @throws DelegationError (`organisation_number_invalid`) */
export function organisationFrom(value: unknown, field: string): string {
  const organisation = parseOrganisationNumber(value);
  if (organisation !== undefined) return organisation;
  throw new DelegationError('organisation_number_invalid', { reason: `${field} is not an organisation number` });
}

/** @throws DelegationError (`system_user_missing`) */
export function referenceFrom(value: unknown, organisation: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (isExternalRef(value)) return value;
  throw new DelegationError('system_user_missing', { organisation, reason: 'externalRef cannot be one of Altinn’s' });
}
