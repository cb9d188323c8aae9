import { applyDecorators, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { ownMembers } from '../basics/index.js';
import { DecoratorUses } from '../handlers/index.js';
import { MessageDenialFilter } from './denial-answer.js';
import { RequirementMetadata, type SystemUserRequirement } from './requirement.js';
import { SystemUserGuard } from './system-user.guard.js';
import { SystemUserInterceptor } from './system-user.interceptor.js';

/** Where `@RequireSystemUser` was written. */
export const requirementUses = new DecoratorUses<SystemUserRequirement>();

/**
 * Runs a handler (or all of a class) only when the organisation has approved a system user for this system, the system
 * user has the right, and your `CallerPolicy` lets the caller act for the organisation. What a method says replaces what
 * its class says. Together with `@Scopes`, outgoing calls carry a token of the verified organisation's system user.
 * Works on HTTP, RPC, GraphQL and WebSocket handlers; it brings its own guard. Where it would have no effect – a method
 * that is not a handler, a wrapper or an override that lost it – the application does not start (`MP_CONFIG`).
 *
 * @example
 * @Get('organisations/:orgno/claims')
 * @Scopes('skatteetaten:kravogbetalinger')
 * @RequireSystemUser({ organisation: fromParam('orgno'), resource: 'ske-krav-og-betalinger', action: 'read' })
 * claims(@CurrentSystemUser() { organisation }: VerifiedDelegation) { … }
 */
export function RequireSystemUser(requirement: SystemUserRequirement): ClassDecorator & MethodDecorator {
  const value = Object.freeze(ownMembers(requirement));
  return requirementUses.decorator(
    value,
    applyDecorators(
      RequirementMetadata(value),
      UseGuards(SystemUserGuard),
      UseInterceptors(SystemUserInterceptor),
      UseFilters(MessageDenialFilter),
    ),
  );
}
