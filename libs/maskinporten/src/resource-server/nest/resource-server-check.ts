import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { ModuleRef, ModulesContainer, Reflector } from '@nestjs/core';
import { nearestName } from '../../basics/index.js';
import { ConfigurationFailures } from '../../errors/index.js';
import {
  Placement,
  applicationClasses,
  fieldEnhancers,
  isGuardReplaced,
  isHttpRoute,
  type DecoratorUses,
  type FoundUse,
} from '../../handlers/index.js';
import { ResourceServer } from '../verification/resource-server.js';
import { ConsumerPolicy } from './consumer-policy.js';
import { InboundGate } from './inbound-gate.js';
import {
  RequiredAnyScope,
  RequiredConsent,
  RequiredPid,
  RequiredRight,
  RequiredScopes,
  anyScopeUses,
  consentUses,
  pidUses,
  rightUses,
  requirementsOf,
  scopeUses,
} from './requirements.js';
import { RightGate } from './right-gate.js';
import { ResourceServerGuard } from './resource-server.guard.js';

const REMEDY =
  'Put it on a handler (HTTP route, message, GraphQL query, WebSocket message); a transport of others that runs guards is declared with guardedBy';

/** Refuses the start of an application in which a decorator of ours has no effect, or cannot be met. */
@Injectable()
export class ResourceServerCheck implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
    private readonly moduleRef: ModuleRef,
    private readonly server: ResourceServer,
    private readonly gate: InboundGate,
    private readonly rights: RightGate,
  ) {}

  onModuleInit(): void {
    const failures = new ConfigurationFailures();
    this.#checkUses(failures);
    // A unit test that has replaced the guard asks nobody.
    if (!isGuardReplaced(this.modules)) this.#findPolicy(failures);
    failures.throwIfAny();
  }

  /** Again, because other modules may have wrapped methods when they were initialised, of which ours is the first. */
  onApplicationBootstrap(): void {
    const failures = new ConfigurationFailures();
    this.#checkUses(failures);
    failures.throwIfAny();
  }

  #checkUses(failures: ConfigurationFailures): void {
    for (const { where, value } of this.#find('@RequireScope', scopeUses, RequiredScopes.KEY, failures)) {
      this.#checkPrefixes(`@RequireScope on ${where}`, value, failures);
    }
    for (const { where, value } of this.#find('@RequireAnyScope', anyScopeUses, RequiredAnyScope.KEY, failures)) {
      this.#checkPrefixes(`@RequireAnyScope on ${where}`, value, failures);
    }
    for (const use of this.#find('@RequirePid', pidUses, RequiredPid.KEY, failures)) {
      this.#checkAddition('@RequirePid', use, failures);
    }
    for (const use of this.#find('@RequireConsent', consentUses, RequiredConsent.KEY, failures)) {
      this.#checkAddition('@RequireConsent', use, failures);
    }
    for (const use of this.#find('@RequireDelegatedRight', rightUses, RequiredRight.KEY, failures)) {
      this.#checkAddition('@RequireDelegatedRight', use, failures);
      const problem = this.rights.problemOf(use.value);
      if (problem !== undefined) failures.add(`@RequireDelegatedRight on ${use.where}`, problem);
    }
  }

  #find<Value>(
    name: string,
    uses: DecoratorUses<Value>,
    metadataKey: string,
    failures: ConfigurationFailures,
  ): FoundUse<Value>[] {
    const enhancer = { type: ResourceServerGuard, metadataKey: '__guards__', kind: 'guards' } as const;
    const decorator = { name, uses, metadataKey, enhancer, remedy: REMEDY };
    return new Placement(decorator, fieldEnhancers(this.modules), failures).check(applicationClasses(this.modules));
  }

  #checkPrefixes(field: string, scopes: readonly string[], failures: ConfigurationFailures): void {
    const { scopePrefixes } = this.server.settings;
    if (scopePrefixes === undefined) return;
    for (const scope of scopes) {
      if (scopePrefixes.some((prefix) => scope.startsWith(`${prefix}:`))) continue;
      const nearest = nearestName(scope.split(':')[0] ?? '', scopePrefixes);
      const meant = nearest === undefined ? '' : `; did you mean ${nearest}:…?`;
      failures.add(field, `${scope} has none of the prefixes in scopePrefixes (${scopePrefixes.join(', ')})${meant}`);
    }
  }

  /** A person, a consent or a right narrows a scope, and is no access by itself: any token of Maskinporten may have one. */
  #checkAddition(name: string, { where, targets }: FoundUse<unknown>, failures: ConfigurationFailures): void {
    const [method] = targets;
    // What stands on a class is reported for each of its handlers too.
    if (targets.length < 2) return;
    const requirements = requirementsOf(this.reflector, targets as never);
    if (requirements === undefined || requirements.all.length + requirements.any.length === 0) {
      failures.add(
        `${name} on ${where}`,
        'needs @RequireScope or @RequireAnyScope beside it, which say whose API this is',
      );
    }
    if (!isHttpRoute(method)) {
      failures.add(`${name} on ${where}`, 'works on HTTP routes only: check it in the method, from @CurrentConsumer');
    }
  }

  #findPolicy(failures: ConfigurationFailures): void {
    const field = 'ConsumerPolicy';
    let policy: unknown;
    try {
      policy = this.moduleRef.get<unknown>(ConsumerPolicy, { strict: false });
    } catch (error) {
      if (error instanceof Error && error.constructor.name === 'InvalidClassScopeException') {
        failures.add(field, 'must not be request-scoped or transient: the consumer is given to it with each call');
      }
      // It is optional.
      return;
    }
    if (typeof policy !== 'object' || policy === null || typeof Reflect.get(policy, 'mayCall') !== 'function') {
      failures.add(field, 'must have a method mayCall');
      return;
    }
    this.gate.usePolicy(policy as ConsumerPolicy);
  }
}
