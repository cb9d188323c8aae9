import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Network, hostNameOf, isLoopbackName, sendProblem, type World } from '../kernel/index.js';

const LOOPBACK_ADDRESS = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;
const HOST_HEADER = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const API = /^\/operator\/api(?:\/|$)/;

/** A person who follows a link, such as a `confirmUrl` in a vendor's application. The linking page can read nothing. */
function isNavigation({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

function carries({ headers }: FastifyRequest, token: string): boolean {
  const sent = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(sent), digest(token));
}

/** Who may reach the operator: this machine or holders of its token, and no foreign web page in somebody's browser. */
class Admission {
  readonly #network: Network;
  readonly #world: World;

  constructor(network: Network, world: World) {
    this.#network = network;
    this.#world = world;
  }

  /** Why the request may not reach the operator, or `undefined`. */
  objection(request: FastifyRequest): string | undefined {
    const { host = '', origin } = request.headers;
    if (this.#network.loopback && !LOOPBACK_ADDRESS.test(request.socket.remoteAddress ?? '')) {
      return 'The operator answers this machine only.';
    }
    // A name that a web page made to point here arrives as its own name in Host (DNS rebinding).
    if (!this.#isOwnName(host)) {
      return 'The Host header must name this machine, the public URL, the browser URL or one of SIMULATOR_ALLOWED_HOSTS.';
    }
    // A page of another site in the developer's browser may send, if not read.
    if (origin !== undefined && !this.#isOwnOrigin(origin, host))
      return 'Pages of other origins may not use the operator.';
    if (request.headers['sec-fetch-site'] === 'cross-site' && !isNavigation(request)) {
      return 'Other sites may not use the operator.';
    }
    return undefined;
  }

  /**
   * The pages themselves show nothing; what they load needs the token. Judged by the route that will answer, because the
   * router decodes `%61pi`, ends a path at `#` and takes whole URLs. What no route answers is not a page.
   */
  lacksToken(request: FastifyRequest): boolean {
    const { operatorToken } = this.#network;
    const { url: route = '/operator/api' } = request.routeOptions;
    return operatorToken !== undefined && API.test(route) && !carries(request, operatorToken);
  }

  #isOwnName(host: string): boolean {
    const name = hostNameOf(host);
    return (
      HOST_HEADER.test(host) &&
      (isLoopbackName(name) ||
        this.#network.allowedHosts.includes(name) ||
        this.#ownUrls().some((url) => hostNameOf(url.host) === name))
    );
  }

  #isOwnOrigin(origin: string, host: string): boolean {
    if (!URL.canParse(origin)) return false;
    const { protocol, host: from } = new URL(origin);
    // Behind a proxy that ends TLS, the browser says https: where this server sees http:.
    return (
      (/^https?:$/.test(protocol) && from === host.toLowerCase()) ||
      this.#ownUrls().some((url) => url.origin === origin)
    );
  }

  #ownUrls(): readonly URL[] {
    const { operatorUrl, browserUrl } = this.#world.urls();
    return [new URL(operatorUrl), new URL(browserUrl)];
  }
}

/** Lets only those who may reach the operator. */
export function guardOperator(app: FastifyInstance, network: Network, world: World): void {
  const admission = new Admission(network, world);
  app.addHook('onRequest', async (request, reply) => {
    const detail = admission.objection(request);
    if (detail !== undefined) return sendProblem(reply, 403, 'Forbidden', { detail });
    if (!admission.lacksToken(request)) return undefined;
    return sendProblem(reply.header('www-authenticate', 'Bearer realm="operator"'), 401, 'Unauthorized', {
      detail:
        'The operator needs its token: Authorization: Bearer <SIMULATOR_OPERATOR_TOKEN>, which the simulator prints when it made one.',
    });
  });
}
