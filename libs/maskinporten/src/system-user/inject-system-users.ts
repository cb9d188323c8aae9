import { Inject, type InjectionToken } from '@nestjs/common';
import { DEFAULT_CLIENT } from '../outbound/index.js';
import { SystemUserService } from './system-user.service.js';

/** Injection token of a client's `SystemUserService`: the class itself for the default client, a symbol for a named one. */
export function getSystemUserServiceToken(name: string = DEFAULT_CLIENT): InjectionToken<SystemUserService> {
  return name === DEFAULT_CLIENT ? SystemUserService : Symbol.for(`SystemUserService(${name})`);
}

/**
 * Injects the `SystemUserService` of a named client.
 *
 * @example constructor(@InjectSystemUsers('payroll') private readonly systemUsers: SystemUserService) {}
 */
export const InjectSystemUsers = (name?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getSystemUserServiceToken(name));
