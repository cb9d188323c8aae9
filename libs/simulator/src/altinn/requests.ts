import { randomUUID } from 'node:crypto';
import {
  Collection,
  type Reader,
  type SimulatorClock,
  flag,
  list,
  oneOf,
  optional,
  organisationNumber,
  record,
  text,
  withDefault,
} from '../kernel/index.js';
import { type AccessPackageInput, type RightInput, accessPackage, right } from '../maskinporten/index.js';

const uuid = text(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID');
const instant = text(/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/, 'an ISO 8601 instant');
const statuses = ['New', 'Accepted', 'Rejected', 'Denied', 'Timedout'] as const;

/** A vendor's ask to one customer. Statuses: Altinn, requests. */
export interface SystemUserRequestInput {
  /** Generated when absent. The system user gets the same id. */
  id?: string;
  systemId: string;
  /** The customer. */
  orgno: string;
  /** Default: the customer's organisation number. */
  externalRef?: string;
  userType?: 'standard' | 'agent';
  integrationTitle?: string;
  rights?: RightInput[];
  accessPackages?: AccessPackageInput[];
  redirectUrl?: string;
  /** Default `New`. */
  status?: (typeof statuses)[number];
  timedOut?: boolean;
  /** ISO 8601. Default: now. */
  created?: string;
}

const requestMembers = record({
  id: optional(uuid),
  systemId: text(),
  orgno: organisationNumber,
  externalRef: optional(text()),
  userType: withDefault(oneOf('standard', 'agent'), 'standard'),
  integrationTitle: optional(text()),
  rights: withDefault(list(right), []),
  accessPackages: withDefault(list(accessPackage), []),
  redirectUrl: optional(text()),
  status: withDefault(oneOf(...statuses), 'New'),
  timedOut: withDefault(flag, false),
  created: optional(instant),
});

function requestReader(clock: SimulatorClock) {
  return (value: unknown, field: string) => {
    const request = requestMembers(value, field);
    return {
      ...request,
      id: request.id?.toLowerCase() ?? randomUUID(),
      externalRef: request.externalRef ?? request.orgno,
      created: request.created ?? clock.date().toISOString(),
    };
  };
}

export type SystemUserRequest = ReturnType<ReturnType<typeof requestReader>>;

/** The requests that Altinn would still find: that of a deleted system user went with it (Altinn, requests). */
export class SystemUserRequests extends Collection<SystemUserRequest, SystemUserRequestInput> {
  readonly #isGone: (request: SystemUserRequest) => boolean;

  constructor(clock: SimulatorClock, isGone: (request: SystemUserRequest) => boolean) {
    super({ name: 'requests', read: requestReader(clock), key: ({ id }) => id });
    this.#isGone = isGone;
  }

  override list(): readonly SystemUserRequest[] {
    return super.list().filter((request) => !this.#isGone(request));
  }

  override get(id: string): SystemUserRequest | undefined {
    const request = super.get(id.toLowerCase());
    return request === undefined || this.#isGone(request) ? undefined : request;
  }
}

/** A vendor's ask to change what a standard system user may do. */
export interface ChangeRequestInput {
  /** The correlation id that the vendor chose. Generated when absent. */
  id?: string;
  systemUserId: string;
  requiredRights?: RightInput[];
  unwantedRights?: RightInput[];
  requiredAccessPackages?: AccessPackageInput[];
  unwantedAccessPackages?: AccessPackageInput[];
  redirectUrl?: string;
  status?: (typeof statuses)[number];
  timedOut?: boolean;
  created?: string;
}

const changeMembers = record({
  id: optional(uuid),
  systemUserId: uuid,
  requiredRights: withDefault(list(right), []),
  unwantedRights: withDefault(list(right), []),
  requiredAccessPackages: withDefault(list(accessPackage), []),
  unwantedAccessPackages: withDefault(list(accessPackage), []),
  redirectUrl: optional(text()),
  status: withDefault(oneOf(...statuses), 'New'),
  timedOut: withDefault(flag, false),
  created: optional(instant),
});

function changeReader(clock: SimulatorClock) {
  return (value: unknown, field: string) => {
    const change = changeMembers(value, field);
    return {
      ...change,
      id: change.id?.toLowerCase() ?? randomUUID(),
      created: change.created ?? clock.date().toISOString(),
    };
  };
}

export type ChangeRequest = ReturnType<ReturnType<typeof changeReader>>;

export const changeRequestCollection = (clock: SimulatorClock): Collection<ChangeRequest, ChangeRequestInput> =>
  new Collection({ name: 'changeRequests', read: changeReader(clock), key: ({ id }) => id });

/** After this long the source sets `timedOut` and leaves the status (Altinn, requests). */
const TIME_OUT_MS = 180 * 24 * 3600 * 1000;

export function isTimedOut(
  request: Pick<SystemUserRequest, 'timedOut' | 'status' | 'created'>,
  clock: SimulatorClock,
): boolean {
  const old = request.status === 'New' && clock.nowMs() - Date.parse(request.created) > TIME_OUT_MS;
  return request.timedOut || request.status === 'Timedout' || old;
}

/** Reads a UUID of the wire; lower case, as they are kept. */
export const readUuid: Reader<string> = (value, field) => uuid(value, field).toLowerCase();
