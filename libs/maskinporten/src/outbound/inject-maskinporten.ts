import { Inject, type InjectionToken } from '@nestjs/common';
import { MaskinportenTokenService } from '../tokens/index.js';
import { DEFAULT_CLIENT } from './outbound-client.js';

/**
 * Injection token of a client's token service: the class itself for the default client, a symbol for a named one.
 *
 * @example { provide: Reports, inject: [getMaskinportenToken('reporting')], useFactory: (tokens) => new Reports(tokens) }
 */
export function getMaskinportenToken(name: string = DEFAULT_CLIENT): InjectionToken<MaskinportenTokenService> {
  return name === DEFAULT_CLIENT ? MaskinportenTokenService : Symbol.for(`MaskinportenTokenService(${name})`);
}

/**
 * Injects the token service of a named client.
 *
 * @example constructor(@InjectMaskinporten('payroll') private readonly tokens: MaskinportenTokenService) {}
 */
export const InjectMaskinporten = (name?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getMaskinportenToken(name));
