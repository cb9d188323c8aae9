// Longer than 250 lines: the three questions in their order, with what each answer means, are read as one.
import { HttpException, Injectable, Logger, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { SystemUser, SystemUserKey } from '../altinn/index.js';
import { isMaskinportenError } from '../errors/index.js';
import { needsFreshAnswer } from '../handlers/index.js';
import { bindSystemUser, tokenContextOf } from '../outbound/index.js';
import {
  DEFAULT_ACTION,
  GRANULARITY,
  keyOf,
  RightsRefusal,
  unanswered,
  type DelegationCheck,
  type RightAnswer,
} from '../rights/index.js';
import { ClientRegistry, DelegationDecisions, RequestContext, type DelegationFacts } from '../signals/index.js';
import { clientNameOf, organisationFrom, referenceFrom } from './call-question.js';
import type { CallerPolicy, DelegatedAction } from './caller-policy.js';
import { asDenial, DelegationError, isDelegationError } from './delegation-error.js';
import type { SystemUserRequirement } from './requirement.js';
import type { SystemUserClient } from './system-user-client.js';
import type { SystemUserService } from './system-user.service.js';
import { VerifiedDelegation } from './verified-delegation.js';

const KINDS: ReadonlySet<string> = new Set(['http', 'rpc', 'ws', 'graphql']);
const TOKEN_DEADLINE_MS = 10_000;

interface Question {
  readonly key: SystemUserKey;
  readonly asked: DelegatedAction;
  readonly fresh: boolean;
}

/** What is known about a question so far, for the record of its answer. */
type Known = { -readonly [Fact in keyof DelegationFacts]: DelegationFacts[Fact] };

/**
 * Asks the questions in their order – is it a number, may the caller, is there a system user, has it the right – and
 * nothing of anybody about an organisation that the caller may not act for.
 */
@Injectable()
export class DelegationGate {
  readonly #logger = new Logger('SystemUserGuard');
  readonly #checks = new WeakMap<VerifiedDelegation, DelegationCheck>();
  /** What each denial was about. */
  readonly #denied = new WeakMap<DelegationError, DelegationFacts>();
  #policy: CallerPolicy | undefined;

  constructor(
    private readonly reflector: Reflector,
    private readonly clients: ClientRegistry<SystemUserClient>,
    private readonly decisions: DelegationDecisions,
  ) {}

  /** Found once, when the application starts. */
  usePolicy(policy: CallerPolicy): void {
    this.#policy = policy;
  }

  /** @throws DelegationError: the call must not go on */
  async verify(context: ExecutionContext, requirement: SystemUserRequirement): Promise<VerifiedDelegation> {
    const known: Known = { resource: requirement.resource, action: requirement.action ?? DEFAULT_ACTION };
    try {
      const delegation = await this.#verify(context, requirement, known);
      this.decisions.record('allowed', { ...known, ...servedRequest() });
      return delegation;
    } catch (error) {
      const denial = asDenial(error);
      if (isDelegationError(denial)) this.#denied.set(denial, known);
      throw denial;
    }
  }

  async #verify(
    context: ExecutionContext,
    requirement: SystemUserRequirement,
    known: Known,
  ): Promise<VerifiedDelegation> {
    if (!KINDS.has(context.getType<string>())) {
      throw new DelegationError('system_user_misconfigured', { reason: 'this kind of handler is not supported' });
    }
    const organisation = organisationFrom(await requirement.organisation(context), 'organisation');
    known.organisation = organisation;
    const party =
      requirement.party === undefined ? organisation : organisationFrom(await requirement.party(context), 'party');
    if (party !== organisation) known.party = party;
    const { resource, action = DEFAULT_ACTION, externalRef } = requirement;
    const reference: unknown = typeof externalRef === 'function' ? await externalRef(context) : externalRef;
    const clientName = clientNameOf(this.reflector, context, requirement);
    const { systemUsers: service, allowAnyCaller } = this.clients.get(clientName);
    const asked: DelegatedAction = { party, resource, action };
    if (!allowAnyCaller) await this.#askCaller(context, organisation, asked, known);
    const key = keyOf(organisation, referenceFrom(reference, organisation));
    known.externalRef = key.externalRef;
    const question: Question = {
      key,
      asked,
      fresh: requirement.fresh ?? needsFreshAnswer(context, requirement.action),
    };
    const systemUser = await this.#present(service, question, requirement);
    known.source = service.delegations.check.strategy;
    const delegation = await this.#right(service, question, systemUser, clientName);
    bindSystemUser(context, delegation.tokenRequest, clientName);
    await this.#proveToken(context, clientName, service, delegation);
    return delegation;
  }

  /**
   * Somebody downstream refused what was verified. Nothing that is remembered is believed any more, and one fresh check
   * decides what the caller hears.
   *
   * @returns the denial, or undefined when Altinn still says yes or does not answer: then the refusal speaks for itself
   */
  async recheck(delegation: VerifiedDelegation, systemUserIsMissing: boolean): Promise<DelegationError | undefined> {
    const refusal = await this.#recheck(delegation, systemUserIsMissing);
    if (refusal === undefined) return undefined;
    const denial = new DelegationError(refusal.code, refusal.details);
    const { tokenRequest, party, resource, action } = delegation;
    const { organisation, externalRef } = tokenRequest;
    this.#denied.set(denial, {
      organisation,
      externalRef,
      resource,
      action,
      ...(party === organisation ? {} : { party }),
    });
    return denial;
  }

  async #recheck(delegation: VerifiedDelegation, systemUserIsMissing: boolean): Promise<RightsRefusal | undefined> {
    const check = this.#checks.get(delegation);
    if (check === undefined) return undefined;
    const { organisation, externalRef } = delegation.tokenRequest;
    const key = keyOf(organisation, externalRef);
    if (systemUserIsMissing) return check.unknownToMaskinporten(key);
    check.forget(key);
    const { party, resource, action } = delegation;
    try {
      const systemUser = await check.requirePresent(key, true);
      const answer = await check.right(key, systemUser, { party, resource, action }, true);
      return answer.allowed ? undefined : refusalOf(answer, organisation);
    } catch (error) {
      const refusal = unanswered(error, { organisation });
      return refusal.code === 'delegation_unknown' ? undefined : refusal;
    }
  }

  /**
   * Counts a denial, and logs for the operator what the answer to the caller leaves out. A logger that fails must not turn a denial
   * into anything else.
   */
  report(denial: DelegationError): void {
    const { code, reason, extensions } = denial;
    this.decisions.record(code, { ...this.#denied.get(denial), ...servedRequest() });
    const line = {
      message: `denied: ${code}`,
      code,
      organisation: extensions.organisation,
      reason,
      failures: denial.failures,
    };
    try {
      if (denial.getStatus() >= 500) this.#logger.error(line);
      else this.#logger.debug(line);
    } catch {
      // F-138.
    }
  }

  async #askCaller(
    context: ExecutionContext,
    organisation: string,
    asked: DelegatedAction,
    known: Known,
  ): Promise<void> {
    let answer: unknown;
    try {
      answer = await this.#policy?.canActFor(context, organisation, asked);
    } catch (error) {
      if (error instanceof HttpException) {
        // The policy answers the caller in its own words, which is a no all the same.
        if (!isDelegationError(error)) this.decisions.record('caller_not_allowed', { ...known, ...servedRequest() });
        throw error;
      }
      // The policy could not tell, which is not the same as no.
      throw new DelegationError('delegation_unknown', { reason: 'the CallerPolicy failed' });
    }
    if (answer !== true) throw new DelegationError('caller_not_allowed');
  }

  async #present(
    service: SystemUserService,
    { key, fresh }: Question,
    { onMissing, party }: SystemUserRequirement,
  ): Promise<SystemUser> {
    const { check } = service.delegations;
    try {
      return await check.requirePresent(key, fresh);
    } catch (error) {
      if (onMissing !== 'request' || unanswered(error).code !== 'system_user_missing') throw error;
    }
    const { organisation } = key;
    const request = await service.requestMissing(key, party !== undefined).catch((error: unknown) => {
      throw unanswered(error, { organisation });
    });
    check.forget(key);
    if (request === 'exists') return check.requirePresent(key, true);
    const { status, confirmUrl } = request;
    if (status === 'New') throw new DelegationError('system_user_request_pending', { organisation, confirmUrl });
    if (status === 'Rejected' || status === 'Denied') {
      throw new DelegationError('system_user_request_rejected', { organisation });
    }
    throw new DelegationError('system_user_missing', { organisation });
  }

  async #right(
    service: SystemUserService,
    question: Question,
    systemUser: SystemUser,
    client: string,
  ): Promise<VerifiedDelegation> {
    const { check } = service.delegations;
    const { key, asked, fresh } = question;
    const answer = await check.right(key, systemUser, asked, fresh);
    if (!answer.allowed) throw refusalOf(answer, key.organisation);
    const strategy = check.strategy ?? 'pdp';
    const { checkedAt } = answer;
    const decision = { allowed: true, strategy, granularity: GRANULARITY[strategy], checkedAt };
    const delegation = new VerifiedDelegation({ key, systemUser, ...asked, decision, client });
    this.#checks.set(delegation, check);
    return delegation;
  }

  /**
   * The token the handler will use, got a moment early: MP-303 although Altinn has the system user is our own mistake,
   * and the answer must not blame the customer. Every other failure is left to the call that needs the token.
   */
  async #proveToken(
    context: ExecutionContext,
    clientName: string,
    service: SystemUserService,
    { tokenRequest }: VerifiedDelegation,
  ): Promise<void> {
    const tokenContext = tokenContextOf(this.reflector, context);
    if (tokenContext === undefined || !this.clients.has(clientName)) return;
    const { tokens } = this.clients.get(clientName);
    if (tokens.peek(tokenContext.request) !== undefined) return;
    try {
      await tokens.getToken(tokenContext.request, { signal: AbortSignal.timeout(TOKEN_DEADLINE_MS) });
    } catch (error) {
      if (!isMaskinportenError(error, 'MP_SYSTEMUSER_MISSING')) return;
      const { organisation, externalRef } = tokenRequest;
      throw await service.delegations.check.unknownToMaskinporten(keyOf(organisation, externalRef));
    }
  }
}

const refusalOf = (
  { code, ownOrganisation }: Extract<RightAnswer, { allowed: false }>,
  organisation: string,
): RightsRefusal => new RightsRefusal(code, { organisation, ownOrganisation });

/** Which request the decision was made for. */
function servedRequest(): DelegationFacts {
  const request = RequestContext.current();
  return { requestId: request?.requestId, caller: request?.caller };
}
