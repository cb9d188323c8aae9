import type { ArgumentsHost } from '@nestjs/common';
import { throwError } from 'rxjs';

/** What Express and Fastify responses have in common, and how each says that it is too late for headers. */
interface HeaderWriter {
  header(name: string, value: string): unknown;
  readonly headersSent?: boolean;
  readonly sent?: boolean;
}

/**
 * Headers of a refusal that Nest's own filter answers: it keeps a content type that is set already, so no filter of ours
 * has to stand before the user's.
 */
export function writeProblemHeaders(response: HeaderWriter, headers: Readonly<Record<string, string>> = {}): void {
  if (response.headersSent === true || response.sent === true) return;
  response.header('content-type', 'application/problem+json');
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
}

/**
 * Answers a message with a problem document, for filters: Nest's own say no more than "Internal server error".
 *
 * @param problem an RFC 9457 document
 */
export function answerMessage(problem: object, host: ArgumentsHost): unknown {
  // What Nest makes of an RpcException with this document; the class itself is in an optional package.
  if (host.getType() !== 'ws') return throwError(() => problem);
  const client = host.switchToWs().getClient<object>();
  // As Nest does: a native socket differs from a Socket.IO client by its numeric `readyState`.
  if ('readyState' in client && typeof client.readyState === 'number') {
    call(client, 'send', JSON.stringify({ event: 'exception', data: problem }));
  } else {
    call(client, 'emit', 'exception', problem);
  }
  return undefined;
}

function call(client: object, name: 'send' | 'emit', ...values: readonly unknown[]): void {
  const method: unknown = Reflect.get(client, name);
  if (typeof method === 'function') Reflect.apply(method, client, values);
}
