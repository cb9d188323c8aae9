import { randomUUID } from 'node:crypto';
import type { World } from '../kernel/index.js';
import { type MaskinportenState, SigningKeys, type System, type SystemUser } from '../maskinporten/index.js';
import { altinnSettings } from './altinn-settings.js';
import { Organisations } from './organisations.js';
import {
  type Package,
  type Resource,
  STANDARD_PACKAGES,
  STANDARD_RESOURCES,
  packageCollection,
  resourceCollection,
  resourceIdOf,
  unlistedPackage,
  unlistedResource,
} from './registry.js';
import { SystemUserRequests, changeRequestCollection } from './requests.js';

/** What Altinn keeps of a thing beside what was configured. */
export interface Facts {
  /** Order of creation; the cursor of lists. */
  readonly sequence: number;
  /** ISO 8601. */
  readonly created: string;
  /** Altinn's own UUID of a system. */
  readonly internalId: string;
}

export interface SystemChange {
  readonly changeType: string;
  /** What was sent, as .NET wrote it; `undefined` for a deletion. */
  readonly changedData: unknown;
  readonly clientId: string | undefined;
  readonly orgno: string | undefined;
  readonly created: string;
}

const ALTINN_KEY_BITS = 2048;

/** Everything that Altinn knows. Systems and system users are the tables that Maskinporten asks, too. */
export class AltinnState {
  readonly world: World;
  readonly maskinporten: MaskinportenState;
  readonly organisations = new Organisations();
  readonly resources = resourceCollection();
  readonly accessPackages = packageCollection();
  readonly requests: SystemUserRequests;
  readonly changeRequests;
  readonly settings = altinnSettings();
  /** Signs exchanged tokens. */
  readonly signingKeys = new SigningKeys(ALTINN_KEY_BITS);
  /** What the PDP last saw of a system user, and when (milliseconds). */
  readonly pdpCache = new Map<string, { readonly user: SystemUser | undefined; readonly atMs: number }>();
  readonly #facts = new Map<string, Facts>();
  readonly #changes = new Map<string, SystemChange[]>();

  constructor(maskinporten: MaskinportenState) {
    this.maskinporten = maskinporten;
    this.world = maskinporten.world;
    const { clock } = this.world;
    this.requests = new SystemUserRequests(
      clock,
      ({ status, id }) =>
        status === 'Accepted' &&
        this.systemUsers.get(id) === undefined &&
        !this.settings.current.keepRequestOfDeletedUser,
    );
    this.changeRequests = changeRequestCollection(clock);
  }

  get systems(): MaskinportenState['systems'] {
    return this.maskinporten.systems;
  }

  get systemUsers(): MaskinportenState['systemUsers'] {
    return this.maskinporten.systemUsers;
  }

  get issuer(): string {
    return `${this.world.urls().platformUrl}/authentication/api/v1/openid/`;
  }

  /** Forgets what is not in a list. */
  reset(): void {
    this.pdpCache.clear();
    this.#facts.clear();
    this.#changes.clear();
  }

  /** The facts of a system or system user; fixed when Altinn first needs them. */
  factsOf(kind: 'system' | 'systemUser', id: string): Facts {
    // In the order of the table, so that sequence numbers follow creation although they are given late.
    const ids = kind === 'system' ? this.systems.list() : this.systemUsers.list();
    for (const known of [...ids.map((item) => item.id), id]) {
      const key = `${kind} ${known}`;
      if (!this.#facts.has(key)) {
        const created = this.world.clock.date().toISOString();
        this.#facts.set(key, { sequence: this.#facts.size + 1, created, internalId: randomUUID() });
      }
    }
    const facts = this.#facts.get(`${kind} ${id}`);
    if (facts === undefined) throw new Error(`No facts about ${kind} ${id}`);
    return facts;
  }

  /** Newest first. */
  changesOf(systemId: string): readonly SystemChange[] {
    return this.#changes.get(systemId) ?? [];
  }

  recordChange(systemId: string, change: Omit<SystemChange, 'created'>): void {
    const created = this.world.clock.date().toISOString();
    this.#changes.set(systemId, [{ ...change, created }, ...this.changesOf(systemId)]);
  }

  /** A vendor's own system; others' and deleted ones do not exist for it outside the register. */
  systemOf(vendor: string | undefined, systemId: string): System | undefined {
    const system = this.systems.get(systemId);
    return system?.vendor === vendor && system?.isDeleted === false ? system : undefined;
  }

  findSystemUser(systemId: string, orgno: string, externalRef: string): SystemUser | undefined {
    return this.systemUsers
      .list()
      .find((user) => user.systemId === systemId && user.orgno === orgno && user.externalRef === externalRef);
  }

  /** A resource of the registry, or `undefined` for an id that nobody registered. */
  resource(id: string): Resource | undefined {
    const listed = this.resources.get(id) ?? STANDARD_RESOURCES.find((candidate) => candidate.id === id);
    if (listed !== undefined) return listed;
    const named =
      [...this.systems.list(), ...this.systemUsers.list()].some(({ rights }) =>
        rights.some(({ resource }) => resourceIdOf(resource) === id),
      ) || this.#packages().some(({ resources }) => resources.includes(id));
    return named ? unlistedResource(id) : undefined;
  }

  accessPackage(urn: string): Package | undefined {
    const listed = this.#packages().find((candidate) => candidate.urn === urn);
    if (listed !== undefined) return listed;
    const named = [...this.systems.list(), ...this.systemUsers.list()].some(({ accessPackages }) =>
      accessPackages.includes(urn),
    );
    return named ? unlistedPackage(urn) : undefined;
  }

  #packages(): readonly Package[] {
    const own = this.accessPackages.list();
    return [...own, ...STANDARD_PACKAGES.filter(({ urn }) => this.accessPackages.get(urn) === undefined)];
  }
}
