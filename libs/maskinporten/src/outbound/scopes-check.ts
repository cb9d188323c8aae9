import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ConfigurationFailures } from '../errors/index.js';
import { Placement, applicationClasses, fieldEnhancers, type CheckedDecorator } from '../handlers/index.js';
import { ClientRegistry } from '../signals/index.js';
import type { OutboundClient } from './outbound-client.js';
import type { DeclaredContext } from './token-context.js';
import { MaskinportenScopesInterceptor } from './scopes.interceptor.js';
import { ScopesMetadata, scopesUses } from './scopes.metadata.js';

const SCOPES: CheckedDecorator<DeclaredContext> = {
  name: '@Scopes',
  uses: scopesUses,
  metadataKey: ScopesMetadata.KEY,
  enhancer: { type: MaskinportenScopesInterceptor, metadataKey: '__interceptors__', kind: 'interceptors' },
  remedy:
    'Put it on a handler (HTTP route, message, GraphQL query, WebSocket message), or open the context yourself with MaskinportenContext.run; a transport of others that runs interceptors is declared with guardedBy',
};

/** Refuses the start of an application in which a `@Scopes` has no effect, or names a client that does not exist. */
@Injectable()
export class ScopesCheck implements OnModuleInit, OnApplicationBootstrap {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly clients: ClientRegistry<OutboundClient>,
  ) {}

  onModuleInit(): void {
    this.#check();
  }

  /** Again, because other modules may have wrapped methods when they were initialised, of which ours is the first. */
  onApplicationBootstrap(): void {
    this.#check();
  }

  #check(): void {
    const failures = new ConfigurationFailures();
    const placement = new Placement(SCOPES, fieldEnhancers(this.modules), failures);
    for (const { where, value } of placement.check(applicationClasses(this.modules))) {
      if (typeof value !== 'function') this.#checkClient(value.client, where, failures);
    }
    failures.throwIfAny();
  }

  #checkClient(client: string | undefined, where: string, failures: ConfigurationFailures): void {
    if (client === undefined || this.clients.has(client)) return;
    const known = this.clients.names.map((name) => JSON.stringify(name)).join(', ');
    failures.add(
      `@Scopes on ${where}`,
      `there is no client called ${JSON.stringify(client.slice(0, 64))}; known are ${known === '' ? 'none' : known}`,
    );
  }
}
