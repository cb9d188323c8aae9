import { isMaskinportenError, type ErrorCategory, type Failure, type MaskinportenError } from '../errors/index.js';
import { DELEGATION_CODES, type DelegationCode } from './delegation-code.js';

/** What is known about a refusal besides its code. */
export interface RefusalDetails {
  readonly organisation?: string | undefined;
  readonly confirmUrl?: string | undefined;
  /** What is wrong with our own set-up. Nothing secret. */
  readonly failures?: readonly Failure[] | undefined;
  readonly retryAfterMs?: number | undefined;
  /** The right of an agent for its own organisation is what is missing. */
  readonly ownOrganisation?: boolean | undefined;
  /** Added to the log, never to the answer. */
  readonly reason?: string | undefined;
}

/** A question about a delegation was answered with no, or got no answer. The sides of the counter tell their callers. */
export class RightsRefusal extends Error {
  readonly code: DelegationCode;
  readonly details: RefusalDetails;

  constructor(code: DelegationCode, details: RefusalDetails = {}) {
    super(DELEGATION_CODES[code].title);
    this.name = 'RightsRefusal';
    this.code = code;
    this.details = details;
  }

  /** A clear no, unlike `delegation_unknown` and `system_user_misconfigured`. */
  get isNo(): boolean {
    return DELEGATION_CODES[this.code].httpStatus < 500;
  }
}

/**
 * What a failure to get an answer means. Faults that pass, and answers that cannot be used, are *unknown*: the same call
 * may work later. What only a change of our own set-up can fix is *misconfigured*, and never the customer's fault.
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

/** Turns whatever stopped a check into a refusal. An error that is not understood is *unknown*, and refuses too. */
export function unanswered(error: unknown, details: RefusalDetails = {}): RightsRefusal {
  if (error instanceof RightsRefusal) return error;
  if (!isMaskinportenError(error)) {
    return new RightsRefusal('delegation_unknown', { ...details, reason: `unexpected ${nameOf(error)}` });
  }
  const code = meaningOf(error);
  return new RightsRefusal(code, {
    ...details,
    reason: error.message,
    retryAfterMs: error.retryAfterMs,
    failures: code === 'system_user_misconfigured' ? error.failures : undefined,
  });
}

function meaningOf(error: MaskinportenError): 'delegation_unknown' | 'system_user_misconfigured' {
  // Altinn or a gateway refused a fresh token of ours (F-83): scope, subscription key or address are wrong.
  return error.code === 'MP_UPSTREAM_REJECTED' ? 'system_user_misconfigured' : MEANING[error.category];
}

/** Names of error classes only: their texts may hold anything. */
const nameOf = (error: unknown): string =>
  error instanceof Error && /^\w{1,40}$/.test(error.name) ? error.name : 'error';
