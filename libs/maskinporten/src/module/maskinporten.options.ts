import type { TrustedCertificates } from '../http/index.js';
import type { TokenStore } from '../tokens/index.js';
import type { KeySource } from '../keys/index.js';
import type { Destination } from '../outbound/index.js';

/** Life of cached tokens. */
export interface TokenCacheOptions {
  /** Where in its life, as a share, a used token is refreshed in the background. Default `[0.5, 0.75]`. */
  readonly refreshAt?: readonly [from: number, to: number];
  /** Most tokens kept at a time. Default 10,000. */
  readonly maxEntries?: number;
  /** Where replicas share their tokens: `RedisTokenStore` of `nestjs-maskinporten/redis`. Default: each has its own. */
  readonly store?: TokenStore;
}

/** How often and how long a token request may try. */
export interface RetryOptions {
  /** Attempts while somebody waits, the first included. Default 3. */
  readonly attempts?: number;
  /** Milliseconds per attempt. Default 3,000. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds for all attempts together, waits between them included, from the first connection. Default 8,000. */
  readonly deadlineMs?: number;
}

/** The connection to Maskinporten. */
export interface TokenHttpOptions {
  /** PEM certificates to trust instead of the built-in roots. */
  readonly ca?: TrustedCertificates;
  /** Address of a proxy, or `environment` to obey the proxy variables of the process. Default: no proxy. */
  readonly proxy?: string;
  /**
   * Exact names of hosts that may be spoken to over `http:`, for containers of a developer's machine (`['simulator']`):
   * issuer, Altinn and destinations. Refused for production and with `NODE_ENV=production`; logged as a warning. Default:
   * none, and `http:` on loopback only.
   */
  readonly allowInsecureHosts?: readonly string[];
  /**
   * Token requests in flight at a time, 1 to 1,000. Who comes later waits for a connection; that wait counts towards no
   * deadline. Default 32.
   */
  readonly maxConnections?: number;
}

/** Altinn's side of system users and token exchange. */
export interface AltinnOptions {
  /** Default: the platform of `environment`. */
  readonly platformUrl?: string;
  /** Id of your system in Altinn's register. */
  readonly systemId?: string;
  /** Secret. */
  readonly subscriptionKey?: string;
  readonly rights?: 'pdp' | 'authorized-parties' | 'accepted-request';
  readonly allowAnyCaller?: boolean;
}

/**
 * One Maskinporten client.
 *
 * @example
 * const options: MaskinportenOptions = {
 *   environment: 'test',
 *   clientId: '0a1b2c3d-…',
 *   key: { file: '/run/secrets/maskinporten.pem', kid: 'my-key-2026' },
 *   destinations: ['https://api.example.no'],
 * };
 */
export interface MaskinportenOptions {
  /** Preset of issuer and Altinn's hosts. Either this or `issuer` is required. */
  readonly environment?: 'test' | 'prod';
  /** Issuer, used verbatim: the trailing slash is significant. Overrides the preset. */
  readonly issuer?: string;
  /** Default: read from the issuer's metadata. */
  readonly tokenEndpoint?: string;
  readonly clientId: string;
  /** Where the private key comes from. In a list the first is current and the rest are fallbacks in a rotation. */
  readonly key: KeySource | readonly KeySource[];
  /** Your own organisation number, to find a `consumerOrg` that is yourself before Maskinporten refuses it. */
  readonly organisation?: string;
  /** Origins that may receive tokens, besides the preset's Altinn hosts. */
  readonly destinations?: readonly Destination[];
  readonly altinn?: AltinnOptions;
  readonly tokens?: TokenCacheOptions;
  readonly retry?: RetryOptions;
  readonly http?: TokenHttpOptions;
}

/** Gives the options when the application starts; for `useClass` and `useExisting`. */
export interface MaskinportenOptionsFactory {
  createMaskinportenOptions(): MaskinportenOptions | Promise<MaskinportenOptions>;
}
