import { isRecord } from '../basics/index.js';
import { createError, sanitiseText, type ErrorDetails, type Hint, type MaskinportenError } from '../errors/index.js';
import type { HttpResponse } from '../http/index.js';
import { SELF_SERVICE_FIELD, SELF_SERVICE_SCOPES } from './self-service-config.js';

const hint = (en: string, nb: string): { hint: Hint } => ({ hint: { en, nb } });

const HINTS = {
  token: hint(
    'Check that the administration client and the self-service address belong to the same environment, and that the client is the one Digdir handed out for the API.',
    'Kontroller at administrasjonsklienten og selvbetjeningsadressen hører til samme miljø, og at klienten er den Digdir har utlevert for API-et.',
  ),
  scope: hint(
    `The administration client needs ${SELF_SERVICE_SCOPES.read} and ${SELF_SERVICE_SCOPES.change}: ask servicedesk@digdir.no.`,
    `Administrasjonsklienten trenger ${SELF_SERVICE_SCOPES.read} og ${SELF_SERVICE_SCOPES.change}: spør servicedesk@digdir.no.`,
  ),
  client: hint(
    'Check the client id; the client must belong to the same organisation and environment as the administration client.',
    'Kontroller klient-id-en; klienten må høre til samme organisasjon og miljø som administrasjonsklienten.',
  ),
  deactivated: hint(
    'Activate the client in Digdir self-service, then run it again.',
    'Aktiver klienten i selvbetjeningen hos Digdir, og kjør på nytt.',
  ),
  keys: hint('Correct the members of the key that failures names.', 'Rett feltene i nøkkelen som står i failures.'),
  down: hint(
    'Digdir self-service has a fault of its own or cannot be reached: run it again later. Nothing is lost.',
    'Selvbetjeningen hos Digdir har en feil hos seg eller kan ikke nås: kjør på nytt senere. Ingenting er tapt.',
  ),
  address: hint(
    'Check the self-service address, and that nothing on the way rewrites the answer.',
    'Kontroller selvbetjeningsadressen, og at ingenting underveis skriver om svaret.',
  ),
};

/**
 * The error of an answer that was not expected (Digdir, self-service API).
 *
 * @param what names the call, for the message
 * @param json the parsed body, undefined when it is not JSON
 * @param secrets what was sent and must not be echoed
 */
export function selfServiceRefusal(
  what: string,
  { status }: Pick<HttpResponse, 'status'>,
  json: unknown,
  secrets: readonly string[],
  retryAfterMs?: number,
): MaskinportenError {
  const body = isRecord(json) ? json : {};
  const description = sanitiseText(body['error_description'] ?? body['error'], secrets);
  const traceId = readTraceId(body['correlation_id']);
  const details = (summary: string, more: Partial<ErrorDetails>): ErrorDetails => ({
    message: `Digdir self-service ${summary} (${what}, HTTP ${status}).`,
    field: SELF_SERVICE_FIELD,
    status,
    description,
    traceId,
    ...more,
  });
  if (status === 429) {
    return createError('MP_THROTTLED', details('wants fewer calls', { ...HINTS.down, retryAfterMs }));
  }
  if (status === 408) return createError('MP_TIMEOUT', details('did not answer in time', HINTS.down));
  if (status >= 300 && status < 400) {
    return createError('MP_REDIRECT', details('answered with a redirect, which is never followed', HINTS.address));
  }
  if (status >= 500 && ![501, 505, 511].includes(status)) {
    return createError('MP_UPSTREAM', details('has a fault of its own', { ...HINTS.down, retryAfterMs }));
  }
  if (json === undefined) {
    return createError('MP_PROTOCOL', details('gave an answer that is not JSON', HINTS.address));
  }
  switch (status) {
    case 401:
      return createError('MP_UPSTREAM_REJECTED', details('did not accept the token', { ...HINTS.token, actBy: 'you' }));
    case 403:
      return createError(
        'MP_NOT_GRANTED',
        details('does not let this client administer keys', { ...HINTS.scope, field: 'scope', actBy: 'digdir' }),
      );
    case 404:
      return createError('MP_CLIENT_UNKNOWN', details('knows no such client', { ...HINTS.client, field: 'clientId' }));
    case 409:
      return createError(
        'MP_CONFIG',
        details('says that the client is deactivated', { ...HINTS.deactivated, field: 'clientId' }),
      );
    case 400:
      return createError('MP_REQUEST', refusedKeys(body, details('refuses the keys', HINTS.keys), secrets));
    default:
      return createError('MP_PROTOCOL', details('gave an answer that it does not give', HINTS.address));
  }
}

/** One failure for each field that the API names. */
function refusedKeys(body: Record<string, unknown>, details: ErrorDetails, secrets: readonly string[]): ErrorDetails {
  const errors: readonly unknown[] = Array.isArray(body['errors']) ? body['errors'].slice(0, 20) : [];
  const failures = errors.flatMap((error) => {
    if (!isRecord(error)) return [];
    const field = sanitiseText(error['fieldIdentifier'], secrets) ?? 'keys';
    const reason = sanitiseText(error['errorMessage'], secrets) ?? 'is not accepted';
    return [{ field, code: 'MP_REQUEST' as const, reason }];
  });
  return failures.length === 0 ? { ...details, field: 'keys' } : { ...details, failures };
}

const readTraceId = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w:.-]{8,80}$/.test(value) ? value : undefined;

/** The status was right and the body is nevertheless not a set of keys. */
export function unusableKeySet(what: string): MaskinportenError {
  return createError('MP_PROTOCOL', {
    message: `The answer of Digdir self-service is not a set of keys (${what}).`,
    field: SELF_SERVICE_FIELD,
    ...HINTS.address,
  });
}
