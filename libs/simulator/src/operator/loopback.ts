import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendProblem } from '../kernel/index.js';

const LOOPBACK_ADDRESS = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

function isOwnOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).protocol === 'http:' && new URL(origin).host === host.toLowerCase();
}

/** A person who follows a link, such as a `confirmUrl` in a vendor's application. The linking page can read nothing. */
function isNavigation({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** Why the request may not reach the operator, or `undefined`. */
function objection(request: FastifyRequest): string | undefined {
  const { host = '', origin } = request.headers;
  const address = request.socket.remoteAddress ?? '';
  if (!LOOPBACK_ADDRESS.test(address)) return 'The operator answers this machine only.';
  // A name that a web page made to point at 127.0.0.1 arrives as its own name in Host (DNS rebinding).
  if (!LOOPBACK_HOST.test(host)) return 'The Host header must name this machine.';
  // A page of another site in the developer's browser may send, if not read.
  if (origin !== undefined && !isOwnOrigin(origin, host)) return 'Pages of other origins may not use the operator.';
  if (request.headers['sec-fetch-site'] === 'cross-site' && !isNavigation(request))
    return 'Other sites may not use the operator.';
  return undefined;
}

/** Lets only this machine, and no foreign web page in its browser, reach the operator. */
export function guardLoopback(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const detail = objection(request);
    return detail === undefined ? undefined : sendProblem(reply, 403, 'Forbidden', { detail });
  });
}
