import { Injectable, Optional, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Observable } from 'rxjs';
import { MaskinportenClients, requireClients } from './maskinporten-clients.js';
import { currentScope, runInScope } from './maskinporten-context.js';
import { scopeOf } from './system-user-binding.js';

/** Opens the context that `@Scopes` describes; the decorator brings it, nobody registers it. */
@Injectable()
export class MaskinportenScopesInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    @Optional() clients?: MaskinportenClients,
  ) {
    requireClients(clients, '@Scopes');
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const scope = scopeOf(this.reflector, context);
    // Class and method both decorated: Nest runs this twice, and the outer run has already opened the method's scope.
    if (scope === undefined || scope === currentScope()) return next.handle();
    // Subscribing inside the run is what carries a handler's cold Observable; calling handle() inside is not enough.
    return new Observable((subscriber) => runInScope(scope, () => next.handle().subscribe(subscriber)));
  }
}
