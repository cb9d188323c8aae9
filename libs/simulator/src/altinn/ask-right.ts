import type { FastifyRequest } from 'fastify';
import { logEntryOf } from '../kernel/index.js';
import type { SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { type Caller, note } from './caller.js';
import { mayDo } from './rights.js';

export interface RightQuestion {
  readonly party: string;
  readonly resource: string;
  readonly action: string;
}

/**
 * What a service asks Altinn about the system user of a token: may it do this, now? Live, whatever the PDP's cache
 * holds. Notes the verdict; `undefined` is no.
 */
export function askRight(
  request: FastifyRequest,
  caller: Caller,
  question: RightQuestion,
  altinn: AltinnState,
): SystemUser | undefined {
  const { party, resource, action } = question;
  const { systemUserId } = caller;
  note(request, 'token.system_user', systemUserId !== undefined, systemUserId ?? 'the token is for no system user');
  const user = systemUserId === undefined ? undefined : altinn.systemUsers.get(systemUserId);
  if (systemUserId !== undefined) {
    note(request, 'system_user.live', user !== undefined, user?.id ?? `${systemUserId} is deleted`);
  }
  const allowed = user !== undefined && mayDo(user, question, altinn);
  note(request, 'right.present', allowed, `${action} on ${resource} for ${party}`);
  if (allowed) return user;
  const errorDescription = `the system user has no right to ${action} on ${resource} for ${party}`;
  logEntryOf(request).refusal = { error: 'right_missing', errorDescription };
  return undefined;
}
