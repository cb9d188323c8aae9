import { isRecord, isUuid, ownMembers } from '../../basics/index.js';
import { organisationOf } from './organisation-id.js';
import { malformed, TokenRefusal } from './token-refusal.js';

/** The system user that a token was issued to. It proves that the system user exists, not that it may do anything. */
export interface InboundSystemUser {
  /** UUID, for Altinn's PDP. */
  readonly id: string;
  /** The customer that owns the system user: nine digits. The `consumer` of such a token is the vendor. */
  readonly organisation: string;
  /** `<vendor>_<name>`; absent when the token does not say it. */
  readonly systemId?: string;
  readonly externalRef?: string;
}

/** One entry of what was consented to. */
export interface ConsentRight {
  readonly actions: readonly string[];
  readonly resources: readonly { readonly type: string; readonly value: string }[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The consent that a token was issued for, as it was given. Whether it covers a call is for `@RequireConsent`. */
export interface InboundConsent {
  readonly id: string;
  /** Who gave it: `urn:altinn:person:identifier-no:…` or `urn:altinn:organization:identifier-no:…`. */
  readonly from: string;
  /** Who it was given to: nine digits. */
  readonly to: string;
  /** When it was given, as the token says it. */
  readonly consented?: string;
  /** When it ends, in milliseconds since the epoch. */
  readonly validToMs: number;
  readonly rights: readonly ConsentRight[];
}

export interface AuthorizationDetails {
  readonly systemUser?: InboundSystemUser;
  readonly consent?: InboundConsent;
}

type Members = Readonly<Record<string, unknown>>;

const SYSTEM_USER = 'urn:altinn:systemuser';
const CONSENT = 'urn:altinn:consent';
const FROM = /^urn:altinn:(?:person:identifier-no:\d{11}|organization:identifier-no:\d{9})$/;
/** ISO 8601 with an offset; `Date.parse` alone would take a local time, and much that is not a time. */
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads `authorization_details`: Maskinporten writes an array, Altinn's exchange one object, some gateways a JSON text.
 * Entries of other types mean nothing here. A system user that cannot be read refuses the token, because a handler would
 * take it for one of the vendor's own; a consent that cannot be read is no consent.
 *
 * @throws TokenRefusal (`token_malformed`)
 */
export function authorizationDetails(value: unknown): AuthorizationDetails {
  const entries = entriesOf(value);
  const ofType = (type: string): readonly Members[] => entries.filter((entry) => entry['type'] === type);
  const systemUsers = ofType(SYSTEM_USER);
  const consents = ofType(CONSENT);
  if (systemUsers.length > 1) throw malformed('authorization_details names more than one system user.');
  const [systemUser] = systemUsers.map(systemUserOf);
  const consent = consents.length === 1 && consents[0] !== undefined ? consentOf(consents[0]) : undefined;
  return {
    ...(systemUser === undefined ? {} : { systemUser }),
    ...(consent === undefined ? {} : { consent }),
  };
}

function entriesOf(value: unknown): readonly Members[] {
  if (value === undefined) return [];
  const list = typeof value === 'string' ? parsed(value) : value;
  const entries: readonly unknown[] = Array.isArray(list) ? list : [list];
  return entries.map((entry) => {
    if (!isRecord(entry)) throw malformed('authorization_details is not a list of objects.');
    return ownMembers(entry);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed('authorization_details is not JSON.');
  }
}

function systemUserOf(detail: Members): InboundSystemUser {
  const { systemuser_id: ids, systemuser_org: owner, system_id: systemId, externalRef } = detail;
  const all: readonly unknown[] = Array.isArray(ids) ? ids : [ids];
  const [id] = all;
  if (all.length !== 1 || !isUuid(id)) {
    throw malformed('authorization_details does not name one system user by its UUID.');
  }
  const organisation = organisationOf(owner, 'systemuser_org');
  if (organisation === undefined) throw malformed('systemuser_org is not a Norwegian organisation.');
  return Object.freeze({
    id: id.toLowerCase(),
    organisation,
    ...(typeof systemId === 'string' ? { systemId } : {}),
    ...(typeof externalRef === 'string' ? { externalRef } : {}),
  });
}

function consentOf(detail: Members): InboundConsent | undefined {
  const { id, from, to, consented, validTo, consentRights } = detail;
  if (!isUuid(id) || typeof from !== 'string' || !FROM.test(from)) return undefined;
  const receiver = receiverOf(to);
  const validToMs = typeof validTo === 'string' && TIMESTAMP.test(validTo) ? Date.parse(validTo) : Number.NaN;
  if (receiver === undefined || Number.isNaN(validToMs) || !Array.isArray(consentRights)) return undefined;
  const rights = consentRights.map(rightOf);
  if (!rights.every((right) => right !== undefined)) return undefined;
  return Object.freeze({
    id: id.toLowerCase(),
    from,
    to: receiver,
    ...(typeof consented === 'string' ? { consented } : {}),
    validToMs,
    rights: Object.freeze(rights),
  });
}

function receiverOf(to: unknown): string | undefined {
  try {
    return organisationOf(to, 'to');
  } catch (error) {
    if (error instanceof TokenRefusal) return undefined;
    throw error;
  }
}

function rightOf(value: unknown): ConsentRight | undefined {
  if (!isRecord(value)) return undefined;
  const { action, resource, metadata, metaData } = ownMembers(value);
  const actions: readonly unknown[] = Array.isArray(action) ? action : [action];
  if (!actions.every((each) => typeof each === 'string') || !Array.isArray(resource)) return undefined;
  const resources = resource.map(resourceOf);
  const read = metadataOf(metadata ?? metaData);
  if (!resources.every((each) => each !== undefined) || read === undefined) return undefined;
  return Object.freeze({ actions: Object.freeze([...actions]), resources: Object.freeze(resources), metadata: read });
}

function resourceOf(value: unknown): ConsentRight['resources'][number] | undefined {
  if (!isRecord(value)) return undefined;
  const { type, value: id } = ownMembers(value);
  return typeof type === 'string' && typeof id === 'string' ? Object.freeze({ type, value: id }) : undefined;
}

function metadataOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return NO_METADATA;
  if (!isRecord(value)) return undefined;
  const members = ownMembers(value);
  return Object.values(members).every((each) => typeof each === 'string')
    ? (Object.freeze(members) as Readonly<Record<string, string>>)
    : undefined;
}

const NO_METADATA: Readonly<Record<string, string>> = Object.freeze({});
