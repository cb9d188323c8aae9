import { isPersonNumber, isRecord } from '../kernel/index.js';
import type { Consent, ConsentStatus } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { OperatorRefusal } from './customer.js';
import { trimmed } from './wire.js';

export const ORGANISATION_URN = 'urn:altinn:organization:identifier-no:';
const PERSON_URN = 'urn:altinn:person:identifier-no:';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const REQUIRED = ['id', 'from', 'to', 'validTo', 'consentRights', 'redirectUrl'];

/** Titles are in our words: none of them is published. */
const AM = {
  'AM-00000': [403, 'The consent request is another organisation’s.'],
  'AM-00001': [404, 'The consent request is not found.'],
  'AM-00003': [400, 'The organisation is not known.'],
  'AM-00004': [400, 'The person is not known.'],
  'AM-00005': [400, 'A right must name exactly one resource that consents can be given to.'],
  'AM-00006': [400, 'The resource does not define this metadata.'],
  'AM-00007': [400, 'The metadata is empty.'],
  'AM-00008': [400, 'The resource needs metadata that is missing.'],
  'AM-00016': [400, 'The id is used by a request between other parties.'],
} as const;
export type ConsentCode = keyof typeof AM;
export const consentFault = (code: ConsentCode) => ({ code, status: AM[code][0], title: AM[code][1] });

/** ISO 8601 as Altinn writes it, with an offset. */
const iso = (date: Date): string => date.toISOString().replace('Z', '+00:00');

/** Required members that are absent, and members whose text cannot be used, as ASP.NET lists them. */
export function unreadable(
  body: Readonly<Record<string, unknown>>,
  now: Date,
): Readonly<Record<string, readonly string[]>> {
  const absent = REQUIRED.filter((name) => body[name] === undefined || body[name] === null || body[name] === '');
  const problems = absent.map((name) => [name, [`The ${name} field is required.`]] as const);
  const { id, validTo, redirectUrl, consentRights } = body;
  const wrong = [
    ['id', typeof id !== 'string' || !UUID.test(id)],
    ['validTo', typeof validTo !== 'string' || !(Date.parse(validTo) > now.getTime())],
    [
      'redirectUrl',
      typeof redirectUrl !== 'string' || !/^https?:\/\//i.test(redirectUrl) || !URL.canParse(redirectUrl),
    ],
    ['consentRights', !Array.isArray(consentRights) || consentRights.length === 0],
  ] as const;
  const unusable = wrong.filter(([name, bad]) => bad && !absent.includes(name));
  return Object.fromEntries([
    ...problems,
    ...unusable.map(([name]) => [name, [`The value of ${name} is not valid.`]] as const),
  ]);
}

/** What Altinn knows of consents: the table that Maskinporten asks, and what the customer decides. */
export class ConsentRequests {
  readonly #altinn: AltinnState;

  constructor(altinn: AltinnState) {
    this.#altinn = altinn;
  }

