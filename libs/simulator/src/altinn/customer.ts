import type { Right, SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { resourceIdOf } from './registry.js';
import { type ChangeRequest, type SystemUserRequest, isTimedOut } from './requests.js';

/** An operator's call that cannot be done: unknown thing, or wrong state. */
export class OperatorRefusal extends Error {
  constructor(
    readonly statusCode: 404 | 409,
    message: string,
  ) {
    super(message);
    this.name = 'OperatorRefusal';
  }
}

const PACKAGE_PREFIX = 'urn:altinn:accesspackage:';

const sameRight = (left: Right, right: Right): boolean =>
  left.action === right.action && resourceIdOf(left.resource) === resourceIdOf(right.resource);

/** What the customer does in Altinn's portal, done by the operator of the simulator. */
export class CustomerDesk {
  readonly #altinn: AltinnState;

  constructor(altinn: AltinnState) {
    this.#altinn = altinn;
  }

  /**
   * Approves a request, which makes the system user (with the same id), or a change request, which changes it.
   * @throws OperatorRefusal for an id that is unknown or no longer `New`.
   */
  approve(id: string): void {
    const { request, change } = this.#pending(id);
    if (request !== undefined) {
      const { systemId, orgno, externalRef, rights, accessPackages, userType } = request;
      this.#altinn.systemUsers.addUnknown({
        id: request.id,
        systemId,
        orgno,
        externalRef,
        rights,
        accessPackages,
        userType,
      });
      this.#altinn.requests.addUnknown({ ...request, status: 'Accepted' });
      return;
    }
    const user = this.#user(change.systemUserId);
    this.#replace(user, {
      rights: [
        ...user.rights.filter((held) => !change.unwantedRights.some((unwanted) => sameRight(held, unwanted))),
        ...change.requiredRights.filter((wanted) => !user.rights.some((held) => sameRight(held, wanted))),
      ],
      accessPackages: [
        ...new Set([
          ...user.accessPackages.filter((urn) => !change.unwantedAccessPackages.includes(urn)),
          ...change.requiredAccessPackages,
        ]),
      ],
    });
    this.#altinn.changeRequests.addUnknown({ ...change, status: 'Accepted' });
  }

  /** The customer says no. The request stays, `Rejected`, until the vendor deletes it. */
  reject(id: string): void {
    this.#decide(id, { status: 'Rejected' });
  }

  /**
   * Nobody answered in time. `status` sets `Timedout` as the documentation says; `flag` leaves the status and sets
   * `timedOut`, as the source does.
   */
  timeOut(id: string, form: 'status' | 'flag' = 'status'): void {
    this.#decide(id, form === 'status' ? { status: 'Timedout', timedOut: true } : { timedOut: true });
  }

  /** The customer deletes the system user; its request goes with it. */
  deleteSystemUser(id: string): void {
    this.#user(id);
    this.#altinn.systemUsers.remove(id);
  }

  /** Takes away a right, by resource id and perhaps action, or a whole access package, by its URN. */
  revokeRight(id: string, resource: string, action?: string): void {
    const user = this.#user(id);
    if (resource.startsWith(PACKAGE_PREFIX)) {
      if (!user.accessPackages.includes(resource)) throw new OperatorRefusal(404, `It does not have ${resource}.`);
      this.#replace(user, { accessPackages: user.accessPackages.filter((urn) => urn !== resource) });
      return;
    }
    const rights = user.rights.filter(
      (held) => resourceIdOf(held.resource) !== resource || (action !== undefined && held.action !== action),
    );
    if (rights.length === user.rights.length) {
      throw new OperatorRefusal(404, `It has no right of its own to ${resource}; perhaps through an access package.`);
    }
    this.#replace(user, { rights });
  }

  /** Gives a right or access package (back): as the system defines it, or to the bare resource. */
  grantRight(id: string, resource: string, action?: string): void {
    const user = this.#user(id);
    if (resource.startsWith(PACKAGE_PREFIX)) {
      this.#replace(user, { accessPackages: [...new Set([...user.accessPackages, resource])] });
      return;
    }
    const defined = (this.#altinn.systems.get(user.systemId)?.rights ?? []).filter(
      (right) => resourceIdOf(right.resource) === resource && (action === undefined || right.action === action),
    );
    const bare: Right = { action, resource: [{ id: 'urn:altinn:resource', value: resource }] };
    const added = (defined.length > 0 ? defined : [bare]).filter(
      (wanted) => !user.rights.some((held) => sameRight(held, wanted)),
    );
    this.#replace(user, { rights: [...user.rights, ...added] });
  }

  /** An agent's client administrator adds a client. */
  addClient(id: string, orgno: string): void {
    const user = this.#agent(id);
    this.#replace(user, { clients: [...new Set([...user.clients, orgno])] });
  }

  removeClient(id: string, orgno: string): void {
    const user = this.#agent(id);
    if (!user.clients.includes(orgno)) throw new OperatorRefusal(404, `${orgno} is not a client of it.`);
    this.#replace(user, { clients: user.clients.filter((client) => client !== orgno) });
  }

  /**
   * Gives an agent its packages for its own organisation too; saying so again changes nothing.
   * @throws OperatorRefusal with the code that Altinn's portal gets, for what is not an agent or has packages that only
   * clients can give.
   */
  delegateSelf(id: string): void {
    const user = this.#user(id);
    if (user.userType !== 'agent') throw new OperatorRefusal(409, 'AUTH-00034: the system user is not an agent.');
    const registered = this.#altinn.systems.get(user.systemId)?.accessPackages ?? [];
    if (user.accessPackages.length === 0 || user.accessPackages.some((urn) => !registered.includes(urn))) {
      throw new OperatorRefusal(409, 'AUTH-00063: it has no packages, or one that is not on the system any more.');
    }
    if (user.accessPackages.some((urn) => this.#altinn.accessPackage(urn)?.assignable === false)) {
      throw new OperatorRefusal(409, 'AUTH-00064: one of its packages is for clients only.');
    }
    this.#replace(user, { self: true });
  }

  /** Takes them back. What clients have given stays. */
  revokeSelf(id: string): void {
    const user = this.#user(id);
    if (user.userType !== 'agent') throw new OperatorRefusal(409, 'AUTH-00034: the system user is not an agent.');
    this.#replace(user, { self: false });
  }

  #decide(id: string, decision: Partial<Pick<SystemUserRequest, 'status' | 'timedOut'>>): void {
    const { request, change } = this.#pending(id);
    if (request !== undefined) this.#altinn.requests.addUnknown({ ...request, ...decision });
    else this.#altinn.changeRequests.addUnknown({ ...change, ...decision });
  }

  #pending(id: string): { request: SystemUserRequest; change?: never } | { request?: never; change: ChangeRequest } {
    const request = this.#altinn.requests.get(id);
    const change = this.#altinn.changeRequests.get(id.toLowerCase());
    const found = request ?? change;
    if (found === undefined) throw new OperatorRefusal(404, `There is no request ${id}.`);
    if (found.status !== 'New' || isTimedOut(found, this.#altinn.world.clock)) {
      throw new OperatorRefusal(409, `The request is ${found.status === 'New' ? 'timed out' : found.status}, not New.`);
    }
    if (request !== undefined) return { request };
    if (change !== undefined) return { change };
    throw new OperatorRefusal(404, `There is no request ${id}.`);
  }

  #user(id: string): SystemUser {
    const user = this.#altinn.systemUsers.get(id);
    if (user === undefined) throw new OperatorRefusal(404, `There is no system user ${id}.`);
    return user;
  }

  #agent(id: string): SystemUser {
    const user = this.#user(id);
    if (user.userType !== 'agent') throw new OperatorRefusal(409, 'Only an agent system user has clients.');
    return user;
  }

  #replace(user: SystemUser, changes: Partial<SystemUser>): void {
    this.#altinn.systemUsers.addUnknown({ ...user, ...changes });
  }
}
