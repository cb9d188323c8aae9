import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  UnauthorizedException,
  Injectable,
  type NestMiddleware,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { contextOf, type AnyRequest } from '../requests/index.js';
import { ApiKeys } from './api-keys.js';
import { rememberCaller, type Caller } from './caller.js';

const CHALLENGE = 'Bearer realm="service"';

/** The request shows no key, or one that is not known. */
export class UnknownCallerException extends UnauthorizedException {
  /** For `WWW-Authenticate`. RFC 6750 §3.1: a request without a key gets no error code. */
  readonly challenge: string;

  constructor(authorization: string | undefined) {
    super(
      authorization === undefined
        ? 'The call needs an API key: Authorization: Bearer <key>.'
        : 'The API key is not known: send it as Authorization: Bearer <key>.',
    );
    this.challenge = authorization === undefined ? CHALLENGE : `${CHALLENGE}, error="invalid_token"`;
  }
}

/**
 * Reads no body from strangers, whatever the route. A guard runs after the body was read, so that a stranger could hold a
 * connection by sending a body slowly. The connection ends with the answer: what is left of the body is not waited for.
 */
@Injectable()
export class BodyKeyMiddleware implements NestMiddleware {
  constructor(private readonly keys: ApiKeys) {}

  use({ headers }: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): void {
    if (!announcesBody(headers) || this.keys.callerIn(headers.authorization) !== undefined) {
      next();
      return;
    }
    const refusal = new UnknownCallerException(headers.authorization);
    response.setHeader('www-authenticate', refusal.challenge);
    response.setHeader('connection', 'close');
    next(refusal);
  }
}

/** RFC 9112 §6.3: a request without either header has no body. */
const announcesBody = (headers: IncomingMessage['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;

/** Controllers, by their own path, that platforms and monitors ask without a key. Everything else needs one. */
const OPEN_CONTROLLERS: ReadonlySet<unknown> = new Set(['health', 'metrics']);

type Request = AnyRequest & { readonly headers: { readonly authorization?: string } };

/** What Express and Fastify responses have in common. */
interface Response {
  header(name: string, value: string): unknown;
}

/** Lets in callers that show a known key. It is global, so that it runs before every other guard. */
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
