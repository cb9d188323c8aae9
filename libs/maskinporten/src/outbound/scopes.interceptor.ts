import { Injectable, Optional, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { ModulesContainer, Reflector } from '@nestjs/core';
import { from, mergeMap, Observable } from 'rxjs';
import { createError } from '../errors/index.js';
import { invocationOf, isGuardReplaced } from '../handlers/index.js';
import { ClientRegistry } from '../signals/index.js';
import { requireClients, type OutboundClient } from './outbound-client.js';
import { currentTokenContext, runInTokenContext } from './maskinporten-context.js';
import { toTokenContext, type TokenContext, type ScopesFunction } from './token-context.js';
import { boundContext, declaredContextOf } from './system-user-binding.js';

/** What a function said about one call of one handler. */
interface Said {
  readonly handler: unknown;
  readonly tokenContext: Promise<TokenContext>;
}

/** Opens the context that `@Scopes` describes; the decorator brings it, nobody registers it. */
@Injectable()
export class MaskinportenScopesInterceptor implements NestInterceptor {
  readonly #clients: ClientRegistry<OutboundClient> | undefined;
  readonly #said = new WeakMap<object, Said>();

  constructor(
    private readonly reflector: Reflector,
    modules: ModulesContainer,
    @Optional() clients?: ClientRegistry<OutboundClient>,
  ) {
    // A unit test that has replaced the guard needs no module either.
    this.#clients = isGuardReplaced(modules) ? clients : requireClients(clients, '@Scopes');
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const declared = declaredContextOf(this.reflector, context);
    if (declared === undefined) return next.handle();
    if (typeof declared !== 'function') return handleIn(boundContext(declared, context), next);
    return from(this.#saidBy(declared, context)).pipe(mergeMap((tokenContext) => handleIn(tokenContext, next)));
  }

  /** Called once per call of a handler, also when class and method bring an interceptor each. */
  async #saidBy(declared: ScopesFunction, context: ExecutionContext): Promise<TokenContext> {
    const invocation = invocationOf(context);
    const handler = context.getHandler();
    const known = this.#said.get(invocation);
    if (known?.handler === handler) return known.tokenContext;
    const tokenContext = this.#ask(declared, context);
    this.#said.set(invocation, { handler, tokenContext });
    return tokenContext;
  }

  async #ask(declared: ScopesFunction, context: ExecutionContext): Promise<TokenContext> {
    const tokenContext = toTokenContext(await declared(context));
    const { client } = tokenContext;
    if (client !== undefined && this.#clients?.has(client) === false) {
      throw createError('MP_REQUEST', {
        message: `The call was not made: @Scopes names the client ${JSON.stringify(client.slice(0, 64))}, which does not exist.`,
        field: 'client',
      });
    }
    return boundContext(tokenContext, context);
  }
}

function handleIn(tokenContext: TokenContext, next: CallHandler): Observable<unknown> {
  // Class and method both decorated: Nest runs this twice, and the outer run has already opened the method's context.
  if (tokenContext === currentTokenContext()) return next.handle();
  // Subscribing inside the run is what carries a handler's cold Observable; calling handle() inside is not enough.
  return new Observable((subscriber) => runInTokenContext(tokenContext, () => next.handle().subscribe(subscriber)));
}
