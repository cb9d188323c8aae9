import { isUuid } from '../basics/index.js';
import { parseOrganisationNumber } from '../grants/index.js';
import { unusableAnswer } from './refused-answer.js';
import { read, readDate, readText, type WireRecord } from './wire.js';

/**
 * A system user that exists now: a machine identity owned by a customer and tied to your system. It says nothing about
 * rights: Altinn's model of it has none (Altinn, system users).
 */
export interface SystemUser {
  /** UUID; for one that came from a request, the id of that request. */
  readonly id: string;
  readonly systemId?: string | undefined;
  /** The customer that owns it; for an agent the accountant or auditor, not its client. Nine digits. */
  readonly organisation: string;
  /** The customer's organisation number unless it was created with another. */
  readonly externalRef: string;
  /** `agent`: acts for the clients of its owner. */
  readonly userType: 'standard' | 'agent';
  readonly title?: string | undefined;
  readonly created?: Date | undefined;
}

/**
 * @returns undefined for one that is deleted
 * @throws TokenResponseUnusableError (`MP_PROTOCOL`)
 */
export function readSystemUser(what: string, record: WireRecord): SystemUser | undefined {
  if (read(record, 'isDeleted') === true) return undefined;
  const id = read(record, 'id');
  const organisation = parseOrganisationNumber(read(record, 'reporteeOrgNo'));
  const userType = readText(record, 'userType')?.toLowerCase();
  if (!isUuid(id)) throw unusableAnswer(what, 'the system user has no id');
  if (organisation === undefined) throw unusableAnswer(what, 'the system user has no owner');
  if (userType !== 'standard' && userType !== 'agent') {
    throw unusableAnswer(what, 'the system user is of a type that is not known');
  }
  const systemId = readText(record, 'systemId');
  const title = readText(record, 'integrationTitle');
  const created = readDate(record, 'created');
  return Object.freeze({
    id: id.toLowerCase(),
    organisation,
    externalRef: readText(record, 'externalRef') ?? organisation,
    userType,
    systemId,
    title,
    created,
  });
}
