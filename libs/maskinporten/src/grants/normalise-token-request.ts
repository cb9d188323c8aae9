import { isRecord, isUuid } from '../basics/index.js';
import { createError, type Failure } from '../errors/index.js';
import { isExternalRef } from './external-ref.js';
import { NormalisedTokenRequest, type CheckedParts } from './normalised-token-request.js';
import { parseOrganisationNumber } from './organisation-number.js';
import { isPersonNumber } from './person-number.js';
import { copyOf, parseScopes, type ScopesResult } from './scope.js';
import type { TokenRequestInput } from './token-request.js';

/** What is known about the client and decides whether a request can work at all. */
export interface RequestContext {
  /** The organisation that owns the client, when known: it cannot be its own `consumerOrg` (Digdir, delegation). */
  readonly ownOrganisation?: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;
type Report = (field: string, reason: string) => void;

const REQUEST_FIELDS = ['scopes', 'resource', 'consumerOrg', 'systemUser', 'consent', 'pid', 'exchange'];
/** Absolute URI (RFC 3986 characters) without fragment. */
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[\w\-.~:/?[\]@!$&'()*+,;=%]+$/;
const CONSENT_FROM = /^urn:altinn:(person|organization):identifier-no:(\d{9}|\d{11})$/;

/**
 * Checks a token request and brings it into its one canonical form. Nothing is sent before this has passed.
 * Only own properties are read, each once: neither a polluted prototype (T-66) nor a getter that changes its mind
 * between check and use (T-51) gets a value past it.
 *
 * @throws TokenRequestInvalidError (`MP_REQUEST`) naming every wrong field.
 * @example normaliseTokenRequest({ scopes: 'b a a' }).scope // 'a b'
 */
export function normaliseTokenRequest(input: TokenRequestInput, context: RequestContext = {}): NormalisedTokenRequest {
  if (NormalisedTokenRequest.is(input)) return checkOwnOrganisation(input, context);
  const failures: Failure[] = [];
  const report: Report = (field, reason) => failures.push({ field, code: 'MP_REQUEST', reason });
  const fields = fieldsOf(
    typeof input === 'string' || Array.isArray(input) ? { scopes: input } : input,
    REQUEST_FIELDS,
    '',
    report,
  );
  const parts = fields && checkFields(fields, report);
  if (failures.length > 0) throw requestError(failures);
  return checkOwnOrganisation(new NormalisedTokenRequest(parts as CheckedParts), context);
}

/** The parts of a request, to be used only when nothing was reported. */
function checkFields(fields: Fields, report: Report): Partial<CheckedParts> {
  const scopes = checkScopes(fields['scopes'], report);
  const resource = checkResource(fields['resource'], report);
  const consumerOrg = checkOrganisation(fields['consumerOrg'], 'consumerOrg', report);
  const systemUser = checkSystemUser(fields['systemUser'], report);
  const consent = checkConsent(fields['consent'], report);
  const { pid, exchange } = fields;
  if (pid !== undefined && !isPersonNumber(pid)) report('pid', 'must be 11 digits with valid check digits');
  if (exchange !== undefined && exchange !== 'altinn') report('exchange', "must be 'altinn' when present");
  if (systemUser !== undefined && consent !== undefined) {
    report('consent', 'cannot be combined with systemUser: a token has one element of authorization_details');
  }
  return { scopes, resource, consumerOrg, systemUser, consent, pid, exchange } as Partial<CheckedParts>;
}

/** Asked of the result itself: `in` would also look at a polluted prototype. */
const isRefused = (result: ScopesResult): result is { readonly reason: string } => Object.hasOwn(result, 'reason');

function checkScopes(value: unknown, report: Report): readonly string[] | undefined {
  const result = parseScopes(value);
  if (!isRefused(result)) return result.scopes;
  report('scopes', result.reason);
  return undefined;
}

function checkResource(value: unknown, report: Report): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const list = copyOf(value) ?? [value];
  if (list.length === 0) {
    report('resource', 'must name at least one URI when present');
    return undefined;
  }
  for (const uri of list) {
    if (typeof uri !== 'string' || !ABSOLUTE_URI.test(uri) || !URL.canParse(uri)) {
      report('resource', 'must be an absolute URI without fragment');
      return undefined;
    }
  }
  return [...new Set(list as string[])].toSorted();
}

function checkOrganisation(value: unknown, field: string, report: Report): string | undefined {
  if (value === undefined) return undefined;
  const organisation = parseOrganisationNumber(value);
  if (organisation === undefined) {
    report(
      field,
      'must be a Norwegian organisation number: a string of nine digits that pass modulus 11, with or without 0192:',
    );
  }
  return organisation;
}

function checkSystemUser(value: unknown, report: Report): object | undefined {
  if (value === undefined) return undefined;
  const fields = fieldsOf(value, ['organisation', 'externalRef'], 'systemUser', report);
  if (fields === undefined) return undefined;
  const { externalRef } = fields;
  if (fields['organisation'] === undefined) report('systemUser.organisation', 'is required');
  const organisation = checkOrganisation(fields['organisation'], 'systemUser.organisation', report);
  if (externalRef !== undefined && !isExternalRef(externalRef)) {
    report('systemUser.externalRef', 'must be 1 to 255 of the characters a-z, A-Z, 0-9, æøå, ÆØÅ, _ and -');
  }
  return { organisation, externalRef };
}

function checkConsent(value: unknown, report: Report): object | undefined {
  if (value === undefined) return undefined;
  const fields = fieldsOf(value, ['id', 'from'], 'consent', report);
  if (fields === undefined) return undefined;
  const { id, from } = fields;
  if (!isUuid(id)) report('consent.id', 'must be a UUID');
  const match = typeof from === 'string' ? CONSENT_FROM.exec(from) : null;
  const number = match?.[2];
  const known =
    match?.[1] === 'person'
      ? isPersonNumber(number)
      : number !== undefined && parseOrganisationNumber(number) === number;
  if (!known) {
    report(
      'consent.from',
      'must be urn:altinn:person:identifier-no:<11 digits> or urn:altinn:organization:identifier-no:<9 digits>',
    );
  }
  return { id, from };
}

/** Own fields of an object, read once; a field we do not know would otherwise be ignored in silence, typing errors included. */
function fieldsOf(value: unknown, known: readonly string[], path: string, report: Report): Fields | undefined {
  if (!isRecord(value)) {
    report(path === '' ? 'request' : path, 'must be an object');
    return undefined;
  }
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, content] of Object.entries(value)) {
    if (known.includes(name)) fields[name] = content;
    else if (content !== undefined)
      report(join(path, name), `is not a field of a token request; known are ${known.join(', ')}`);
  }
  return fields;
}

const join = (path: string, name: string): string => {
  const printable = /^[\w.-]{1,64}$/.test(name) ? name : '(unprintable)';
  return path === '' ? printable : `${path}.${printable}`;
};

function checkOwnOrganisation(request: NormalisedTokenRequest, context: RequestContext): NormalisedTokenRequest {
  if (request.consumerOrg !== undefined && request.consumerOrg === context.ownOrganisation) {
    throw requestError([
      {
        field: 'consumerOrg',
        code: 'MP_REQUEST',
        reason: 'is the organisation that owns the client: leave it out when you act for yourself',
      },
    ]);
  }
  return request;
}

function requestError(failures: readonly Failure[]): Error {
  const list = failures.map(({ field, reason }) => `${field}: ${reason}`).join('; ');
  return createError('MP_REQUEST', { message: `The token request is not valid, nothing was sent. ${list}`, failures });
}
