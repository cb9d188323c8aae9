import { Reflector } from '@nestjs/core';
import type { ExecutionContext } from '@nestjs/common';
import type { ValueSource } from '../handlers/index.js';

/** What `@RequireSystemUser` requires. */
export interface SystemUserRequirement {
  /** Who has to have approved it: `fromParam('orgno')`, `fromBody('…')` or a function of the context. */
  readonly organisation: ValueSource | ((context: ExecutionContext) => string | Promise<string>);
  /** The reference the system user was created with, when it is not the organisation's number. */
  readonly externalRef?: string | ValueSource;
  /** Id in Altinn's resource registry; an app is `app_{org}_{app}`; an access package its whole URN. */
  readonly resource: string;
  /** Default `read`. Only the PDP tells actions apart. */
  readonly action?: string;
  /** Who is acted for, when `organisation` is an agent (accountant, auditor): its client. */
  readonly party?: ValueSource | ((context: ExecutionContext) => string | Promise<string>);
  /**
   * Ask Altinn each time instead of using a yes that is at most 30 s old. Default: true, except for safe HTTP methods
   * (GET, HEAD, OPTIONS), GraphQL queries, and wherever `action` is said to be `read`.
   */
  readonly fresh?: boolean;
  /** What to do when there is neither system user nor request. `request`: send one and answer with its link. Default `deny`. */
  readonly onMissing?: 'deny' | 'request';
  /**
   * Name of the client whose system it is, and whose token outgoing calls for the organisation carry: a `@Scopes`, an
   * HTTP instance or a call of another client is refused. Default: the one `@Scopes` names, else the default client.
   */
  readonly client?: string;
}

export const RequirementMetadata = Reflector.createDecorator<SystemUserRequirement>();
