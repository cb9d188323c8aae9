import { Settings, flag, integer, list, oneOf, record, text, withDefault } from '../kernel/index.js';

/** Where Altinn differs between what is documented, what its source does, and what was seen. All are optional. */
export interface AltinnSettingsInput {
  /** Keys that the PDP's gateway takes in `Ocp-Apim-Subscription-Key`. Default, and when empty: any key, but not none. */
  subscriptionKeys?: string[];
  /** How long the PDP trusts what it saw of a system user; 300 is what Altinn has. Default 0: every change counts at once. */
  pdpCacheSeconds?: number;
  /** How the PDP writes member names: `camel` as the wire does, `pascal` as the documentation prints. */
  pdpCase?: 'camel' | 'pascal';
  /** The token exchange answers the JWT itself, or as a JSON string with quotes. */
  exchangeAnswer?: 'plain' | 'quoted';
  /** How `authorizedparties` writes packages: the code of the source, or the URN of the documentation. */
  packageForm?: 'code' | 'urn';
  /** `authorizedparties` nests `data` one list deeper, as the published example does. */
  nestedData?: boolean;
  /** `links.next` names an internal host, as a published example does; a client must not send its token there. */
  internalHostInNext?: boolean;
  /** Leaves the request when its system user is deleted: Altinn's removal is best effort. */
  keepRequestOfDeletedUser?: boolean;
}

const readSettings = record({
  subscriptionKeys: withDefault(list(text()), []),
  pdpCacheSeconds: withDefault(integer(0), 0),
  pdpCase: withDefault(oneOf('camel', 'pascal'), 'camel'),
  exchangeAnswer: withDefault(oneOf('plain', 'quoted'), 'plain'),
  packageForm: withDefault(oneOf('code', 'urn'), 'code'),
  nestedData: withDefault(flag, false),
  internalHostInNext: withDefault(flag, false),
  keepRequestOfDeletedUser: withDefault(flag, false),
});

export type AltinnSettings = Settings<ReturnType<typeof readSettings>, AltinnSettingsInput>;

export const altinnSettings = (): AltinnSettings => new Settings('altinn', readSettings);
