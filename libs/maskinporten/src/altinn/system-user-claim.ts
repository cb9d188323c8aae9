import { isRecord } from '../basics/index.js';
import { parseOrganisationNumber } from '../grants/index.js';
import { read, readRecords, type WireRecord } from './wire.js';

/** The system user that a token speaks for. */
export interface SystemUserClaim {
  /** Owner of the system user; undefined when the claim does not say it in a form we know. */
  readonly organisation: string | undefined;
}

/**
 * Reads `authorization_details`: Maskinporten writes an array, Altinn's exchange an object, and some gateways a JSON
 * text (Altinn, use of the token). Undefined when the token is no system user's.
 */
export function systemUserOf(claims: WireRecord): SystemUserClaim | undefined {
  const details = listOf(Object.hasOwn(claims, 'authorization_details') ? claims['authorization_details'] : undefined);
  const detail = details.find((entry) => read(entry, 'type') === 'urn:altinn:systemuser');
  if (detail === undefined) return undefined;
  const owner = read(detail, 'systemuser_org');
  return { organisation: isRecord(owner) ? parseOrganisationNumber(read(owner, 'ID')) : undefined };
}

function listOf(value: unknown): readonly WireRecord[] {
  if (typeof value === 'string') return listOf(parsed(value));
  if (Array.isArray(value)) return readRecords({ list: value }, 'list');
  return isRecord(value) ? [value] : [];
}

/** A text that holds a text again is nothing we know. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? undefined : value;
  } catch {
    return undefined;
  }
}
