import { createHash } from 'node:crypto';
import {
  type AltinnState,
  type ChangeRequest,
  type SystemUserRequest,
  isTimedOut,
  resourceIdOf,
} from '../altinn/index.js';
import { type Faults, type LogEntry, isRecord } from '../kernel/index.js';
import type { Right, SystemUser } from '../maskinporten/index.js';
import { wordsOf } from './check-words.js';

/** Newest entries that the page shows. */
const LOG_LENGTH = 150;

const rightView = ({ action, resource }: Right): object => ({ resource: resourceIdOf(resource) ?? '', action });
const rightKey = ({ action, resource }: Right): string => `${resourceIdOf(resource) ?? ''} ${action ?? ''}`;

function requestView(request: SystemUserRequest, altinn: AltinnState): object {
  const { id, systemId, externalRef, userType, integrationTitle, rights, accessPackages, redirectUrl, created } =
    request;
  const system = altinn.systems.get(systemId);
  return {
    id,
    kind: 'request',
    systemId,
    systemName: system?.name?.en ?? integrationTitle ?? systemId,
    vendor: system && { orgno: system.vendor, name: altinn.organisations.nameOf(system.vendor) },
    externalRef: externalRef === request.orgno ? undefined : externalRef,
    userType,
    rights: rights.map(rightView),
    accessPackages: accessPackages.map((urn) => packageView(urn, altinn)),
    redirectUrl,
    created,
    status: isTimedOut(request, altinn.world.clock) ? 'Timedout' : request.status,
  };
}

function changeView(change: ChangeRequest, user: SystemUser, altinn: AltinnState): object {
  const system = altinn.systems.get(user.systemId);
  return {
    id: change.id,
    kind: 'change',
    systemId: user.systemId,
    systemName: system?.name?.en ?? user.systemId,
    vendor: system && { orgno: system.vendor, name: altinn.organisations.nameOf(system.vendor) },
    userType: user.userType,
    rights: change.requiredRights.map(rightView),
    accessPackages: change.requiredAccessPackages.map((urn) => packageView(urn, altinn)),
    unwantedRights: change.unwantedRights.map(rightView),
    unwantedAccessPackages: change.unwantedAccessPackages.map((urn) => packageView(urn, altinn)),
    redirectUrl: change.redirectUrl,
    created: change.created,
    status: isTimedOut(change, altinn.world.clock) ? 'Timedout' : change.status,
  };
}

function packageView(urn: string, altinn: AltinnState): object {
  return { urn, resources: altinn.accessPackage(urn)?.resources ?? [] };
}

/** A system user with everything that could be ticked: what it has, and what its system defines. */
function userView(user: SystemUser, altinn: AltinnState): object {
  const system = altinn.systems.get(user.systemId);
  const rights = new Map([...user.rights, ...(system?.rights ?? [])].map((right) => [rightKey(right), right]));
  const held = new Set(user.rights.map(rightKey));
  const urns = new Set([...user.accessPackages, ...(system?.accessPackages ?? [])]);
  return {
    id: user.id,
    systemId: user.systemId,
    systemName: system?.name?.en ?? user.systemId,
    systemExists: system !== undefined,
    externalRef: user.externalRef === user.orgno ? undefined : user.externalRef,
    userType: user.userType,
    rights: [...rights.values()]
      .toSorted((left, right) => (rightKey(left) < rightKey(right) ? -1 : 1))
      .map((right) => Object.assign(rightView(right), { held: held.has(rightKey(right)) })),
    accessPackages: [...urns]
      .toSorted()
      .map((urn) => Object.assign(packageView(urn, altinn), { held: user.accessPackages.includes(urn) })),
    clients: user.clients.map((orgno) => ({ orgno, name: altinn.organisations.nameOf(orgno) })),
  };
}

function customersView(altinn: AltinnState): readonly object[] {
  const requests = altinn.requests.list();
  const users = altinn.systemUsers.list();
  const changes = altinn.changeRequests.list();
  const organisations = new Set([...requests.map(({ orgno }) => orgno), ...users.map(({ orgno }) => orgno)]);
  return [...organisations].toSorted().map((orgno) => {
    const own = users.filter((user) => user.orgno === orgno);
    return {
      orgno,
      name: altinn.organisations.nameOf(orgno),
      requests: [
        ...requests
          .filter((request) => request.orgno === orgno && request.status !== 'Accepted')
          .map((request) => requestView(request, altinn)),
        ...own.flatMap((user) =>
          changes
            .filter(({ systemUserId, status }) => systemUserId === user.id && status !== 'Accepted')
            .map((change) => changeView(change, user, altinn)),
        ),
      ],
      systemUsers: own.map((user) => userView(user, altinn)),
    };
  });
}

/** For whom a grant or token acts, in words. */
function onBehalfOf(claims: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const details: unknown = claims?.['authorization_details'];
  const entry: unknown = Array.isArray(details) ? details[0] : details;
  const owner: unknown = isRecord(entry) ? entry['systemuser_org'] : undefined;
  return isRecord(owner) && typeof owner['ID'] === 'string' ? owner['ID'].replace('0192:', '') : undefined;
}

function logView(entry: LogEntry): object {
  const { id, at, server, kind, method, path, status, clientId, claims, checks, refusal, fault } = entry;
  return {
    id,
    at,
    server,
    kind,
    method,
    path,
    status,
    clientId,
    scope: typeof claims?.['scope'] === 'string' ? claims['scope'] : undefined,
    onBehalfOf: onBehalfOf(claims),
    refusal,
    fault,
    checks: checks.map(({ check, ok, detail }) => ({ check, ok, words: wordsOf(check, ok), detail })),
    claims,
  };
}

/** Everything that the operator page shows, and a version that changes whenever any of it does. */
export function overview(altinn: AltinnState, faults: Faults): { readonly version: string; readonly body: object } {
  const { log, clock, urls } = altinn.world;
  const body = {
    urls: urls(),
    clients: altinn.maskinporten.clients.views(),
    systems: altinn.systems.views(),
    offsetSeconds: clock.offsetSeconds,
    customers: customersView(altinn),
    faults: faults.list(),
    settings: altinn.settings.current,
    log: log.entries.slice(-LOG_LENGTH).toReversed().map(logView),
  };
  const version = createHash('sha256').update(JSON.stringify(body)).digest('base64url').slice(0, 16);
  return { version, body };
}
