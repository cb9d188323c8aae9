import { Listeners } from '../basics/index.js';
import { configurationError, createError } from '../errors/index.js';
import type { MaskinportenTokenService } from '../tokens/index.js';

/** The part of a token service that those who watch it need; a test double may stand in for it. */
export type WatchedTokenService = Pick<
  MaskinportenTokenService,
  'clientId' | 'status' | 'onEvent' | 'checkIssuer' | 'getToken'
>;

/** Name of a client that was given none. */
export const DEFAULT_CLIENT = 'default';

/** What every registered client has. Each room that uses the registry says what else it needs of one. */
export interface RegisteredClient {
  readonly name: string;
  readonly tokens: object;
}

/** A client as health, telemetry and audit see it. */
export interface WatchedClient extends RegisteredClient {
  readonly tokens: WatchedTokenService;
}

/** Where a token service belongs. */
export interface Home<Client extends RegisteredClient> {
  readonly registry: ClientRegistry<Client>;
  readonly client: Client;
}

const homes = new WeakMap<object, Home<never>>();
/** Token services whose application was closed: they have no destinations, and nobody records what they do. */
const closed = new WeakSet<object>();

/** The clients of one application by name. The module registers complete ones, whatever part of them a reader declares. */
export class ClientRegistry<Client extends RegisteredClient = WatchedClient> {
  readonly #clients = new Map<string, Client>();
  /** Names of clients that were there: a late call must not be blamed on the configuration (F-144). */
  readonly #closed = new Set<string>();
  readonly #listeners = new Listeners<[client: Client]>();

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) when the name is taken. */
  register(client: Client): void {
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
    homes.set(client.tokens, { registry: this, client } as Home<Client> as unknown as Home<never>);
    this.#listeners.tell(client);
  }

  unregister(client: Client): void {
    if (this.#clients.get(client.name) === client) {
      this.#clients.delete(client.name);
      this.#closed.add(client.name);
    }
    if (homeOf(client.tokens)?.client === client) {
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
  get(name: string): Client {
    const client = this.#clients.get(name);
    if (client === undefined && this.#closed.has(name)) throw applicationClosed();
    if (client === undefined) throw unknownClient(name, this.names);
    return client;
  }

  /** In alphabetical order: clients register when they are ready, in whatever order that is. */
  get names(): readonly string[] {
    return [...this.#clients.keys()].toSorted();
  }

  /**
   * Calls the listener with every client: those that are registered already, and each new one.
   *
   * @returns a function that stops listening
   */
  watch(listener: (client: Client) => void): () => void {
    for (const client of this.#clients.values()) listener(client);
    return this.#listeners.add(listener);
  }
}

/** Finds the client of a token service, so that `attachMaskinporten(instance, tokens)` knows its destinations. */
export const homeOf = <Client extends RegisteredClient>(tokens: object): Home<Client> | undefined =>
  homes.get(tokens) as unknown as Home<Client> | undefined;

/** True for tokens whose application has been closed. */
export const isClosed = (tokens: object): boolean => closed.has(tokens);

export const applicationClosed = (): Error =>
  createError('MP_ABORTED', { message: 'The call was not sent: its application has been closed.' });

/** @param where added after the name, to say more about the place that names the client */
export function unknownClient(name: string, known: readonly string[], where = ''): Error {
  const list = known.length === 0 ? 'there are none' : `known are ${known.map(quote).join(', ')}`;
  return configurationError([
    { field: 'client', code: 'MP_CONFIG', reason: `there is no client called ${quote(name)}${where}; ${list}` },
  ]);
}

/** A name as it may be printed: quoted, escaped and not longer than a name should be. */
const quote = (name: string): string => JSON.stringify(name.slice(0, 64));
