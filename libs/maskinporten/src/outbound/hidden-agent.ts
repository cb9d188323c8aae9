import type { InternalAxiosRequestConfig } from 'axios';

/** The part of `http.Agent` that Node's client uses. */
interface AgentLike {
  addRequest(...values: unknown[]): unknown;
  destroy?(): void;
  readonly protocol?: string | undefined;
  readonly defaultPort?: number | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly maxSockets?: number | undefined;
}

/**
 * Works as the agent it stands for, and shows nothing of it: an agent lists its sockets, a socket its current request,
 * and a request its header text with the token. Agents are in the configuration that answers and errors carry.
 */
class HiddenAgent implements AgentLike {
  readonly #agent: AgentLike;

  constructor(agent: AgentLike) {
    this.#agent = agent;
  }

  addRequest(...values: unknown[]): unknown {
    return this.#agent.addRequest(...values);
  }

  destroy(): void {
    this.#agent.destroy?.();
  }

  get protocol(): string | undefined {
    return this.#agent.protocol;
  }

  get defaultPort(): number | undefined {
    return this.#agent.defaultPort;
  }

  get keepAlive(): boolean | undefined {
    return this.#agent.keepAlive;
  }

  get maxSockets(): number | undefined {
    return this.#agent.maxSockets;
  }

  static behind(value: unknown): unknown {
    return value instanceof HiddenAgent ? value.#agent : value;
  }
}

/** One stand-in per agent, so that configurations that are used again compare equal. */
const hidden = new WeakMap<object, HiddenAgent>();

type Agents = Pick<InternalAxiosRequestConfig, 'httpAgent' | 'httpsAgent'>;

/** Puts stand-ins for the agents into a configuration that others get to see. */
export function hideAgents(config: Agents): void {
  if (isAgent(config.httpAgent)) config.httpAgent = standIn(config.httpAgent);
  if (isAgent(config.httpsAgent)) config.httpsAgent = standIn(config.httpsAgent);
}

/** Puts the agents themselves into a configuration that is about to be sent: axios and tunnels look at their options. */
export function revealAgents(config: Agents): void {
  if (config.httpAgent !== undefined) config.httpAgent = HiddenAgent.behind(config.httpAgent);
  if (config.httpsAgent !== undefined) config.httpsAgent = HiddenAgent.behind(config.httpsAgent);
}

function standIn(agent: AgentLike): HiddenAgent {
  if (agent instanceof HiddenAgent) return agent;
  const known = hidden.get(agent) ?? new HiddenAgent(agent);
  hidden.set(agent, known);
  return known;
}

const isAgent = (value: unknown): value is AgentLike =>
  typeof value === 'object' && value !== null && 'addRequest' in value && typeof value.addRequest === 'function';
