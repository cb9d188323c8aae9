import type { ExecutionContext } from '@nestjs/common';

/** What a caller wants to do in the name of the organisation. */
export interface DelegatedAction {
  /** Who is acted for: the organisation itself, or the client that is named when the organisation is an agent. */
  readonly party: string;
  readonly resource: string;
  readonly action: string;
}

/**
 * Your own answer to the question Altinn cannot answer: may *this caller* act for that organisation? Provide a class of
 * your own under this one, in any module; without it an application with `@RequireSystemUser` does not start.
 *
 * @example
 * @Injectable()
 * class ApiKeyPolicy extends CallerPolicy {
 *   canActFor(context: ExecutionContext, organisation: string): boolean {
 *     return context.switchToHttp().getRequest<AuthenticatedRequest>().caller.organisations.includes(organisation);
 *   }
 * }
 * // providers: [{ provide: CallerPolicy, useClass: ApiKeyPolicy }]
 */
export abstract class CallerPolicy {
  /**
   * @param organisation nine digits, the exact value that everything after it uses
   * @param action what it is for; `party` is the client when the organisation acts for one
   * @returns anything but `true` denies
   */
  abstract canActFor(
    context: ExecutionContext,
    organisation: string,
    action: DelegatedAction,
  ): boolean | Promise<boolean>;
}
