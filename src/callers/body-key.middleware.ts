import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type NestMiddleware } from '@nestjs/common';
import { ApiKeys } from './api-keys.js';
import { UnknownCallerException } from './unknown-caller.exception.js';

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
