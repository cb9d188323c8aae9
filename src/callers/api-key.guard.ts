import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { contextOf, type AnyRequest } from '../requests/index.js';
import { ApiKeys } from './api-keys.js';
import { rememberCaller, type Caller } from './caller.js';
import { UnknownCallerException } from './unknown-caller.exception.js';

/** Controllers, by their own path, that platforms and monitors ask without a key. Everything else needs one. */
const OPEN_CONTROLLERS: ReadonlySet<unknown> = new Set(['health', 'metrics']);

type Request = AnyRequest & { readonly headers: { readonly authorization?: string } };

/** What Express and Fastify responses have in common. */
interface Response {
  header(name: string, value: string): unknown;
}

/** Lets in whoever shows a known key. It is global, so that it runs before every other guard. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly keys: ApiKeys,
    private readonly reflector: Reflector,
  ) {}

  /** @throws UnauthorizedException */
  canActivate(context: ExecutionContext): boolean {
    if (OPEN_CONTROLLERS.has(this.reflector.get<unknown>('path', context.getClass()))) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const caller = this.#authenticate(request, context);
    rememberCaller(request, caller);
    contextOf(request)?.identify(caller.name);
    return true;
  }

  #authenticate({ headers: { authorization } }: Request, context: ExecutionContext): Caller {
    const caller = this.keys.callerIn(authorization);
    if (caller !== undefined) return caller;
    const refusal = new UnknownCallerException(authorization);
    context.switchToHttp().getResponse<Response>().header('www-authenticate', refusal.challenge);
    throw refusal;
  }
}