  /** What is wrong with the parties and the rights, or `undefined`. */
  fault(body: Readonly<Record<string, unknown>>): ConsentCode | undefined {
    const from = String(body['from']);
    if (from.startsWith(PERSON_URN)) {
      if (!isPersonNumber(from.slice(PERSON_URN.length))) return 'AM-00004';
    } else if (!from.startsWith(ORGANISATION_URN) || !this.#isRegistered(from)) return 'AM-00003';
    if (!this.#isRegistered(String(body['to']))) return 'AM-00003';
    const rights: readonly unknown[] = Array.isArray(body['consentRights']) ? body['consentRights'] : [];
    for (const right of rights) {
      const code = this.#rightFault(isRecord(right) ? right : {});
      if (code !== undefined) return code;
    }
    return undefined;
  }

  /** Whether the receiver may ask for consents to these resources. */
  mayAsk(to: string, rights: Consent['consentRights']): boolean {
    return resourcesOf(rights).every((id) => this.#altinn.resource(id)?.deniedParties.includes(to) !== true);
  }

  create(body: Readonly<Record<string, unknown>>, handledBy: string | undefined): Consent {
    const { consents } = this.#altinn.maskinporten;
    const { id, from, to, validTo, consentRights, redirectUrl, ...more } = body;
    const members = { id, from, to: String(to).slice(ORGANISATION_URN.length), validTo, consentRights, redirectUrl };
    const [consent] = consents.addUnknown({ ...members, status: 'Created' });
    if (consent === undefined) throw new Error('The consent was not kept.');
    const request = {
      portalViewMode: more['portalViewMode'] ?? 'hide',
      requiredDelegator: more['requiredDelegator'],
      requestMessage: more['requestMessage'],
    };
    const performedBy = `${ORGANISATION_URN}${handledBy ?? members.to}`;
    return consents.record(
      consent,
      { eventType: 'Created', created: this.#now(), performedBy },
      { request, handledBy },
    );
  }

  /** The consent as it is now: one whose time is over gets its event when it is read. */
  find(id: string): Consent | undefined {
    const { consents } = this.#altinn.maskinporten;
    const consent = consents.get(id);
    if (consent === undefined || !['Created', 'Accepted'].includes(consent.status)) return consent;
    const over = Date.parse(consent.validTo ?? '') <= this.#altinn.world.clock.nowMs();
    return over ? this.#move(consent, 'Expired', {}) : consent;
  }

  /** @throws OperatorRefusal for an id that is unknown or in another state. */
  approve(id: string): void {
    this.#move(this.#in(id, 'Created'), 'Accepted', { consented: this.#now() });
  }

  reject(id: string): void {
    this.#move(this.#in(id, 'Created'), 'Rejected', {});
  }

  /** No token from now on; one that was issued lives until it expires. */
  revoke(id: string): void {
    this.#move(this.#in(id, 'Accepted'), 'Revoked', {});
  }

  #in(id: string, status: ConsentStatus): Consent {
    const consent = this.find(id);
    if (consent === undefined) throw new OperatorRefusal(404, `There is no consent ${id}.`);
    if (consent.status !== status) throw new OperatorRefusal(409, `The consent is ${consent.status}, not ${status}.`);
    return consent;
  }

  #move(consent: Consent, status: ConsentStatus, changes: Partial<Consent>): Consent {
    const event = { eventType: status, created: this.#now(), performedBy: consent.from };
    return this.#altinn.maskinporten.consents.record(consent, event, { ...changes, status });
  }

  #now(): string {
    return iso(this.#altinn.world.clock.date());
  }

  #isRegistered(urn: string): boolean {
    return (
      urn.startsWith(ORGANISATION_URN) && this.#altinn.organisations.isRegistered(urn.slice(ORGANISATION_URN.length))
    );
  }

  #rightFault(right: Readonly<Record<string, unknown>>): ConsentCode | undefined {
    const [id, ...others] = resourcesOf([right]);
    const resource = id === undefined || others.length > 0 ? undefined : this.#altinn.resource(id);
    if (resource === undefined) return 'AM-00005';
    const metadata = right['metaData'] ?? right['metadata'];
    const given = isRecord(metadata) ? metadata : {};
    const { consentMetadata: defined } = resource;
    if (defined === undefined) return undefined;
    if (Object.keys(given).some((name) => !defined.includes(name))) return 'AM-00006';
    if (Object.values(given).some((value) => trimmed(value) === undefined)) return 'AM-00007';
    return defined.every((name) => Object.hasOwn(given, name)) ? undefined : 'AM-00008';
  }
}

function resourcesOf(rights: Consent['consentRights']): readonly string[] {
  return (rights ?? []).flatMap(({ resource }) =>
    (Array.isArray(resource) ? resource : []).map((entry: unknown) => (isRecord(entry) ? String(entry['value']) : '')),
  );
}
