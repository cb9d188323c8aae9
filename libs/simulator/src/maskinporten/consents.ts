import {
  Collection,
  type Reader,
  anyRecord,
  list,
  oneOf,
  optional,
  organisationNumber,
  record,
  text,
  withDefault,
} from '../kernel/index.js';

/** A consent, given or asked for, of a person or an organisation. */
export interface ConsentInput {
  id: string;
  /** `urn:altinn:person:identifier-no:…` or `urn:altinn:organization:identifier-no:…` */
  from: string;
  /** Organisation that it is given to. Default: anybody. */
  to?: string;
  /** ISO 8601. Default: a day from when the token is made. */
  validTo?: string;
  /** ISO 8601. Default: an hour before the token is made. */
  consented?: string;
  consentRights?: Record<string, unknown>[];
  /** Default `Accepted`; only that gives a token. */
  status?: ConsentStatus;
  /** Where the browser goes after the answer. */
  redirectUrl?: string;
}

const STATUSES = ['Created', 'Rejected', 'Accepted', 'Revoked', 'Deleted', 'Expired'] as const;
export type ConsentStatus = (typeof STATUSES)[number];

/** Something that happened to a consent, in the order of `sequence`. */
export interface ConsentEvent {
  readonly sequence: number;
  readonly eventType: ConsentStatus | 'Used';
  /** ISO 8601 with offset. */
  readonly created: string;
  readonly performedBy: string;
}

const time = text(/^\d{4}-\d\d-\d\dT/, 'an ISO 8601 time');

const members = record({
  id: text(),
  from: text(/^urn:altinn:(person:identifier-no:\d{11}|organization:identifier-no:\d{9})$/, 'an Altinn party URN'),
  to: optional(organisationNumber),
  validTo: optional(time),
  consented: optional(time),
  consentRights: optional(list(anyRecord)),
  status: withDefault(oneOf(...STATUSES), 'Accepted'),
  redirectUrl: optional(text()),
});

export interface Consent extends ReturnType<typeof members> {
  readonly history: readonly ConsentEvent[];
  /** What the request said beyond that, as it is shown again. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Organisation that asked on behalf of `to`. */
  readonly handledBy: string | undefined;
}

const readConsent: Reader<Consent> = (value, field) => ({
  ...members(value, field),
  history: [],
  request: {},
  handledBy: undefined,
});

/** Ids are UUIDs: capitals count for nothing. */
export class Consents extends Collection<Consent, ConsentInput> {
  #lastSequence = 0;

  constructor() {
    super({ name: 'consents', read: readConsent, key: ({ id }) => id.toLowerCase() });
  }

  override get(key: string): Consent | undefined {
    return super.get(key.toLowerCase());
  }

  /** Notes what happened, and keeps the consent with what has changed. */
  record(consent: Consent, event: Omit<ConsentEvent, 'sequence'>, changes: Partial<Consent> = {}): Consent {
    this.#lastSequence += 1;
    const history = [...consent.history, { ...event, sequence: this.#lastSequence }];
    const changed = { ...consent, ...changes, history };
    this.put(changed);
    return changed;
  }
}
