import { Injectable } from '@nestjs/common';
import { configurationError, createError, moduleNotImported } from '../errors/index.js';
import { CallObservers } from '../signals/index.js';
import type { MaskinportenTokenService } from '../tokens/index.js';
import { DestinationList } from './destination-list.js';

/** The part of a token service that outgoing calls need; a test double may stand in for it. */
export type OutboundTokens = Pick<MaskinportenTokenService, 'getToken' | 'peek' | 'renew'>;

/** One configured client: who asks for tokens and where they may go. */
export interface MaskinportenClient {
  readonly name: string;
  readonly tokens: OutboundTokens;
  readonly destinations: DestinationList;
}

export const DEFAULT_CLIENT = 'default';

/** The clients of one application, so that a context can name one of several. */
@Injectable()
export class MaskinportenClients {
  /** Who watches the calls that carry tokens of these clients. */
  readonly calls = new CallObservers();
  readonly #clients = new Map<string, MaskinportenClient>();
  /** Names of clients that were there: a late call must not be blamed on the configuration (F-144). */
  readonly #closed = new Set<string>();

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) when the name is taken. */
  register(client: MaskinportenClient): void {
    if (this.#clients.has(client.name)) {
      throw configurationError([
        {
          field: 'name',
          code: 'MP_CONFIG',
          reason: `two clients are called ${quote(client.name)}: give each MaskinportenModule.forRoot its own name`,
        },
      ]);
    }
    this.#clients.set(client.name, client);
    this.#closed.delete(client.name);
    closed.delete(client.tokens);
    homes.set(client.tokens, { clients: this, client });
  }

  unregister(client: MaskinportenClient): void {
    if (this.#clients.get(client.name) === client) {
      this.#clients.delete(client.name);
      this.#closed.add(client.name);
    }
    if (homes.get(client.tokens)?.client === client) {
      homes.delete(client.tokens);
      closed.add(client.tokens);
    }
  }

  has(name: string): boolean {
    return this.#clients.has(name);
  }

  /**
   * @throws MaskinportenConfigurationError (`MP_CONFIG`) when there is no client of that name.
   * @throws OperationAbortedError (`MP_ABORTED`) when it was closed with its application.
   */
  get(name: string): MaskinportenClient {
    const client = this.#clients.get(name);
    if (client === undefined && this.#closed.has(name)) throw applicationClosed();
    if (client === undefined) throw unknownClient(name, this.names);
    return client;
  }

  /** In the order of the alphabet: clients register when they are ready, in whatever order that is. */
  get names(): readonly string[] {
    return [...this.#clients.keys()].toSorted();
  }
}

/** Where a token service belongs, so that `attachMaskinporten(instance, tokens)` finds its destinations and its neighbours. */
const homes = new WeakMap<
  OutboundTokens,
  { readonly clients: MaskinportenClients; readonly client: MaskinportenClient }
>();

/** Token services whose application was closed: they have no destinations, and nobody records what they do. */
const closed = new WeakSet<OutboundTokens>();

export const applicationClosed = (): Error =>
  createError('MP_ABORTED', { message: 'The call was not sent: its application has been closed.' });

/** Who watches calls with these tokens, and what their client is called; undefined while nobody does. */
export function watchersOf(tokens: OutboundTokens): { observers: CallObservers; client: string } | undefined {
  const home = homes.get(tokens);
  if (home?.clients.calls.watching !== true) return undefined;
  return { observers: home.clients.calls, client: home.client.name };
}

/** Finds the client of a call by the name that the call, its context or its instance gives; undefined for the usual one. */
export interface ClientSource {
  (name: string | undefined): Pick<MaskinportenClient, 'tokens' | 'destinations'>;
  /** Whose tokens an instance was given, where it was given tokens; empty when they belong to no module. */
  readonly owner?: () => string;
}

/** The usual client is the one these tokens belong to. Tokens outside any module have no destinations of their own. */
export function clientsAround(tokens: OutboundTokens): ClientSource {
  const alone = { tokens, destinations: new DestinationList([]) };
  const find = (name: string | undefined): Pick<MaskinportenClient, 'tokens' | 'destinations'> => {
    const home = homes.get(tokens);
    if (home === undefined && closed.has(tokens)) throw applicationClosed();
    if (home !== undefined)
      return name === undefined || name === home.client.name ? home.client : home.clients.get(name);
    if (name !== undefined) throw unknownClient(name, [], ' (these tokens do not belong to a MaskinportenModule)');
    return alone;
  };
  return Object.assign(find, { owner: () => homes.get(tokens)?.client.name ?? '' });
}

/** @throws MaskinportenConfigurationError (`MP_CONFIG`) saying what to import, when the module is missing. */
export function requireClients(clients: MaskinportenClients | undefined, user: string): MaskinportenClients {
  if (clients !== undefined) return clients;
  throw moduleNotImported(user);
}

export function unknownClient(name: string, known: readonly string[], where = ''): Error {
  const list = known.length === 0 ? 'there are none' : `known are ${known.map(quote).join(', ')}`;
  return configurationError([
    { field: 'client', code: 'MP_CONFIG', reason: `there is no client called ${quote(name)}${where}; ${list}` },
  ]);
}

/** A name as it may be printed: quoted, escaped and not longer than a name should be. */
const quote = (name: string): string => JSON.stringify(name.slice(0, 64));
