import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { type Network, originOf } from './network.js';
import type { SimulatorUrls } from './part.js';
import { ROLES, type Role, roleOf } from './role.js';
import type { RoleServer } from './role-server.js';

/** As long as Fastify keeps connections, so that clients meet the same behaviour on one port and on five. */
const KEEP_ALIVE_MS = 72_000;

interface Listening {
  /** Of the issuer, when each part has its own. */
  readonly port: number;
  readonly urls: SimulatorUrls;
}

/** The sockets of the simulator: one for all parts, or one for each. */
export class Listener {
  readonly #servers: ReadonlyMap<Role, RoleServer>;
  #shared: Server | undefined;

  constructor(servers: ReadonlyMap<Role, RoleServer>) {
    this.#servers = servers;
  }

  /** @throws the system's error, such as `EADDRINUSE`, when the port cannot be had. */
  async listen(network: Network): Promise<Listening> {
    if (network.separateOrigins) return this.#listenApart(network);
    await Promise.all([...this.#servers.values()].map(({ app }) => app.ready()));
    this.#shared = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
      this.#servers.get(roleOf(path))?.app.routing(request, response);
    });
    this.#shared.listen({ host: network.host, port: network.port });
    await once(this.#shared, 'listening');
    const address = this.#shared.address();
    if (address === null || typeof address === 'string') throw new Error('The simulator got no TCP port.');
    const origin = network.publicUrl ?? originOf(network, address.port);
    return { port: address.port, urls: urlsOf(() => origin, network.browserUrl) };
  }

  /** Ends open connections and stops listening. */
  async close(): Promise<void> {
    const shared = this.#shared;
    this.#shared = undefined;
    const closed = shared?.listening === true ? once(shared, 'close') : undefined;
    shared?.close();
    // Requests that a fault holds back are let go first; what is still open then is cut.
    await Promise.all([...this.#servers.values()].map((server) => server.close()));
    shared?.closeAllConnections();
    await closed;
  }

  async #listenApart(network: Network): Promise<Listening> {
    const ports = new Map<Role, number>();
    for (const [index, role] of ROLES.entries()) {
      const wanted = network.port === 0 ? 0 : network.port + index;
      const place = { host: network.host, port: wanted > 65_535 ? 0 : wanted, orAny: index > 0 };
      ports.set(role, (await this.#servers.get(role)?.listen(place)) ?? 0);
    }
    const portOf = (role: Role): number => ports.get(role) ?? 0;
    return { port: portOf('maskinporten'), urls: urlsOf((role) => originOf(network, portOf(role)), undefined) };
  }
}

function urlsOf(origin: (role: Role) => string, browserUrl: string | undefined): SimulatorUrls {
  return {
    issuer: `${origin('maskinporten')}/`,
    tokenEndpoint: `${origin('maskinporten')}/token`,
    platformUrl: origin('platform'),
    apiUrl: origin('api'),
    operatorUrl: origin('operator'),
    selfServiceUrl: origin('self-service'),
    browserUrl: browserUrl ?? origin('operator'),
  };
}
