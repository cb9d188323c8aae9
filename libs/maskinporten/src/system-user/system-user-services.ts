import { Injectable } from '@nestjs/common';
import { configurationError } from '../errors/index.js';
import type { SystemUserService } from './system-user.service.js';

/** The system of one client. */
export interface RegisteredSystemUsers {
  readonly service: SystemUserService;
  /** The option `altinn.allowAnyCaller`. */
  readonly allowAnyCaller: boolean;
}

/** The systems of one application by the name of their client, so that the guard finds the one a handler means. */
@Injectable()
export class SystemUserServices {
  readonly #services = new Map<string, RegisteredSystemUsers>();

  register(name: string, system: RegisteredSystemUsers): void {
    this.#services.set(name, system);
  }

  unregister(name: string): void {
    this.#services.delete(name);
  }

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) when there is no client of that name */
  get(name: string): RegisteredSystemUsers {
    const found = this.#services.get(name);
    if (found !== undefined) return found;
    throw configurationError([
      {
        field: 'client',
        code: 'MP_CONFIG',
        reason: `@RequireSystemUser needs a client called ${JSON.stringify(name.slice(0, 64))}, and there is none`,
      },
    ]);
  }
}
