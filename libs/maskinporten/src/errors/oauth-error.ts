import { isRecord } from '../basics/index.js';
import { createError } from './create-error.js';
import type { MaskinportenError, OAuthErrorName } from './maskinporten-error.js';
import { refusalOf } from './refusal.js';
import { sanitiseText } from './sanitise-text.js';

/** Digdir's page on what each code means. */
export const TROUBLESHOOTING_URL = 'https://docs.digdir.no/docs/Maskinporten/maskinporten_feilsoking';
const SYSTEM_USER_TROUBLESHOOTING_URL =
  'https://docs.altinn.studio/en/authorization/guides/system-vendor/system-user/troubleshooting/';

const KNOWN_ERRORS: ReadonlySet<string> = new Set<OAuthErrorName>([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'invalid_authorization_details',
  'unauthorized_client',
  'unsupported_grant_type',
  'access_denied',
  'forbidden',
  'invalid_altinn_customer_configuration',
  'server_error',
  'temporarily_unavailable',
]);

/** The code is the last path segment of `error_uri`; Altinn spells one with an underscore (Digdir, troubleshooting). */
const MP_CODE = /MP[-_](\d{3})(?!\d)/;
/** Newer answers say `trace_id`, older ones `correlation id`. */
const TRACE_ID = /(?:trace_id|correlation id):\s*([0-9a-f-]{16,36})\b/i;

/** True when a parsed body has the shape of an OAuth error (RFC 6749 §5.2): an object with a text in `error`. */
export function isOAuthErrorBody(body: unknown): body is Record<string, unknown> & { error: string } {
  return isRecord(body) && Object.hasOwn(body, 'error') && typeof body['error'] === 'string';
}

/** What an OAuth error answer says, cleaned: safe in an error whatever the server wrote. */
export interface OAuthFacts {
  readonly oauthError: OAuthErrorName;
  readonly mpCode: string | undefined;
  readonly description: string | undefined;
  readonly traceId: string | undefined;
}

/** @param secrets what was sent and must not be echoed, such as the assertion */
export function oauthFacts(body: Record<string, unknown> & { error: string }, secrets: readonly string[]): OAuthFacts {
  const own = (name: string): unknown => (Object.hasOwn(body, name) ? body[name] : undefined);
  // Skyporten writes "error description" with a space (Digdir, troubleshooting): be liberal in what is read.
  const description = own('error_description') ?? own('error description');
  const digits = matchOf(MP_CODE, own('error_uri') ?? own('error uri')) ?? matchOf(MP_CODE, description);
  return {
    oauthError: isKnownError(body.error) ? body.error : 'unknown_error',
    mpCode: digits === undefined ? undefined : `MP-${digits}`,
    description: sanitiseText(description, secrets),
    traceId: matchOf(TRACE_ID, description),
  };
}

/**
 * Decodes a refusal of the token endpoint into a typed error.
 *
 * @param status HTTP status of the answer
 * @param body the parsed JSON body
 * @param secrets what was sent and must not be echoed, such as the assertion
 */
export function decodeOAuthError(
  status: number,
  body: Record<string, unknown> & { error: string },
  secrets: readonly string[] = [],
): MaskinportenError {
  const facts = oauthFacts(body, secrets);
  const { mpCode, oauthError, description } = facts;
  const refusal = refusalOf(mpCode, oauthError, description);
  const code = mpCode === undefined ? '' : ` (${mpCode})`;
  return createError(refusal.code, {
    message: `Maskinporten refused the request: ${refusal.summary}${code}.${wordsOf(description)}`,
    ...refusal.details,
    docs: refusal.code === 'MP_SYSTEMUSER_MISSING' ? SYSTEM_USER_TROUBLESHOOTING_URL : TROUBLESHOOTING_URL,
    status,
    ...facts,
  });
}

/** What the server itself said, cleaned, without the trace id, which has a member of its own. */
function wordsOf(description: string | undefined): string {
  const words = description?.replace(/\s*\(?(?:trace_id|correlation id):\s*[0-9a-f-]{16,36}\)?\.?/i, '').trim();
  return words === undefined || words === '' ? '' : ` It said: "${words}"`;
}

function matchOf(pattern: RegExp, text: unknown): string | undefined {
  return typeof text === 'string' ? pattern.exec(text.slice(0, 4_096))?.[1] : undefined;
}

function isKnownError(name: string): name is OAuthErrorName {
  return KNOWN_ERRORS.has(name);
}
