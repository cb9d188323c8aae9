import { AsyncLocalStorage } from 'node:async_hooks';
import type { ExecutionContext } from '@nestjs/common';
import { invocationOf } from '../handlers/index.js';
import { runVerifiedCall } from '../outbound/index.js';
import type { VerifiedDelegation } from './verified-delegation.js';

interface Verified {
  readonly delegation: VerifiedDelegation;
  /** Other handlers that run inside this one were not verified. */
  readonly handler: unknown;
}

const byInvocation = new WeakMap<object, Verified>();
const storage = new AsyncLocalStorage<Verified>();

/** Left by the guard, for the interceptor and for HTTP handlers' parameters. */
export function remember(context: ExecutionContext, delegation: VerifiedDelegation): void {
  byInvocation.set(invocationOf(context), { delegation, handler: context.getHandler() });
}

/** What the guard verified for this very call of this very handler. */
export function verifiedFor(context: ExecutionContext): VerifiedDelegation | undefined {
  const verified = byInvocation.get(invocationOf(context));
  return verified?.handler === context.getHandler() ? verified.delegation : undefined;
}

/** Runs a handler with its delegation: parameters of message handlers are made from another list of arguments. */
export function runVerified<T>(context: ExecutionContext, delegation: VerifiedDelegation, fn: () => T): T {
  const { organisation, client } = delegation;
  return runVerifiedCall({ organisation, client }, () =>
    storage.run({ delegation, handler: context.getHandler() }, fn),
  );
}

/** For parameter decorators. */
export function currentDelegation(context: ExecutionContext): VerifiedDelegation | undefined {
  const running = storage.getStore();
  return running?.handler === context.getHandler() ? running.delegation : verifiedFor(context);
}

export const isRunning = (delegation: VerifiedDelegation): boolean => storage.getStore()?.delegation === delegation;
