import type { Right } from '../altinn/index.js';
import { createError } from '../errors/index.js';
import type { ResourceCheck } from '../rights/index.js';

export interface NeededRights {
  readonly rights: readonly Right[];
  readonly accessPackages: readonly string[];
}

/** What a customer is asked for when the caller does not say it: what the application needs, and no more. */
export class RequestContent {
  readonly #resources: ResourceCheck;
  readonly #needed = new Set<string>();

  constructor(resources: ResourceCheck) {
    this.#resources = resources;
  }

  /** A handler needs this resource. */
  need(resource: string): void {
    this.#needed.add(resource);
  }

  /**
   * The rights as they are registered on the system, because a request has to be a part of that; resources that are not
   * registered as such come with the system's packages. An agent is asked for packages only.
   *
   * @throws TokenRequestInvalidError (`MP_REQUEST`) when nothing is known
   */
  async needed(agent: boolean): Promise<NeededRights> {
    const system = await this.#resources.system();
    const needed = [...this.#needed];
    if (typeof system === 'string') {
      if (!agent && needed.length > 0) {
        return { rights: needed.map((resource) => ({ resource })), accessPackages: [] };
      }
      throw createError('MP_REQUEST', {
        message: 'Say which rights or access packages to ask for: the system register could not be read.',
        field: agent ? 'accessPackages' : 'rights',
      });
    }
    if (agent) return { rights: [], accessPackages: system.accessPackages };
    if (needed.length === 0) return { rights: system.rights, accessPackages: system.accessPackages };
    const rights = system.rights.filter(({ resource }) => this.#needed.has(resource));
    const covered = new Set(rights.map(({ resource }) => resource));
    const viaPackages = needed.some((resource) => !covered.has(resource));
    return { rights, accessPackages: viaPackages ? system.accessPackages : [] };
  }
}
