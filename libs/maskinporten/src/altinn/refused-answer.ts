import { createError, type ErrorDetails, type Hint, type MaskinportenError } from '../errors/index.js';
import type { HttpResponse } from '../http/index.js';
import { AltinnError } from './altinn-error.js';
import { readProblem } from './altinn-problem.js';
import { authCodeFacts } from './auth-code.js';
import { PLATFORM_FIELD } from './altinn-config.js';

const hint = (en: string, nb: string): { hint: Hint } => ({ hint: { en, nb } });

const HINTS = {
  rejected: hint(
    'Altinn did not accept the token for this call: check that the scope is granted to your organisation and added to the client, and the subscription key where one is needed.',
    'Altinn godtok ikke tokenet for dette kallet: kontroller at scopet er tildelt organisasjonen og lagt til på klienten, og abonnementsnøkkelen der den trengs.',
  ),
  absent: hint(
    'Altinn has nothing at that address: check the platform address of the environment.',
    'Altinn har ingenting på den adressen: kontroller plattformadressen for miljøet.',
  ),
  down: hint(
    'Altinn has a fault of its own or cannot be reached: try again later.',
    'Altinn har en feil hos seg eller kan ikke nås: prøv igjen senere.',
  ),
  odd: hint(
    'The answer is not one that Altinn gives: check the address and that nothing on the way rewrites it.',
    'Svaret er ikke slik Altinn svarer: kontroller adressen, og at ingenting underveis skriver det om.',
  ),
};

/**
 * The error of an answer that a call does not accept, by the fault matrix of the token endpoint (docs/reference/faults.md),
 * with Altinn's own codes where there are any.
 *
 * @param what names the call, for the message; no address and no input
 * @param secrets what was sent and must not be echoed
 */
export function refusedAnswer(
  what: string,
  answer: Pick<HttpResponse, 'status' | 'body'>,
  json: unknown,
  secrets: readonly string[],
  retryAfterMs: number | undefined,
): MaskinportenError {
  const { status } = answer;
  const problem = readProblem(json, answer.body.toString('utf8', 0, 4_096), secrets);
  const details = (summary: string, more: Partial<ErrorDetails>): ErrorDetails => ({
    message: `Altinn ${summary} (${what}, HTTP ${status}${problem.code === undefined ? '' : `, ${problem.code}`}).`,
    field: PLATFORM_FIELD,
    status,
    description: problem.text,
    traceId: problem.traceId,
    ...more,
  });
  if (status === 429) return createError('MP_THROTTLED', details('wants fewer calls', { ...HINTS.down, retryAfterMs }));
  if (status === 408) return createError('MP_TIMEOUT', details('did not answer in time', HINTS.down));
  if (status >= 300 && status < 400) {
    return createError('MP_REDIRECT', details('answered with a redirect, which is never followed', HINTS.odd));
  }
  if (status >= 500 && ![501, 505, 511].includes(status)) {
    return createError('MP_UPSTREAM', details('has a fault of its own', { ...HINTS.down, retryAfterMs }));
  }
  const known = authCodeFacts(problem.code);
  const altinn = { authCode: problem.code, validationErrors: problem.validationErrors };
  if (known !== undefined) {
    const { summary, ...facts } = known;
    return new AltinnError(facts.code, { ...details(`refused: ${summary}`, facts) }, altinn);
  }
  if (status === 401 || status === 403) {
    return new AltinnError('MP_UPSTREAM_REJECTED', details('did not accept the token', HINTS.rejected), altinn);
  }
  if (status === 404 || status === 405 || status === 410) {
    return new AltinnError('MP_CONFIG_ENDPOINT', details('has nothing at that address', HINTS.absent), altinn);
  }
  if (status >= 400 && status < 500) {
    const said = problem.text === undefined ? 'the call is not accepted' : problem.text;
    return new AltinnError('MP_REQUEST', details(`refused: ${said}`, { field: 'request' }), altinn);
  }
  return createError('MP_PROTOCOL', details('gave an answer that it does not give', HINTS.odd));
}

/** The answer had an accepted status and is nevertheless not what Altinn answers (F-85). */
export function unusableAnswer(what: string, reason: string): MaskinportenError {
  return createError('MP_PROTOCOL', {
    message: `The answer of Altinn cannot be used (${what}): ${reason}.`,
    field: PLATFORM_FIELD,
    ...HINTS.odd,
  });
}

/**
 * A web page answered. One that says it succeeded was put in the way by a portal or a proxy and may be gone in a moment
 * (F-85); one that says there is nothing here means that the address is not the API's.
 */
export function notTheApi(what: string, status: number): MaskinportenError {
  if (status < 400) return unusableAnswer(what, `it is a web page (HTTP ${status})`);
  return createError('MP_CONFIG_ENDPOINT', {
    message: `A web page answered instead of Altinn (${what}, HTTP ${status}).`,
    field: PLATFORM_FIELD,
    status,
    ...HINTS.absent,
  });
}
