import type { ArgumentsHost, ExecutionContext, ExceptionFilter } from '@nestjs/common';
import { Catch } from '@nestjs/common';
import { retryAfterSeconds } from '../basics/index.js';
import { answerMessage, writeProblemHeaders } from '../handlers/index.js';
import { DelegationError } from './delegation-error.js';

/** A denial on its way to a message handler, whose own filter would say no more than "Internal server error". */
export class MessageDelegationError extends DelegationError {}

/** Brings a denial into the form in which the kind of handler gives it to its caller. */
export function forCaller(context: ExecutionContext, denial: DelegationError): DelegationError {
  switch (context.getType<string>()) {
    case 'http':
      writeProblemHeaders(context.switchToHttp().getResponse(), headersOf(denial));
      return denial;
    case 'rpc':
    case 'ws': {
      const { code, extensions, reason, ownOrganisation } = denial;
      return new MessageDelegationError(code, { ...extensions, reason, ownOrganisation });
    }
    default:
      return denial;
  }
}

/** Answers denied messages with the problem document; brought by `@RequireSystemUser`, blind to everything else. */
@Catch(MessageDelegationError)
export class MessageDenialFilter implements ExceptionFilter<MessageDelegationError> {
  catch({ problem }: MessageDelegationError, host: ArgumentsHost): unknown {
    return answerMessage(problem, host);
  }
}

const headersOf = ({ retryAfterMs }: DelegationError): Readonly<Record<string, string>> =>
  retryAfterMs === undefined ? {} : { 'retry-after': String(retryAfterSeconds(retryAfterMs)) };
