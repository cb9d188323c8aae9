import { Logger } from '@nestjs/common';
import { ownMembers } from './basics/index.js';
import { AltinnClient, AltinnTokenExchanger, type AltinnClientOptions } from './altinn/index.js';
import { withoutLineBreak } from './basics/index.js';
import { HttpTransport, ISSUER_PRESETS, isEnvironmentName, type HttpTransportOptions } from './issuer/index.js';
import type { MaskinportenOptions } from './maskinporten.options.js';
import { SystemUserService, type RightsStrategy } from './system-user/index.js';

/**
 * Altinn's side of one client. It is used only when the options have passed their checks. The subscription key is in a
 * private field, so that nothing in the container shows it (T-06).
 */
export class ClientAltinn {
  readonly allowAnyCaller: boolean;
  readonly #platformUrl: string | undefined;
  readonly #systemId: string | undefined;
  readonly #subscriptionKey: string | undefined;
  readonly #strategy: RightsStrategy | undefined;
  /** Read late: when the options have been checked. */
  readonly #http: () => HttpTransportOptions;
  #transport: HttpTransport | undefined;

  constructor({ environment, altinn }: MaskinportenOptions, http: () => HttpTransportOptions) {
    const { platformUrl, systemId, subscriptionKey, rights, allowAnyCaller } = ownMembers(altinn);
    const preset = isEnvironmentName(environment) ? ISSUER_PRESETS[environment].altinn.platformUrl : undefined;
    this.#platformUrl = platformUrl ?? preset;
    this.#systemId = systemId;
    this.#subscriptionKey = typeof subscriptionKey === 'string' ? withoutLineBreak(subscriptionKey) : subscriptionKey;
    // Only the PDP can tell what may be read from what may be written, so nothing less is chosen in silence.
    this.#strategy = rights ?? (subscriptionKey === undefined ? undefined : 'pdp');
    this.allowAnyCaller = allowAnyCaller === true;
    this.#http = http;
  }

  /** For `exchange: 'altinn'`; undefined when no platform is known. `renewWith` has to be called on it. */
  createExchanger(): AltinnTokenExchanger | undefined {
    if (this.#platformUrl === undefined) return undefined;
    return new AltinnTokenExchanger({ platformUrl: this.#platformUrl, transport: this.#connection() });
  }

  createSystemUsers(tokens: AltinnClientOptions['tokens']): SystemUserService {
    const logger = new Logger('Maskinporten');
    const platformUrl = this.#platformUrl;
    const altinn =
      platformUrl === undefined
        ? undefined
        : new AltinnClient({
            platformUrl,
            subscriptionKey: this.#subscriptionKey,
            tokens,
            transport: this.#connection(),
          });
    return new SystemUserService({
      altinn,
      systemId: this.#systemId,
      strategy: this.#strategy,
      onWarning: (reason) => logger.warn(reason),
    });
  }

  async close(): Promise<void> {
    await this.#transport?.close();
  }

  /** Sockets of its own: a slow Altinn must not use up those to Maskinporten. */
  #connection(): HttpTransport {
    this.#transport ??= new HttpTransport(this.#http());
    return this.#transport;
  }
}
