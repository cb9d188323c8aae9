import { isMaskinportenError, type ErrorCategory, type MaskinportenError } from '../errors/index.js';
import { DelegationError, isDelegationError, type DelegationDetails } from './delegation-error.js';

/**
 * What a failure to get an answer means. Faults that pass, and answers that are none, are *unknown*: the same call may
 * work later. What only a change of our own set-up can mend is *misconfigured* – and never the customer's fault.
 */
const MEANING: Readonly<Record<ErrorCategory, 'delegation_unknown' | 'system_user_misconfigured'>> = {
  transient: 'delegation_unknown',
  protocol: 'delegation_unknown',
  security: 'delegation_unknown',
  replay: 'delegation_unknown',
  aborted: 'delegation_unknown',
  clock: 'system_user_misconfigured',
  configuration: 'system_user_misconfigured',
  'credential-expired': 'system_user_misconfigured',
  'access-not-granted': 'system_user_misconfigured',
  'delegation-missing': 'system_user_misconfigured',
  'system-user': 'system_user_misconfigured',
};

/** Turns whatever stopped a check into a denial; anything that is not understood is *unknown*, and denies too. */
export function unanswered(error: unknown, details: DelegationDetails = {}): DelegationError {
  if (isDelegationError(error)) return error;
  if (!isMaskinportenError(error)) {
    return new DelegationError('delegation_unknown', { ...details, reason: `unexpected ${nameOf(error)}` });
  }
  return new DelegationError(meaningOf(error), {
    ...details,
    reason: error.message,
    retryAfterMs: error.retryAfterMs,
    failures: meaningOf(error) === 'system_user_misconfigured' ? error.failures : undefined,
  });
}

function meaningOf(error: MaskinportenError): 'delegation_unknown' | 'system_user_misconfigured' {
  // Altinn or a gateway refused a fresh token of ours (F-83): scope, subscription key or address are wrong.
  return error.code === 'MP_UPSTREAM_REJECTED' ? 'system_user_misconfigured' : MEANING[error.category];
}

/** Names of error classes only: their texts may hold anything. */
const nameOf = (error: unknown): string =>
  error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : 'error';
