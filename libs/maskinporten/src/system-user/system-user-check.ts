import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { ModuleRef, ModulesContainer, Reflector } from '@nestjs/core';
import { isPackageUrn, SUBSCRIPTION_FIELD } from '../altinn/index.js';
import { ConfigurationFailures, isMaskinportenError } from '../errors/index.js';
import {
  Placement,
  applicationClasses,
  fieldEnhancers,
  isGuardReplaced,
  type CheckedDecorator,
} from '../handlers/index.js';
import { DEFAULT_CLIENT, ScopesMetadata } from '../outbound/index.js';
import { ClientRegistry } from '../signals/index.js';
import { CallerPolicy } from './caller-policy.js';
import { DelegationGate } from './delegation-gate.js';
import { requirementUses } from './require-system-user.decorator.js';
import { RequirementMetadata, type SystemUserRequirement } from './requirement.js';
import { SystemUserGuard } from './system-user.guard.js';
import type { SystemUserClient } from './system-user-client.js';

const REQUIREMENT: CheckedDecorator<SystemUserRequirement> = {
  name: '@RequireSystemUser',
  uses: requirementUses,
  metadataKey: RequirementMetadata.KEY,
  enhancer: { type: SystemUserGuard, metadataKey: '__guards__', kind: 'guards' },
  remedy:
    'Put it on a handler (HTTP route, message, GraphQL query, WebSocket message), or ask SystemUserService.checkRight in the method; a transport of others that runs guards is declared with guardedBy',
};

interface Use {
  readonly where: string;
  readonly requirement: SystemUserRequirement;
  readonly client: string;
}

/**
 * Refuses the start of an application in which `@RequireSystemUser` cannot work: no effect where it stands, no caller
 * policy, no system, no source of rights, another client's token, or a resource that Altinn does not know.
 */
@Injectable()
export class SystemUserCheck implements OnModuleInit, OnApplicationBootstrap {
  readonly #logger = new Logger('Maskinporten');
  #uses: readonly Use[] = [];

  constructor(
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
    private readonly moduleRef: ModuleRef,
    private readonly clients: ClientRegistry<SystemUserClient>,
    private readonly gate: DelegationGate,
  ) {}

