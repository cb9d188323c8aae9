import type { OutboundClient } from '../outbound/index.js';
import type { RightsClient } from '../rights/index.js';
import type { SystemUserService } from './system-user.service.js';

/** A client of the application as the guard needs it. */
export interface SystemUserClient extends OutboundClient, RightsClient {
  readonly tokens: OutboundClient['tokens'];
  readonly systemUsers: SystemUserService;
  /** The option `altinn.allowAnyCaller`. */
  readonly allowAnyCaller: boolean;
}
