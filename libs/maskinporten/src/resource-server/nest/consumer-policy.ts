import type { ExecutionContext } from '@nestjs/common';
import type { Consumer } from '../verification/consumer.js';

/**
 * Your own answer to what the scope leaves open: may *this organisation* call this? Most APIs need none, because the scope
 * was granted to the organisation. Provide a class of your own under this one, in any module.
 *
 * @example
 * @Injectable()
 * class NoSuppliers extends ConsumerPolicy {
 *   mayCall({ supplier }: Consumer): boolean {
 *     return supplier === undefined;
 *   }
 * }
 * // providers: [{ provide: ConsumerPolicy, useClass: NoSuppliers }]
 */
export abstract class ConsumerPolicy {
  /**
   * Asked after the token and its scopes, once for each call.
   *
   * @returns anything but `true` refuses the call with `consumer_not_allowed`; a policy that throws refuses it with
   *   `delegation_unknown`, and an `HttpException` of its own is answered as it is
   */
  abstract mayCall(consumer: Consumer, context: ExecutionContext): boolean | Promise<boolean>;
}
