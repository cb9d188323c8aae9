import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { isRecord } from '../basics/index.js';
import { isExternalRef, parseOrganisationNumber } from '../grants/index.js';
import { DEFAULT_CLIENT, scopeOf } from '../outbound/index.js';
import { DelegationError } from './delegation-error.js';
import type { SystemUserRequirement } from './requirement.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whose system a handler means: what it says, else the client its token comes from. */
export function clientNameOf(
  reflector: Reflector,
  context: ExecutionContext,
  { client }: SystemUserRequirement,
): string {
  return client ?? scopeOf(reflector, context)?.client ?? DEFAULT_CLIENT;
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

/**
 * F-86: what may change something is checked again each time, since it cannot be taken back. Reading is what says so:
 * by its action, by a safe HTTP method or as a GraphQL query. A message says nothing by itself, and an action that was
 * left out says nothing either.
 */
export function needsFreshAnswer(context: ExecutionContext, { action }: SystemUserRequirement): boolean {
  if (action === 'read') return false;
  switch (context.getType<string>()) {
    case 'http': {
      const { method } = context.switchToHttp().getRequest<{ method?: unknown }>();
      return typeof method !== 'string' || !SAFE_METHODS.has(method.toUpperCase());
    }
    case 'graphql':
      // The fourth argument comes from the GraphQL library; the second from the caller, who must not decide this.
      return operationOf(context.getArgByIndex<unknown>(3)) !== 'query';
    default:
      return true;
  }
}

function operationOf(info: unknown): unknown {
  const operation: unknown = isRecord(info) ? info['operation'] : undefined;
  return isRecord(operation) ? operation['operation'] : undefined;
}
