import type { Credentials } from '../measure/credentials.js';

/** What every client is given. */
export interface ClientSetup extends Credentials {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  /** Tokens the client should be able to hold, where it has a limit at all. */
  readonly maxEntries: number;
}

/** A way to get tokens, reduced to what is measured. No wrapper of ours comes between: `get` gives the client's own promise. */
export interface TokenClient {
  readonly name: string;
  /** A token for the fixed scopes, on behalf of `organisation` when given. */
  get(organisation?: string): Promise<unknown>;
  /** The token in what `get` gave. */
  valueOf(result: unknown): string;
  close(): Promise<void>;
}

export type ClientFactory = (setup: ClientSetup) => Promise<TokenClient>;

/** Two, as most integrations have more than one. */
export const SCOPES: readonly string[] = ['bench:orders.read', 'bench:orders.write'];

export const CLIENTS = {
  ours: async (setup: ClientSetup) => (await import('./ours.js')).ours(setup),
  'openid-client': async (setup: ClientSetup) => (await import('./openid-client.js')).openidClient(setup),
  'google-auth-library': async (setup: ClientSetup) => (await import('./google-auth.js')).googleAuth(setup),
  '@vtfk/maskinporten-auth': async (setup: ClientSetup) => (await import('./vtfk.js')).vtfk(setup),
  'hand-written': async (setup: ClientSetup) => (await import('./hand-written.js')).handWritten(setup),
} satisfies Record<string, ClientFactory>;

export type ClientName = keyof typeof CLIENTS;
