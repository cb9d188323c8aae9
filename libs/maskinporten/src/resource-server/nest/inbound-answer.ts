import { Catch, type ArgumentsHost, type ExceptionFilter, type ExecutionContext } from '@nestjs/common';
import { retryAfterSeconds } from '../../basics/index.js';
import { answerMessage, writeProblemHeaders } from '../../handlers/index.js';
import { InboundCallError } from './inbound-error.js';

/** A refusal on its way to a message handler, whose own filter would say no more than "Internal server error". */
export class MessageInboundError extends InboundCallError {}

/** Brings a refusal into the form in which the kind of handler gives it to its caller. */
export function forCaller(context: ExecutionContext, error: InboundCallError, scopes: readonly string[]): Error {
  switch (context.getType<string>()) {
    case 'http':
      writeProblemHeaders(context.switchToHttp().getResponse(), headersOf(error, scopes));
      return error;
    case 'rpc':
    case 'ws':
      return new MessageInboundError(error.code, error.problem);
    default:
      return error;
  }
}

function headersOf({ problem }: InboundCallError, scopes: readonly string[]): Readonly<Record<string, string>> {
  if (problem.retryAfterMs !== undefined) return { 'retry-after': String(retryAfterSeconds(problem.retryAfterMs)) };
  return { 'www-authenticate': `Bearer ${challengeOf(problem.code, problem.status, problem.title, scopes)}` };
}

/** RFC 6750 §3. A call without a token is not in error, and learns what it needs. */
function challengeOf(code: string, status: number, title: string, scopes: readonly string[]): string {
  // No scope holds a quote or a backslash (RFC 6749 §3.3), and neither does a title.
  const scope = `scope="${scopes.join(' ')}"`;
  if (code === 'token_missing') return scope;
  const error = `error="${status === 401 ? 'invalid_token' : 'insufficient_scope'}", error_description="${title}"`;
  return code === 'scope_missing' ? `${error}, ${scope}` : error;
}

/** Answers refused messages with the problem document; brought by the decorators, blind to everything else. */
@Catch(MessageInboundError)
export class MessageInboundFilter implements ExceptionFilter<MessageInboundError> {
  catch({ problem }: MessageInboundError, host: ArgumentsHost): unknown {
    return answerMessage(problem, host);
  }
}
