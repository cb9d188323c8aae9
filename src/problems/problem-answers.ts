import { Injectable, type ArgumentsHost } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { printable } from '../logging/index.js';
import { RequestMeta, type AnyRequest } from '../requests/index.js';

/** A problem document, and what its answer says besides. */
interface ProblemAnswer {
  readonly status: number;
  readonly retryAfterSeconds?: number;
}

/** What Express and Fastify responses have in common. */
interface HttpResponse {
  readonly raw?: ServerResponse;
  readonly headersSent?: boolean;
  status(code: number): HttpResponse;
  header(name: string, value: string): HttpResponse;
  send(body: string): unknown;
}

/** Sends problem documents, those to known callers with `_meta` as an extension member (RFC 9457 §3.2). */
@Injectable()
export class ProblemAnswers {
  constructor(private readonly meta: RequestMeta) {}

  /** When the answer has begun already, the connection is cut so that nobody takes it for whole. */
  send(host: ArgumentsHost, { retryAfterSeconds, ...body }: ProblemAnswer): void {
    const http = host.switchToHttp();
    const response = http.getResponse<HttpResponse & ServerResponse>();
    const raw: ServerResponse = response.raw ?? response;
    if (raw.headersSent) {
      raw.destroy();
      return;
    }
    response.status(body.status).header('content-type', 'application/problem+json');
    if (retryAfterSeconds !== undefined) response.header('retry-after', String(retryAfterSeconds));
    const meta = this.meta.of(http.getRequest<AnyRequest>());
    // Names of fields come from the caller, and other texts may.
    response.send(printable(JSON.stringify(meta === undefined ? body : { ...body, _meta: meta })));
  }
}
