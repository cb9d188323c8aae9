import { moduleNotImported } from '../errors/index.js';
import {
  applicationClosed,
  homeOf,
  isClosed,
  unknownClient,
  type CallObservers,
  type ClientRegistry,
} from '../signals/index.js';
import type { MaskinportenTokenService } from '../tokens/index.js';
import { DestinationList } from './destination-list.js';

/** The part of a token service that outgoing calls need; a test double may stand in for it. */
export type OutboundTokens = Pick<MaskinportenTokenService, 'getToken' | 'peek' | 'renew'>;

/** One configured client: who asks for tokens, where they may go, and who watches the calls that carry them. */
export interface OutboundClient {
  readonly name: string;
  readonly tokens: OutboundTokens;
  readonly destinations: DestinationList;
  readonly observers: CallObservers;
}

export { DEFAULT_CLIENT } from '../signals/index.js';

/** Who watches calls with these tokens, and what their client is called; undefined while nobody does. */
export function watchersOf(tokens: OutboundTokens): { observers: CallObservers; client: string } | undefined {
  const client = homeOf<OutboundClient>(tokens)?.client;
  if (client?.observers.watching !== true) return undefined;
  return { observers: client.observers, client: client.name };
}

/** Finds the client of a call by the name that the call, its context or its instance gives; undefined for the usual one. */
export interface ClientSource {
  (name: string | undefined): Pick<OutboundClient, 'tokens' | 'destinations'>;
  /** Whose tokens an instance was given, where it was given tokens; empty when they belong to no module. */
  readonly owner?: () => string;
}

/** The usual client is the one these tokens belong to. Tokens outside any module have no destinations of their own. */
export function clientsAround(tokens: OutboundTokens): ClientSource {
  const alone = { tokens, destinations: new DestinationList([]) };
  const find = (name: string | undefined): Pick<OutboundClient, 'tokens' | 'destinations'> => {
    const home = homeOf<OutboundClient>(tokens);
    if (home === undefined && isClosed(tokens)) throw applicationClosed();
    if (home !== undefined)
      return name === undefined || name === home.client.name ? home.client : home.registry.get(name);
    if (name !== undefined) throw unknownClient(name, [], ' (these tokens do not belong to a MaskinportenModule)');
    return alone;
  };
  return Object.assign(find, { owner: () => homeOf<OutboundClient>(tokens)?.client.name ?? '' });
}

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) saying what to import, when the module is missing. */
export function requireClients(
  clients: ClientRegistry<OutboundClient> | undefined,
  user: string,
): ClientRegistry<OutboundClient> {
  if (clients !== undefined) return clients;
  throw moduleNotImported(user);
}
