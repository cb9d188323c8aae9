import { Collection, anyRecord, list, optional, record, text } from '../kernel/index.js';

/** A consent that a person or an organisation has given in Altinn. */
export interface ConsentInput {
  id: string;
  /** `urn:altinn:person:identifier-no:…` or `urn:altinn:organization:identifier-no:…` */
  from: string;
  /** ISO 8601. Default: a day from when the token is made. */
  validTo?: string;
  /** ISO 8601. Default: an hour before the token is made. */
  consented?: string;
  consentRights?: Record<string, unknown>[];
}

const readConsent = record({
  id: text(),
  from: text(/^urn:altinn:(person:identifier-no:\d{11}|organization:identifier-no:\d{9})$/, 'an Altinn party URN'),
  validTo: optional(text(/^\d{4}-\d\d-\d\dT/, 'an ISO 8601 time')),
  consented: optional(text(/^\d{4}-\d\d-\d\dT/, 'an ISO 8601 time')),
  consentRights: optional(list(anyRecord)),
});

export type Consent = ReturnType<typeof readConsent>;

export const consentCollection = (): Collection<Consent, ConsentInput> =>
  new Collection({ name: 'consents', read: readConsent, key: ({ id }) => id });
