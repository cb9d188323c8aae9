import { Listeners } from '../basics/index.js';
import type { MaskinportenTokenService } from '../tokens/index.js';

/** The part of a token service that those who watch it need; a test double may stand in for it. */
export type WatchedTokenService = Pick<
  MaskinportenTokenService,
  'clientId' | 'status' | 'onEvent' | 'checkIssuer' | 'getToken'
>;

export type TokenServicesListener = (name: string, service: WatchedTokenService) => void;

/** The token services of one application by client name, for health and telemetry. */
export class TokenServices {
  readonly #services = new Map<string, WatchedTokenService>();
  readonly #listeners = new Listeners<Parameters<TokenServicesListener>>();

  add(name: string, service: WatchedTokenService): void {
    this.#services.set(name, service);
    this.#listeners.tell(name, service);
  }

  remove(name: string, service: WatchedTokenService): void {
    if (this.#services.get(name) === service) this.#services.delete(name);
  }

  get(name: string): WatchedTokenService | undefined {
    return this.#services.get(name);
  }

  /**
   * Tells about every service, those that are there already and those that come.
   *
   * @returns a function that stops listening
   */
  watch(listener: TokenServicesListener): () => void {
    for (const [name, service] of this.#services) listener(name, service);
    return this.#listeners.add(listener);
  }
}
