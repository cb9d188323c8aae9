import type { FastifyInstance } from 'fastify';
import type { AnyCollection } from './collection.js';
import type { AnySettings } from './settings.js';
import type { RequestLog } from './request-log.js';
import type { Role } from './role.js';
import type { SimulatorClock } from './simulator-clock.js';

/** Known once the simulator listens; requests come later. Only `issuer` ends in a slash. */
export interface SimulatorUrls {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly platformUrl: string;
  readonly apiUrl: string;
  readonly operatorUrl: string;
  readonly selfServiceUrl: string;
  /** Where a person's browser reaches the pages. */
  readonly browserUrl: string;
}

/** What every half of the simulator shares. */
export interface World {
  readonly clock: SimulatorClock;
  readonly log: RequestLog;
  /** @throws Error before the simulator is ready. */
  readonly urls: () => SimulatorUrls;
  /** Until then every request is answered with 503. */
  readonly isReady: () => boolean;
}

/** One half of the simulator: what it adds to the configuration, to the listeners, and what it forgets on reset. */
export interface SimulatorPart {
  readonly name: string;
  /** Members of the configuration, each also `/operator/api/<name>`. */
  readonly collections?: readonly AnyCollection[];
  /** Groups of switches in the configuration, each also `/operator/api/<name>`. */
  readonly settings?: readonly AnySettings[];
  readonly routes?: Partial<Record<Role, (app: FastifyInstance) => void>>;
  /** Called before the start configuration is applied again. Collections are emptied by the kernel. */
  readonly reset?: () => void;
}
