import { isRecord } from '../basics/index.js';
import { read, readList, readRecords, readText, type WireRecord } from './wire.js';

/** What the PDP said, brought down to the three things a caller can do about it. */
export type PdpDecision =
  | { readonly outcome: 'permit' }
  /** A clear no: the right does not exist (`NotApplicable`), or is denied (`Deny`). */
  | { readonly outcome: 'no'; readonly decision: 'Deny' | 'NotApplicable' }
  /** No answer: never a yes, and not a no either. */
  | { readonly outcome: 'unknown'; readonly reason: string };

/** Authentication level of everything that comes from Maskinporten (Altinn, access control). */
const OUR_LEVEL = 3;
const LEVEL_FOR_ORGANISATIONS = 'urn:altinn:minimum-authenticationlevel-org';
const LEVEL = 'urn:altinn:minimum-authenticationlevel';
/** A status code is a URN of XACML or Altinn; it goes into logs. */
const STATUS = /^[\w:.-]{1,120}$/;

const unknown = (reason: string): PdpDecision => ({ outcome: 'unknown', reason });

/**
 * Reads the answer to `count` questions. The PDP turns every fault into HTTP 200, and one faulty part makes the whole
 * answer a single `Indeterminate`, so the number of results is part of the answer (F-80, F-81).
 */
export function readPdpAnswer(json: unknown, count: number): readonly PdpDecision[] {
  const results = isRecord(json) ? readList(json, 'response') : undefined;
  const all = (decision: PdpDecision): PdpDecision[] => Array.from({ length: count }, () => decision);
  if (results === undefined) return all(unknown('there is no list of results'));
  if (results.length !== count) {
    const alone = results.length === 1 ? decide(results[0]) : undefined;
    const reason = alone?.outcome === 'unknown' ? `, ${alone.reason}` : '';
    return all(unknown(`${results.length} results for ${count} questions${reason}`));
  }
  return results.map(decide);
}

function decide(result: unknown): PdpDecision {
  if (!isRecord(result)) return unknown('a result is not an object');
  const decision = read(result, 'decision');
  switch (decision) {
    case 'Permit':
      return checkObligations(result);
    case 'Deny':
    case 'NotApplicable':
      return { outcome: 'no', decision };
    case 'Indeterminate':
      return unknown(`Indeterminate (${statusOf(result)})`);
    default:
      return unknown('the decision is not one of XACML');
  }
}

/** A Permit counts only when everything it demands is met; a demand that is not understood is not met (XACML 3.0 §7.18). */
function checkObligations(result: WireRecord): PdpDecision {
  const raw = read(result, 'obligations');
  if (raw !== undefined && !Array.isArray(raw)) return unknown('the obligations of the Permit cannot be read');
  const levels = new Map<string, number[]>();
  for (const obligation of raw ?? []) {
    const assignments = isRecord(obligation) ? readRecords(obligation, 'attributeAssignment') : [];
    if (assignments.length === 0) return unknown('an obligation of the Permit says nothing');
    for (const assignment of assignments) {
      const category = readText(assignment, 'category');
      const value = read(assignment, 'value');
      const level = typeof value === 'string' && /^\d{1,3}$/.test(value) ? Number(value) : value;
      if (category !== LEVEL && category !== LEVEL_FOR_ORGANISATIONS) {
        return unknown('the Permit demands something that is not understood');
      }
      if (typeof level !== 'number' || !Number.isInteger(level)) return unknown('a demanded level cannot be read');
      levels.set(category, [...(levels.get(category) ?? []), level]);
    }
  }
  const demanded = Math.max(0, ...(levels.get(LEVEL_FOR_ORGANISATIONS) ?? levels.get(LEVEL) ?? []));
  return demanded <= OUR_LEVEL
    ? { outcome: 'permit' }
    : unknown(`the Permit demands authentication level ${demanded}, and a machine has ${OUR_LEVEL}`);
}

function statusOf(result: WireRecord): string {
  const status = read(result, 'status');
  const code = isRecord(status) ? read(status, 'statusCode') : undefined;
  const value = isRecord(code) ? readText(code, 'value') : undefined;
  return value !== undefined && STATUS.test(value) ? value : 'no status';
}
