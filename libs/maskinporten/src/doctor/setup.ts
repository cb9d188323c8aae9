import type { Clock } from '../basics/index.js';
import type { Destination, EnvironmentName } from '../issuer/index.js';
import type { KeySource } from '../keys/index.js';

/** A customer whose delegation is looked at. */
export interface ExaminedCustomer {
  readonly organisation: string;
  readonly externalRef?: string | undefined;
  /** Id in the resource registry. Without one the right is not looked at. */
  readonly resource?: string | undefined;
  /** Default `read`. */
  readonly action?: string | undefined;
  /** Who is acted for; default the organisation itself. */
  readonly party?: string | undefined;
}

/**
 * The configuration of one client, as it was written and before anybody judged it: a part that is missing or wrong is
 * what the doctor is for.
 */
export interface DoctorSetup {
  readonly environment?: EnvironmentName | undefined;
  /** Verbatim. */
  readonly issuer?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  readonly clientId?: string | undefined;
  readonly key?: KeySource | readonly KeySource[] | undefined;
  /** The organisation that owns the client. */
  readonly organisation?: string | undefined;
  /** Scopes that the application needs; each is asked for by itself. */
  readonly scopes?: readonly string[] | undefined;
  /** Whom the client acts for by API delegation. */
  readonly consumerOrg?: string | undefined;
  /** Origins that may receive tokens, besides the preset's Altinn hosts. */
  readonly destinations?: readonly Destination[] | undefined;
  readonly altinn?:
    | {
        readonly platformUrl?: string | undefined;
        readonly systemId?: string | undefined;
        /** Secret. */
        readonly subscriptionKey?: string | undefined;
      }
    | undefined;
  /** Base address of Digdir's self-service API, for its open list of scopes. Default: that of the issuer's environment. */
  readonly selfServiceUrl?: string | undefined;
  /** Text of the public JWK or JWK set that was uploaded to self-service. */
  readonly uploadedJwks?: string | undefined;
  readonly customer?: ExaminedCustomer | undefined;
  /** Folder whose tracked files and `.env` are searched for secrets. */
  readonly project?: string | undefined;
  readonly http?:
    | {
        readonly ca?: string | readonly string[] | undefined;
        readonly proxy?: string | undefined;
        readonly allowInsecureHosts?: readonly string[] | undefined;
      }
    | undefined;
  readonly clock?: Clock | undefined;
}