  onModuleInit(): void {
    const failures = new ConfigurationFailures();
    const uses = this.#find(failures);
    // A unit test that has replaced the guard asks nobody.
    if (isGuardReplaced(this.modules)) {
      failures.throwIfAny();
      return;
    }
    this.#uses = uses;
    const requirements = new Map<SystemUserRequirement, Set<string>>();
    const systems = new Map<string, SystemUserClient>();
    const checked = new Set<string>();
    for (const use of this.#uses) {
      if (!checked.has(use.client)) this.#checkClient(use.client, systems, failures);
      checked.add(use.client);
      const clients = requirements.get(use.requirement) ?? new Set();
      // What a class says is said once, however many handlers it covers.
      if (!clients.has(use.client)) this.#checkUse(use, systems.get(use.client), failures);
      requirements.set(use.requirement, clients.add(use.client));
    }
    const needPolicy = [...systems.values()].some(({ allowAnyCaller }) => !allowAnyCaller);
    for (const [name, { allowAnyCaller }] of systems) {
      if (!allowAnyCaller) continue;
      this.#logger.warn(
        `altinn.allowAnyCaller of client ${JSON.stringify(name)} is on: every caller may act for every organisation that has approved the system.`,
      );
    }
    if (needPolicy) this.#findPolicy(failures);
    failures.throwIfAny();
  }

  /** The resources, where Altinn can be asked; what it cannot say now is asked again before a caller hears "no right". */
  async onApplicationBootstrap(): Promise<void> {
    const failures = new ConfigurationFailures();
    // Other modules may have wrapped methods when they were initialised, of which ours is the first.
    this.#find(failures);
    failures.throwIfAny();
    const seen = new Set<string>();
    for (const { where, requirement, client } of this.#uses) {
      const { resource } = requirement;
      const question = JSON.stringify([client, resource]);
      if (seen.has(question)) continue;
      seen.add(question);
      await this.#checkResource(where, resource, client, failures);
    }
    failures.throwIfAny();
  }

  #checkClient(client: string, systems: Map<string, SystemUserClient>, failures: ConfigurationFailures): void {
    try {
      const system = this.clients.get(client);
      if (system.systemUsers.delegations.check.strategy === undefined) {
        failures.add(
          'altinn.rights',
          `choose who is asked about rights: set ${SUBSCRIPTION_FIELD} for the PDP, or name authorized-parties (cannot tell read from write) or accepted-request (what was once approved)`,
        );
      }
      systems.set(client, system);
    } catch (error) {
      if (!isMaskinportenError(error)) throw error;
      failures.addAll(error.failures);
    }
  }

  #checkUse({ where, requirement }: Use, system: SystemUserClient | undefined, failures: ConfigurationFailures): void {
    const field = `@RequireSystemUser on ${where}`;
    const { organisation, resource, party } = requirement;
    if (typeof organisation !== 'function') {
      failures.add(field, 'organisation must be fromParam, fromBody or a function');
    }
    if (typeof resource !== 'string' || !/^[\w.:-]{1,255}$/.test(resource)) {
      failures.add(field, 'resource must be an id of the resource registry');
      return;
    }
    if (system === undefined) return;
    const { check, content } = system.systemUsers.delegations;
    content.need(resource);
    if (check.strategy === 'pdp' && isPackageUrn(resource)) {
      failures.add(field, 'resource is an access package, which the PDP cannot be asked about: name the resource');
    }
    if (check.strategy === 'accepted-request' && party !== undefined) {
      failures.add(field, 'party needs another strategy than accepted-request, which knows nothing about clients');
    }
  }

  #findPolicy(failures: ConfigurationFailures): void {
    const field = 'CallerPolicy';
    let policy: unknown;
    try {
      policy = this.moduleRef.get<unknown>(CallerPolicy, { strict: false });
    } catch (error) {
      const scoped = error instanceof Error && error.constructor.name === 'InvalidClassScopeException';
      failures.add(
        field,
        scoped
          ? 'must not be request-scoped or transient: the execution context is given to it with each call'
          : 'is not provided: say which callers may act for which organisations with { provide: CallerPolicy, useClass: … }, or set altinn.allowAnyCaller',
      );
      return;
    }
    if (typeof policy !== 'object' || policy === null || typeof Reflect.get(policy, 'canActFor') !== 'function') {
      failures.add(field, 'must have a method canActFor');
      return;
    }
    this.gate.usePolicy(policy as CallerPolicy);
  }

  async #checkResource(
    where: string,
    resource: string,
    client: string,
    failures: ConfigurationFailures,
  ): Promise<void> {
    const { check } = this.clients.get(client).systemUsers.delegations;
    const system = await check.resources.system();
    if (system === 'not-ours') {
      failures.add('altinn.systemId', 'is not in Altinn’s system register, or belongs to another organisation');
      return;
    }
    const verdict = await check.resources.check(resource);
    if (verdict === 'unknown') {
      failures.add(
        `@RequireSystemUser on ${where}`,
        `Altinn does not know the resource ${JSON.stringify(resource)} for this system: check the spelling, and register it on the system`,
      );
    }
    if (verdict === 'unverified') {
      this.#logger.warn(
        `The resource ${JSON.stringify(resource)} (@RequireSystemUser on ${where}) could not be verified: neither the system register nor the resource registry could be asked about it.`,
      );
    }
  }

  #find(failures: ConfigurationFailures): Use[] {
    const placement = new Placement(REQUIREMENT, fieldEnhancers(this.modules), failures);
    return placement.check(applicationClasses(this.modules)).map(({ where, value: requirement, targets }) => {
      const declared = this.reflector.getAllAndOverride(ScopesMetadata, targets as never);
      const scopesClient = typeof declared === 'function' ? undefined : declared?.client;
      const client = requirement.client ?? scopesClient ?? DEFAULT_CLIENT;
      if (scopesClient !== undefined && scopesClient !== client) {
        failures.add(
          `@RequireSystemUser on ${where}`,
          `verifies client ${JSON.stringify(client)}, and @Scopes asks for tokens of client ${JSON.stringify(scopesClient)}: name the same client in both`,
        );
      }
      return { where, requirement, client };
    });
  }
}
