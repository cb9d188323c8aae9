import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ConfigurationFailures } from '../errors/index.js';
import { MaskinportenClients } from './maskinporten-clients.js';
import { ScopesMetadata } from './scopes.metadata.js';

/** Refuses the start of an application in which a `@Scopes` names a client that does not exist. */
@Injectable()
export class ScopesCheck implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
    private readonly clients: MaskinportenClients,
  ) {}

  onModuleInit(): void {
    const failures = new ConfigurationFailures();
    for (const { metatype } of [...this.discovery.getControllers(), ...this.discovery.getProviders()]) {
      if (typeof metatype !== 'function' || metatype.prototype === undefined) continue;
      this.#check(metatype, metatype.name, failures);
      for (const name of this.scanner.getAllMethodNames(metatype.prototype as object)) {
        const method: unknown = (metatype.prototype as Record<string, unknown>)[name];
        if (typeof method === 'function') this.#check(method, `${metatype.name}.${name}`, failures);
      }
    }
    failures.throwIfAny();
  }

  #check(target: object, where: string, failures: ConfigurationFailures): void {
    const client = this.reflector.get(ScopesMetadata, target as never)?.client;
    if (client === undefined || this.clients.has(client)) return;
    const known = this.clients.names.map((name) => JSON.stringify(name)).join(', ');
    failures.add(
      `@Scopes on ${where}`,
      `there is no client called ${JSON.stringify(client.slice(0, 64))}; known are ${known === '' ? 'none' : known}`,
    );
  }
}
