import { Injectable, Optional, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { catchError, from, mergeMap, Observable, throwError } from 'rxjs';
import { isGuardReplaced } from '../handlers/index.js';
import { isRunning, remember, runVerified, verifiedFor } from './current-delegation.js';
import { DelegationGate } from './delegation-gate.js';
import { DelegationError } from './delegation-error.js';
import { forCaller } from './denial-answer.js';
import { downstreamRefusal, type DownstreamRefusal } from './downstream-refusal.js';
import { RequirementMetadata } from './requirement.js';
import { standInDelegation } from './stand-in-delegation.js';
import { requireGate } from './system-user.guard.js';
import type { VerifiedDelegation } from './verified-delegation.js';

/** Hands what was verified to the handler, and asks once more when somebody downstream refuses it. */
@Injectable()
export class SystemUserInterceptor implements NestInterceptor {
  /** Undefined in a unit test that has replaced the guard. */
  readonly #gate: DelegationGate | undefined;

  constructor(
    private readonly reflector: Reflector,
    modules: ModulesContainer,
    @Optional() gate?: DelegationGate,
  ) {
    this.#gate = isGuardReplaced(modules) ? undefined : requireGate(gate);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const delegation = verifiedFor(context);
    const gate = this.#gate;
    if (gate === undefined) return this.#underTest(context, delegation, next);
    if (delegation === undefined) {
      // Nothing was verified, so nothing may run.
      const denial = new DelegationError('system_user_misconfigured', { reason: 'the handler was not verified' });
      gate.report(denial);
      return throwError(() => forCaller(context, denial));
    }
    if (isRunning(delegation)) return next.handle();
    return handleAs(context, delegation, next).pipe(
      catchError((error: unknown) => {
        const refusal = downstreamRefusal(error);
        if (refusal === undefined) return throwError(() => error);
        return from(answerFor({ gate, context, delegation, refusal, error })).pipe(
          mergeMap((answer) => throwError(() => answer)),
        );
      }),
    );
  }

  /** The guard of a test has let the call through, so the handler gets what its decorator says. */
  #underTest(context: ExecutionContext, known: VerifiedDelegation | undefined, next: CallHandler): Observable<unknown> {
    const requirement = this.reflector.getAllAndOverride(RequirementMetadata, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (known !== undefined && isRunning(known)) return next.handle();
    if (known !== undefined) return handleAs(context, known, next);
    if (requirement === undefined) return next.handle();
    return from(standInDelegation(context, requirement)).pipe(
      mergeMap((delegation) => {
        remember(context, delegation);
        return handleAs(context, delegation, next);
      }),
    );
  }
}

const handleAs = (context: ExecutionContext, delegation: VerifiedDelegation, next: CallHandler): Observable<unknown> =>
  new Observable<unknown>((subscriber) => runVerified(context, delegation, () => next.handle().subscribe(subscriber)));

async function answerFor(refused: {
  readonly gate: DelegationGate;
  readonly context: ExecutionContext;
  readonly delegation: VerifiedDelegation;
  readonly refusal: DownstreamRefusal;
  readonly error: unknown;
}): Promise<unknown> {
  const { gate, context, delegation, refusal, error } = refused;
  const denial = await gate.recheck(delegation, refusal === 'system-user-missing');
  if (denial === undefined) return error;
  gate.report(denial);
  return forCaller(context, denial);
}
