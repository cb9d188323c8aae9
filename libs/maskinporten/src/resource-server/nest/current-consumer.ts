import { AsyncLocalStorage } from 'node:async_hooks';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { configurationError } from '../../errors/index.js';
import { invocationOf } from '../../handlers/index.js';
import type { Consumer } from '../verification/consumer.js';

interface Verified {
  readonly consumer: Consumer;
  /** Other handlers that run inside this one, or after it, were not verified. */
  readonly handler: unknown;
}

const byInvocation = new WeakMap<object, Verified>();
const storage = new AsyncLocalStorage<Verified>();

/** Left by the guard, for the interceptor and for HTTP handlers' parameters. */
export function remember(context: ExecutionContext, consumer: Consumer): void {
  byInvocation.set(invocationOf(context), { consumer, handler: context.getHandler() });
}

/** Who the guard verified for this very call of this very handler. */
export function verifiedFor(context: ExecutionContext): Consumer | undefined {
  const verified = byInvocation.get(invocationOf(context));
  return verified?.handler === context.getHandler() ? verified.consumer : undefined;
}

/** Runs a handler for its consumer: parameters of message handlers are made from another list of arguments. */
export const runFor = <T>(context: ExecutionContext, consumer: Consumer, fn: () => T): T =>
  storage.run({ consumer, handler: context.getHandler() }, fn);

/** Who calls; undefined where nothing was verified. */
export function currentConsumer(context: ExecutionContext): Consumer | undefined {
  const running = storage.getStore();
  return running?.handler === context.getHandler() ? running.consumer : verifiedFor(context);
}

/**
 * Who calls, as the verified token says it.
 *
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) on a handler that requires no scope
 * @example
 * report(@CurrentConsumer() { organisation }: Consumer) { return this.reports.of(organisation); }
 */
export const CurrentConsumer = createParamDecorator((_: unknown, context: ExecutionContext): Consumer => {
  const consumer = currentConsumer(context);
  if (consumer !== undefined) return consumer;
  const reason = 'stands on a handler that verifies no token: add @RequireScope';
  throw configurationError([{ field: '@CurrentConsumer', code: 'MP_CONFIG', reason }]);
});
