import type { ArgumentsHost } from '@nestjs/common';
import type { ServerResponse } from 'node:http';

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

/** Answers with a problem document; when the answer has begun already, the connection is cut so that nobody takes it for whole. */
export function sendProblem(host: ArgumentsHost, { retryAfterSeconds, ...body }: ProblemAnswer): void {
  const response = host.switchToHttp().getResponse<HttpResponse & ServerResponse>();
  const raw: ServerResponse = response.raw ?? response;
  if (raw.headersSent) {
    raw.destroy();
    return;
  }
  response.status(body.status).header('content-type', 'application/problem+json');
  if (retryAfterSeconds !== undefined) response.header('retry-after', String(retryAfterSeconds));
  response.send(JSON.stringify(body));
}
