import { Injectable, Optional, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { catchError, from, mergeMap, Observable, throwError } from 'rxjs';
import { isRunning, runVerified, verifiedFor } from './current-delegation.js';
import { DelegationGate } from './delegation-gate.js';
import { DelegationError } from './delegation-error.js';
import { forCaller } from './denial-answer.js';
import { downstreamRefusal, type DownstreamRefusal } from './downstream-refusal.js';
import { requireGate } from './system-user.guard.js';
import type { VerifiedDelegation } from './verified-delegation.js';

/** Hands what was verified to the handler, and asks once more when somebody downstream refuses it. */
@Injectable()
export class SystemUserInterceptor implements NestInterceptor {
  readonly #gate: DelegationGate;

  constructor(@Optional() gate?: DelegationGate) {
    this.#gate = requireGate(gate);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const delegation = verifiedFor(context);
    if (delegation === undefined) {
      // Nothing was verified, so nothing may run (a guard that was overridden in the container, for instance).
      const denial = new DelegationError('system_user_misconfigured', { reason: 'the handler was not verified' });
      this.#gate.report(denial);
      return throwError(() => forCaller(context, denial));
    }
    if (isRunning(delegation)) return next.handle();
    return new Observable<unknown>((subscriber) =>
      runVerified(context, delegation, () => next.handle().subscribe(subscriber)),
    ).pipe(
      catchError((error: unknown) => {
        const refusal = downstreamRefusal(error);
        if (refusal === undefined) return throwError(() => error);
        return from(this.#whatToTell(context, delegation, refusal, error)).pipe(
          mergeMap((told) => throwError(() => told)),
        );
      }),
    );
  }

  async #whatToTell(
    context: ExecutionContext,
    delegation: VerifiedDelegation,
    refusal: DownstreamRefusal,
    error: unknown,
  ): Promise<unknown> {
    const denial = await this.#gate.recheck(delegation, refusal === 'system-user-missing');
    if (denial === undefined) return error;
    this.#gate.report(denial);
    return forCaller(context, denial);
  }
}
