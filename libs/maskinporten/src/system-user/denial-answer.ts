import type { ArgumentsHost, ExecutionContext, ExceptionFilter } from '@nestjs/common';
import { Catch } from '@nestjs/common';
import { throwError } from 'rxjs';
import { retryAfterSeconds } from '../basics/index.js';
import { DelegationError } from './delegation-error.js';

/** What Express and Fastify responses have in common, and how each says that it is too late for headers. */
interface HeaderWriter {
  header(name: string, value: string): unknown;
  readonly headersSent?: boolean;
  readonly sent?: boolean;
}

/** A denial on its way to a message handler, whose own filter would say no more than "Internal server error". */
export class MessageDelegationError extends DelegationError {}

/** Brings a denial into the form in which the kind of handler gives it to its caller. */
export function forCaller(context: ExecutionContext, denial: DelegationError): DelegationError {
  switch (context.getType<string>()) {
    case 'http':
      writeHeaders(context.switchToHttp().getResponse<HeaderWriter>(), denial);
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

/** Nest's own filter keeps a content type that is set already, so no filter of ours has to stand before the user's. */
function writeHeaders(response: HeaderWriter, { retryAfterMs }: DelegationError): void {
  if (response.headersSent === true || response.sent === true) return;
  response.header('content-type', 'application/problem+json');
  if (retryAfterMs !== undefined) response.header('retry-after', String(retryAfterSeconds(retryAfterMs)));
}

/** Answers denied messages with the problem document; brought by `@RequireSystemUser`, blind to everything else. */
@Catch(MessageDelegationError)
export class MessageDenialFilter implements ExceptionFilter<MessageDelegationError> {
  catch({ problem }: MessageDelegationError, host: ArgumentsHost): unknown {
    if (host.getType() !== 'ws') return throwError(() => problem);
    const client = host.switchToWs().getClient<object>();
    // As Nest does: a native socket is told apart from a Socket.IO client by its numeric `readyState`.
    if ('readyState' in client && typeof client.readyState === 'number') {
      call(client, 'send', JSON.stringify({ event: 'exception', data: problem }));
    } else {
      call(client, 'emit', 'exception', problem);
    }
    return undefined;
  }
}

function call(client: object, name: 'send' | 'emit', ...values: readonly unknown[]): void {
  const method: unknown = Reflect.get(client, name);
  if (typeof method === 'function') Reflect.apply(method, client, values);
}
