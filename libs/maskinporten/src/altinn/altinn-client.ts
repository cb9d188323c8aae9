import type { Clock } from '../basics/index.js';
import type { HttpTransport } from '../http/index.js';
import { AltinnApi, type AltinnTokens } from './altinn-api.js';
import { AuthorizedParties } from './authorized-parties.js';
import { Pdp } from './pdp.js';
import { SystemRegister } from './system-register.js';
import { SystemUserLookup } from './system-user-lookup.js';
import { SystemUserRequests } from './system-user-requests.js';

export interface AltinnClientOptions {
  /** Origin of the platform. */
  readonly platformUrl: string;
  /** Secret. */
  readonly subscriptionKey?: string | undefined;
  readonly tokens: AltinnTokens;
  readonly transport: Pick<HttpTransport, 'send'>;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/** Everything this module asks Altinn, by topic. */
export class AltinnClient {
  readonly systemUsers: SystemUserLookup;
  readonly requests: SystemUserRequests;
  readonly parties: AuthorizedParties;
  readonly pdp: Pdp;
  readonly register: SystemRegister;

  constructor(options: AltinnClientOptions) {
    const api = new AltinnApi(options);
    this.systemUsers = new SystemUserLookup(api);
    this.requests = new SystemUserRequests(api);
    this.parties = new AuthorizedParties(api);
    this.pdp = new Pdp(api, options.subscriptionKey);
    this.register = new SystemRegister(api);
  }
}
