import { type Check, outcomeOf, type Examination } from '../examination.js';
import { failed, good, words, type Finding, type Topic } from '../../findings/index.js';
import { unreachable } from './issuer-reachable.js';

const TOPIC: Topic = { id: 'token-endpoint', title: words('Token endpoint reachable', 'Token-endepunkt kan nås') };
const DEADLINE_MS = 5_000;

/** Knocks without a grant: any answer of a server that proved who it is will do, because only POST is answered there. */
export async function checkTokenEndpoint(examination: Examination): Promise<readonly Finding[]> {
  const url = await examination.tokenEndpoint();
  if (url === undefined) {
    return [
      failed(TOPIC, {
        kind: 'unknown',
        cause: words(
          'Its address is not known: the metadata of the issuer could not be read.',
          'Adressen er ikke kjent: metadata fra issueren kunne ikke leses.',
        ),
        fix: words(
          'Mend the issuer, or set MASKINPORTEN_TOKEN_ENDPOINT.',
          'Rett issueren, eller sett MASKINPORTEN_TOKEN_ENDPOINT.',
        ),
        field: 'MASKINPORTEN_TOKEN_ENDPOINT',
      }),
    ];
  }
  const answer = await outcomeOf(() =>
    examination.transport.send({
      url,
      method: 'GET',
      headers: { accept: 'application/json' },
      deadlineMs: DEADLINE_MS,
    }),
  );
  if ('error' in answer) return [unreachable(TOPIC, answer.error, url)];
  const { status } = answer.value;
  const looksAbsent = status === 404 || status === 410 || (status >= 300 && status < 400);
  // A gateway may know the address for POST only: what a grant is answered there decides.
  if (looksAbsent && !(await answersGrants(examination))) {
    return [
      failed(TOPIC, {
        kind: 'absent',
        cause: words(
          `There is no token endpoint at ${url} (HTTP ${status}).`,
          `Det er ikke noe token-endepunkt på ${url} (HTTP ${status}).`,
        ),
        fix: words(
          'Remove MASKINPORTEN_TOKEN_ENDPOINT: the address is read from the metadata of the issuer.',
          'Fjern MASKINPORTEN_TOKEN_ENDPOINT: adressen leses fra metadata til issueren.',
        ),
        field: 'MASKINPORTEN_TOKEN_ENDPOINT',
      }),
    ];
  }
  return [good(TOPIC, words(`${url} answers.`, `${url} svarer.`))];
}

/** True when a grant got a token there, or a refusal in the words of OAuth. The client's check asks the same once more. */
async function answersGrants(examination: Examination): Promise<boolean> {
  const answer = await examination.token({ scopes: [examination.probe] });
  return 'value' in answer || answer.error.oauthError !== undefined;
}

export const tokenEndpoint: Check = { ...TOPIC, needs: ['audience', 'issuer'], run: checkTokenEndpoint };
