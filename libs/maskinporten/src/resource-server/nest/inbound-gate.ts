import { HttpException, Injectable, type ExecutionContext } from '@nestjs/common';
import { InboundCalls, RequestContext } from '../../signals/index.js';
import type { Consumer } from '../verification/consumer.js';
import { ResourceServer } from '../verification/resource-server.js';
import { TokenRefusal } from '../verification/token-refusal.js';
import { bearerToken } from './bearer-token.js';
import { consentProblem } from './consent-problem.js';
import type { ConsumerPolicy } from './consumer-policy.js';
import { InboundCallError, isInboundCallError } from './inbound-error.js';
import type { Requirements } from './requirements.js';
import { RightGate } from './right-gate.js';
import { methodOf, routeOf } from './route-of.js';

/** Every question about a call, in this order: token, scopes, policy, person, consent, right. */
@Injectable()
export class InboundGate {
  #policy: ConsumerPolicy | undefined;

  constructor(
    private readonly server: ResourceServer,
    private readonly calls: InboundCalls,
    private readonly rights: RightGate,
  ) {}

  /** Found when the application starts. */
  usePolicy(policy: ConsumerPolicy): void {
    this.#policy = policy;
  }

  /**
   * @returns who calls
   * @throws InboundCallError, or the `HttpException` of the application's own policy
   */
  async verify(context: ExecutionContext, requirements: Requirements): Promise<Consumer> {
    let consumer: Consumer | undefined;
    try {
      consumer = await this.#consumer(context);
      requireScopes(consumer, requirements);
      await this.#askPolicy(consumer, context);
      await requirePid(consumer, requirements, context);
      await requireConsent(consumer, requirements, context);
      if (requirements.right !== undefined) await this.rights.require(consumer, requirements.right, context);
      this.#record('accepted', context, requirements, consumer);
      return consumer;
    } catch (error) {
      const outcome = isInboundCallError(error)
        ? error.code
        : error instanceof HttpException
          ? 'consumer_not_allowed'
          : 'failed';
      this.#record(outcome, context, requirements, consumer);
      throw error;
    }
  }

  async #consumer(context: ExecutionContext): Promise<Consumer> {
    try {
      return await this.server.verify(bearerToken(context));
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      throw new InboundCallError(error.code, { detail: error.message, retryAfterMs: error.retryAfterMs });
    }
  }

  async #askPolicy(consumer: Consumer, context: ExecutionContext): Promise<void> {
    let answer: unknown;
    try {
      answer = this.#policy === undefined || (await this.#policy.mayCall(consumer, context));
    } catch (error) {
      // A no in words of its own, or something that is not an answer.
      if (error instanceof HttpException) throw error;
      throw new InboundCallError('delegation_unknown', { detail: 'It could not be found out who may call this.' });
    }
    if (answer === true) return;
    throw new InboundCallError('consumer_not_allowed', {
      detail: 'This API does not accept calls of this organisation.',
    });
  }

  #record(
    outcome: string,
    context: ExecutionContext,
    { all, any, right }: Requirements,
    consumer: Consumer | undefined,
  ): void {
    this.calls.record({
      outcome,
      requiredScopes: [...all, ...any],
      requestId: RequestContext.current()?.requestId,
      method: methodOf(context),
      route: routeOf(context),
      consumer: consumer?.organisation,
      supplier: consumer?.supplier,
      customer: consumer?.systemUser?.organisation,
      scopes: consumer?.scopes,
      jti: consumer?.jti,
      resource: right?.resource,
      action: right?.action,
    });
  }
}

function requireScopes({ scopes }: Consumer, { all, any }: Requirements): void {
  if (!all.every((scope) => scopes.includes(scope))) {
    const detail = `The token must have ${all.length === 1 ? 'the scope' : 'all of the scopes'} ${all.join(' ')}.`;
    throw new InboundCallError('scope_missing', { detail, requiredScopes: all });
  }
  if (any.length > 0 && !any.some((scope) => scopes.includes(scope))) {
    const detail = `The token must have one of the scopes ${any.join(' ')}.`;
    throw new InboundCallError('scope_missing', { detail, requiredScopes: any });
  }
}

async function requirePid({ pid }: Consumer, requirements: Requirements, context: ExecutionContext): Promise<void> {
  if (requirements.pid === undefined) return;
  if (pid === undefined) throw new InboundCallError('pid_mismatch', { detail: 'The token is not about a person.' });
  if ((await requirements.pid(context)) === pid) return;
  throw new InboundCallError('pid_mismatch', { detail: 'The token is about another person than the call.' });
}

async function requireConsent(
  consumer: Consumer,
  { consent: required }: Requirements,
  context: ExecutionContext,
): Promise<void> {
  if (required === undefined) return;
  const detail = await consentProblem(consumer, required, context);
  if (detail !== undefined) throw new InboundCallError('consent_missing', { detail });
}
