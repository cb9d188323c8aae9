import { HttpTransport } from '../../http/index.js';
import { systemClock, type Clock, ownMembers } from '../../basics/index.js';
import type { Consumer } from './consumer.js';
import { IssuerKeys, type KeysStatus } from './issuer-keys.js';
import {
  resolveResourceServer,
  type ResolvedResourceServer,
  type ResourceServerOptions,
} from './resource-server-options.js';
import { TokenVerifier } from './token-verifier.js';

export interface ResourceServerDependencies {
  readonly clock?: Clock | undefined;
  /** Called when the state of the issuer's keys changes. */
  readonly onKeysState?: ((status: KeysStatus) => void) | undefined;
}

/** Verifies the tokens that others send to an API: keys, verifier and connections of one issuer. */
export class ResourceServer {
  readonly settings: ResolvedResourceServer;
  readonly #transport: HttpTransport;
  readonly #keys: IssuerKeys;
  readonly #verifier: TokenVerifier;

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) that lists every wrong option */
  constructor(options: ResourceServerOptions, dependencies: ResourceServerDependencies = {}) {
    const { clock = systemClock, onKeysState } = dependencies;
    const { http, allowInsecureHosts } = ownMembers(options);
    this.settings = resolveResourceServer(options);
    const { issuer, jwksUri, ...rules } = this.settings;
    this.#transport = new HttpTransport({ ...ownMembers(http), allowInsecureHosts, now: () => clock.wallMs() });
    this.#keys = new IssuerKeys({ issuer, jwksUri, transport: this.#transport, clock, onState: onKeysState });
    this.#verifier = new TokenVerifier({ ...rules, issuer: issuer.issuer, keys: this.#keys, clock });
  }

  get keysStatus(): KeysStatus {
    return this.#keys.status;
  }

  /**
   * @param token compact form, without `Bearer`
   * @throws TokenRefusal
   */
  async verify(token: string): Promise<Consumer> {
    return this.#verifier.verify(token);
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }
}
