import { randomUUID } from 'node:crypto';
import {
  Collection,
  type Reader,
  flag,
  isRecord,
  list,
  oneOf,
  optional,
  organisationNumber,
  record,
  refuse,
  text,
  withDefault,
} from '../kernel/index.js';

/** A right to one resource, as Altinn writes it. */
export interface Right {
  readonly action: string | undefined;
  readonly resource: readonly { readonly id: string; readonly value: string }[];
}

/** A text in both Norwegian written languages and English, as Altinn keeps it. */
export interface LocalisedText {
  readonly nb: string;
  readonly nn: string;
  readonly en: string;
}

const localisedText: Reader<LocalisedText> = record({ nb: text(), nn: text(), en: text() });

/** A right may be given as the bare resource id. */
export type RightInput = string | { action?: string; resource: { id: string; value: string }[] };

const rightObject = record({
  action: optional(text()),
  resource: list(record({ id: text(), value: text() })),
});

export const right: Reader<Right> = (value, field) =>
  typeof value === 'string'
    ? { action: undefined, resource: [{ id: 'urn:altinn:resource', value: text()(value, field) }] }
    : rightObject(value, field);

const PACKAGE_PREFIX = 'urn:altinn:accesspackage:';

/** Given as URN, as code, or as Altinn's `{ urn }`; kept as URN. */
export type AccessPackageInput = string | { urn: string };

export const accessPackage: Reader<string> = (value, field) => {
  const urn = text()(isRecord(value) ? value['urn'] : value, field);
  return urn.startsWith(PACKAGE_PREFIX) ? urn : `${PACKAGE_PREFIX}${urn}`;
};

/** An entry of Altinn's system register. */
export interface SystemInput {
  /** `<vendor>_<name>` */
  id: string;
  /** Organisation number of the vendor. */
  vendor: string;
  /** Maskinporten clients that may use the system. */
  clientIds?: string[];
  rights?: RightInput[];
  accessPackages?: AccessPackageInput[];
  allowedRedirectUrls?: string[];
  /** What the customer reads. Default: the id. */
  name?: LocalisedText;
  description?: LocalisedText;
  /** Whether customers may choose the system in the portal themselves. Default true. */
  isVisible?: boolean;
  /** A deleted system keeps its id, and is nobody's. Default false. */
  isDeleted?: boolean;
}

export const readSystem = record({
  id: text(/^[\x21-\x7e\u00c0-\u024f]+$/, 'a system id without white space'),
  vendor: organisationNumber,
  clientIds: withDefault(list(text()), []),
  rights: withDefault(list(right), []),
  accessPackages: withDefault(list(accessPackage), []),
  allowedRedirectUrls: withDefault(list(text(/^https?:\/\/\S+$/, 'an absolute URL')), []),
  name: optional(localisedText),
  description: optional(localisedText),
  isVisible: withDefault(flag, true),
  isDeleted: withDefault(flag, false),
});

export type System = ReturnType<typeof readSystem>;

export const systemCollection = (): Collection<System, SystemInput> =>
  new Collection({
    name: 'systems',
    read: readSystem,
    key: ({ id }) => id,
  });

/** A customer's consent that a system acts for it. */
export interface SystemUserInput {
  /** Generated when absent. */
  id?: string;
  systemId: string;
  /** The organisation that owns the system user. */
  orgno: string;
  /** Default: the owner's organisation number, as Altinn does. */
  externalRef?: string;
  rights?: RightInput[];
  accessPackages?: AccessPackageInput[];
  userType?: 'standard' | 'agent';
  /** Organisation numbers of an agent's clients. */
  clients?: string[];
  /** Whether an agent may use its packages for its own organisation too. Default false. */
  self?: boolean;
}

/** Altinn's grammar for the vendor's own key (Digdir, system user). */
export const EXTERNAL_REF = /^[a-zA-Z0-9øØæÆåÅ_-]{0,255}$/;

const systemUserMembers = record({
  id: optional(text(/^[0-9a-f-]{36}$/i, 'a UUID')),
  systemId: text(),
  orgno: organisationNumber,
  externalRef: optional(text(EXTERNAL_REF, 'at most 255 letters, digits, _ or -')),
  rights: withDefault(list(right), []),
  accessPackages: withDefault(list(accessPackage), []),
  userType: withDefault(oneOf('standard', 'agent'), 'standard'),
  clients: withDefault(list(organisationNumber), []),
  self: withDefault(flag, false),
});

const readSystemUser = (value: unknown, field: string) => {
  const user = systemUserMembers(value, field);
  if (user.userType === 'standard' && user.clients.length > 0) {
    refuse(field === '' ? 'clients' : `${field}.clients`, 'only a system user of type "agent" has clients');
  }
  if (user.userType === 'standard' && user.self) {
    refuse(field === '' ? 'self' : `${field}.self`, 'is for a system user of type "agent"; others always have it');
  }
  return { ...user, id: user.id ?? randomUUID(), externalRef: user.externalRef ?? user.orgno };
};

export type SystemUser = ReturnType<typeof readSystemUser>;

export const systemUserCollection = (): Collection<SystemUser, SystemUserInput> =>
  new Collection({ name: 'systemUsers', read: readSystemUser, key: ({ id }) => id });
