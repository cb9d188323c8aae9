import { isPackageUrn, packageCode, type AltinnClient, type RegisteredSystem } from '../altinn/index.js';
import { isMaskinportenError } from '../errors/index.js';
import type { Clock } from '../basics/index.js';
import { AnswerMemory } from './answer-memory.js';

/** `unverified`: nothing that could tell was reachable. */
export type ResourceVerdict = 'known' | 'unknown' | 'unverified';

type Registered = RegisteredSystem | 'not-ours' | 'unreadable';

/** Milliseconds the own entry of the register is used; that it could not be read is not remembered. */
const READABLE_MS = 5 * 60_000;
/** So many resources of the register are tried to find out whether the registry answers at all. */
const PROBES = 3;

/**
 * Tells a mistyped resource from a missing right: Altinn ignores ids it does not know, so that both look alike
 * (Altinn, access management). The own entry in the system register knows most; the open resource registry knows the rest.
 */
export class ResourceCheck {
  readonly #altinn: Pick<AltinnClient, 'register'>;
  readonly #systemId: string;
  readonly #known = new Set<string>();
  readonly #register: AnswerMemory<Registered>;
  #registryAnswers = false;

  constructor(options: { altinn: Pick<AltinnClient, 'register'>; systemId: string; clock: Clock }) {
    this.#altinn = options.altinn;
    this.#systemId = options.systemId;
    this.#register = new AnswerMemory({
      clock: options.clock,
      maxEntries: 1,
      lifetime: (answer) => ({ forMs: answer === 'unreadable' ? 0 : READABLE_MS, negative: true }),
    });
  }

  /** A yes of Altinn about a resource proves that it exists. */
  confirm(resource: string): void {
    this.#known.add(resource);
  }

  async system(): Promise<Registered> {
    return this.#register.get(
      '',
      async (signal) => {
        try {
          return (await this.#altinn.register.get(this.#systemId, signal)) ?? 'not-ours';
        } catch (error) {
          if (isMaskinportenError(error)) return 'unreadable';
          throw error;
        }
      },
      false,
    );
  }

  async check(resource: string): Promise<ResourceVerdict> {
    if (this.#known.has(resource)) return 'known';
    const system = await this.system();
    const registered = typeof system === 'string' ? undefined : system;
    if (registered !== undefined && covers(registered, resource)) {
      this.confirm(resource);
      return 'known';
    }
    if (isPackageUrn(resource)) return registered === undefined ? 'unverified' : 'unknown';
    const exists = await this.#exists(resource);
    if (exists === true) {
      this.confirm(resource);
      return 'known';
    }
    // A resource may come with a package, whose contents the register does not list.
    if (registered !== undefined && registered.accessPackages.length === 0) return 'unknown';
    return exists === false && (await this.#registryIsThere(registered)) ? 'unknown' : 'unverified';
  }

  async #registryIsThere(system: RegisteredSystem | undefined): Promise<boolean> {
    for (const { resource } of system?.rights.slice(0, PROBES) ?? []) {
      if (this.#registryAnswers) break;
      await this.#exists(resource);
    }
    return this.#registryAnswers;
  }

  async #exists(resource: string): Promise<boolean | undefined> {
    try {
      const exists = await this.#altinn.register.knowsResource(resource, AbortSignal.timeout(5_000));
      if (exists === true) this.#registryAnswers = true;
      return exists;
    } catch (error) {
      if (isMaskinportenError(error)) return undefined;
      throw error;
    }
  }
}

function covers({ rights, accessPackages }: RegisteredSystem, resource: string): boolean {
  return isPackageUrn(resource)
    ? accessPackages.some((name) => packageCode(name) === packageCode(resource))
    : rights.some((right) => right.resource === resource);
}
