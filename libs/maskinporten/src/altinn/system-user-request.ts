import { isRecord, isUuid } from '../basics/index.js';
import { parseOrganisationNumber } from '../grants/index.js';
import { checkUrl, type InsecureHosts } from '../http/index.js';
import { unusableAnswer } from './refused-answer.js';
import { readPackages, readRights, type Right } from './right.js';
import { read, readDate, readText } from './wire.js';

/** `New` waits for the customer; all others are final (Altinn, requests). */
export type RequestStatus = 'New' | 'Accepted' | 'Rejected' | 'Denied' | 'TimedOut' | 'NoChangeNeeded';

interface RequestFacts {
  /** UUID. The system user that comes of an accepted request has the same. */
  readonly id: string;
  readonly status: RequestStatus;
  /** Where somebody at the customer approves it. Show it; never build it yourself: the host changes. */
  readonly confirmUrl?: string | undefined;
  readonly redirectUrl?: string | undefined;
  readonly systemId?: string | undefined;
  /** The customer: nine digits. */
  readonly organisation?: string | undefined;
  readonly externalRef?: string | undefined;
  readonly created?: Date | undefined;
}

/** Your ask to one customer for a system user. */
export interface SystemUserRequest extends RequestFacts {
  readonly kind: 'standard' | 'agent';
  readonly rights: readonly Right[];
  /** URNs. */
  readonly accessPackages: readonly string[];
  /** Somebody asked a colleague at the customer to approve it. Not filled when a request is read again. */
  readonly escalated: boolean;
}

/** Your ask to add or remove rights of an existing system user. */
export interface SystemUserChangeRequest extends RequestFacts {
  readonly kind: 'change';
  readonly systemUserId?: string | undefined;
  readonly requiredRights: readonly Right[];
  readonly unwantedRights: readonly Right[];
  readonly requiredAccessPackages: readonly string[];
  readonly unwantedAccessPackages: readonly string[];
}

const STATUSES: Readonly<Record<string, RequestStatus>> = {
  new: 'New',
  accepted: 'Accepted',
  rejected: 'Rejected',
  denied: 'Denied',
  timedout: 'TimedOut',
  nochangeneeded: 'NoChangeNeeded',
};

export const isFinal = (status: RequestStatus): boolean => status !== 'New';

/** @throws TokenResponseUnusableError (`MP_PROTOCOL`) */
export function readRequest(
  what: string,
  json: unknown,
  kind: SystemUserRequest['kind'],
  insecure?: InsecureHosts,
): SystemUserRequest {
  if (!isRecord(json)) throw unusableAnswer(what, 'it is not an object');
  return Object.freeze({
    kind,
    ...readFacts(what, json, insecure),
    rights: readRights(json, 'rights'),
    accessPackages: readPackages(json, 'accessPackages'),
    escalated: read(json, 'escalated') === true,
  });
}

/** @throws TokenResponseUnusableError (`MP_PROTOCOL`) */
export function readChangeRequest(what: string, json: unknown, insecure?: InsecureHosts): SystemUserChangeRequest {
  if (!isRecord(json)) throw unusableAnswer(what, 'it is not an object');
  const systemUserId = readText(json, 'systemUserId');
  return Object.freeze({
    kind: 'change' as const,
    ...readFacts(what, json, insecure),
    systemUserId,
    requiredRights: readRights(json, 'requiredRights'),
    unwantedRights: readRights(json, 'unwantedRights'),
    requiredAccessPackages: readPackages(json, 'requiredAccessPackages'),
    unwantedAccessPackages: readPackages(json, 'unwantedAccessPackages'),
  });
}

function readFacts(what: string, json: Readonly<Record<string, unknown>>, insecure?: InsecureHosts): RequestFacts {
  const id = read(json, 'id');
  if (!isUuid(id)) throw unusableAnswer(what, 'the request has no id');
  const organisation = parseOrganisationNumber(read(json, 'partyOrgNo'));
  const systemId = readText(json, 'systemId');
  const externalRef = readText(json, 'externalRef');
  const redirectUrl = readText(json, 'redirectUrl');
  const confirmUrl = readConfirmUrl(what, readText(json, 'confirmUrl'), insecure);
  const created = readDate(json, 'created');
  return {
    id: id.toLowerCase(),
    status: readStatus(what, json),
    organisation,
    systemId,
    externalRef,
    redirectUrl,
    confirmUrl,
    created,
  };
}

/** The documentation spells a timeout in two ways; current servers leave the status and set a flag instead. */
function readStatus(what: string, json: Readonly<Record<string, unknown>>): RequestStatus {
  const text = readText(json, 'status')?.toLowerCase() ?? '';
  const status = Object.hasOwn(STATUSES, text) ? STATUSES[text] : undefined;
  if (status === undefined) throw unusableAnswer(what, 'the status of the request is not known');
  return status === 'New' && read(json, 'timedOut') === true ? 'TimedOut' : status;
}

/** People will click on it, so it has to be a web address and nothing else. */
function readConfirmUrl(what: string, text: string | undefined, insecure?: InsecureHosts): string | undefined {
  if (text === undefined) return undefined;
  if ('reason' in checkUrl(text, insecure)) throw unusableAnswer(what, 'the link for approval is not an https address');
  return text;
}
