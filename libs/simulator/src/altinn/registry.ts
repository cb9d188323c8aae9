import {
  Collection,
  flag,
  integer,
  list,
  optional,
  organisationNumber,
  record,
  text,
  withDefault,
} from '../kernel/index.js';
import { type Right, accessPackage } from '../maskinporten/index.js';

/** A resource with properties of its own. Resources that a system, a system user or a package names exist too. */
export interface ResourceInput {
  /** Registry id; an app is `app_<org>_<app>`. */
  id: string;
  /** Actions that its policy knows. Default: any. */
  actions?: string[];
  /** Whether a right to it can be delegated. Default true. */
  delegable?: boolean;
  /** Level that the policy demands of anyone, as obligation. Default 2. */
  minimumLevel?: number;
  /** Level that it demands of organisations; goes before `minimumLevel`. Default 3, which system users have. */
  minimumLevelOrg?: number;
  /** Organisations that the resource's access list shuts out: the PDP answers `Deny`. */
  deniedParties?: string[];
  /** Names of the metadata that a consent to it needs, all of them. Default: any are taken. */
  consentMetadata?: string[];
}

const readResource = record({
  id: text(/^\S+$/, 'a resource id without white space'),
  actions: optional(list(text())),
  delegable: withDefault(flag, true),
  minimumLevel: withDefault(integer(0, 4), 2),
  minimumLevelOrg: withDefault(integer(0, 4), 3),
  deniedParties: withDefault(list(organisationNumber), []),
  consentMetadata: optional(list(text())),
});

export type Resource = ReturnType<typeof readResource>;

export const resourceCollection = (): Collection<Resource, ResourceInput> =>
  new Collection({ name: 'resources', read: readResource, key: ({ id }) => id });

/** An access package: what it opens, and to whom it can be given. */
export interface PackageInput {
  /** URN or the code at its end. */
  urn: string;
  resources?: string[];
  /** Whether a standard system user can have it. Default true. */
  assignable?: boolean;
  /** Whether it can be given to an agent for its clients. Default true. */
  delegableToClients?: boolean;
}

const readPackage = record({
  urn: accessPackage,
  resources: withDefault(list(text()), []),
  assignable: withDefault(flag, true),
  delegableToClients: withDefault(flag, true),
});

export type Package = ReturnType<typeof readPackage>;

export const packageCollection = (): Collection<Package, PackageInput> =>
  new Collection({ name: 'accessPackages', read: readPackage, key: ({ urn }) => urn });

/** What the APIs of the simulator ask for, so that nobody has to configure it. */
export const STANDARD_RESOURCES: readonly Resource[] = [
  { id: 'ske-krav-og-betalinger', actions: ['read'] },
  { id: 'ske-innrapportering-amelding' },
  { id: 'nav_sykepenger_inntektsmelding', actions: ['access'] },
  { id: 'nav_sykepenger_sykmelding', actions: ['access'] },
  { id: 'nav_sykepenger_soeknad', actions: ['access'] },
  { id: 'nav_sykepenger_dialog', actions: ['read'] },
].map((resource) => readResource(resource, ''));

/** Packages that Altinn's documentation names; the regnskapsfører package is for clients only, as in Altinn. */
export const STANDARD_PACKAGES: readonly Package[] = [
  { urn: 'lonn', delegableToClients: true },
  { urn: 'a-ordning', resources: ['ske-innrapportering-amelding'] },
  {
    urn: 'lonn-personopplysninger-saerlig-kategori',
    resources: [
      'nav_sykepenger_inntektsmelding',
      'nav_sykepenger_sykmelding',
      'nav_sykepenger_soeknad',
      'nav_sykepenger_dialog',
    ],
  },
  { urn: 'regnskapsforer-lonn', resources: ['ske-innrapportering-amelding'], assignable: false },
].map((entry) => readPackage(entry, ''));

/** The registry id that a right points to; an app may be written as org and app (Altinn, access control). */
export function resourceIdOf(resource: Right['resource']): string | undefined {
  const value = (id: string): string | undefined => resource.find((attribute) => attribute.id === id)?.value;
  const direct = value('urn:altinn:resource');
  if (direct !== undefined) return direct;
  const [org, app] = [value('urn:altinn:org'), value('urn:altinn:app')];
  return org === undefined || app === undefined ? undefined : `app_${org}_${app}`;
}

/** A resource that is only named somewhere, with the defaults of the registry. */
export function unlistedResource(id: string): Resource {
  return readResource({ id }, '');
}

export function unlistedPackage(urn: string): Package {
  return readPackage({ urn }, '');
}
