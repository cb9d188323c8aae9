import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ConfigurationProblem, type SimulatorClock, logEntryOf } from '../kernel/index.js';

/** Adds a verdict to the log entry of a request. */
export function note(request: FastifyRequest, check: string, ok: boolean, detail?: string): void {
  const entry = logEntryOf(request);
  entry.checks = [...entry.checks, { check, ok, ...(detail !== undefined && { detail }) }];
}

export interface Refusal {
  readonly status: number;
  /** Name of the check that failed, for the log. */
  readonly check: string;
  readonly error: string;
  readonly description: string;
  /** What is wrong with the body, field by field. */
  readonly problems?: readonly ConfigurationProblem[];
}

/** Answers as the self-service API does, which is not how OAuth does (Digdir, self-service API). */
export function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  clock: SimulatorClock,
  { status, check, error, description, problems = [] }: Refusal,
): FastifyReply {
  const correlationId = randomBytes(16).toString('hex');
  note(request, check, false, description);
  logEntryOf(request).refusal = { error, errorDescription: description, traceId: correlationId };
  const errors = problems.map(({ field, reason }) => ({
    errorMessage: reason,
    isFieldError: true,
    objectName: 'jwks',
    fieldIdentifier: field,
  }));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).send({
    status,
    timestamp: clock.date().toISOString(),
    correlation_id: correlationId,
    errors,
    error,
    error_description: description,
  });
}
