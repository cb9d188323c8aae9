import { Injectable, UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiKeys } from './api-keys.js';
import { rememberCaller, type Caller } from './caller.js';

/** Controllers, by their own path, that platforms and monitors ask without a key. Everything else needs one. */
const OPEN_CONTROLLERS: ReadonlySet<unknown> = new Set(['health', 'metrics']);

/** RFC 6750 §2.1; one space and one key. */
const BEARER = /^Bearer ([\x21-\x7e]{1,512})$/i;

interface Request {
  readonly headers: { readonly authorization?: string };
}

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
    rememberCaller(request, this.#authenticate(request, context));
    return true;
  }

  #authenticate({ headers: { authorization } }: Request, context: ExecutionContext): Caller {
    const [, key] = BEARER.exec(authorization ?? '') ?? [];
    const caller = key === undefined ? undefined : this.keys.callerOf(key);
    if (caller !== undefined) return caller;
    const challenge = 'Bearer realm="service"';
    context
      .switchToHttp()
      .getResponse<Response>()
      // RFC 6750 §3.1: who shows nothing is told no error.
      .header('www-authenticate', authorization === undefined ? challenge : `${challenge}, error="invalid_token"`);
    throw new UnauthorizedException(
      authorization === undefined
        ? 'The call needs an API key: Authorization: Bearer <key>.'
        : 'The API key is not known: send it as Authorization: Bearer <key>.',
    );
  }
}
