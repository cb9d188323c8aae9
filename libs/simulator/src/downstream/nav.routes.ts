import type { FastifyInstance } from 'fastify';
import { type AltinnState, askRight, identify, note } from '../altinn/index.js';
import { isOrganisationNumber, isRecord, logEntryOf, sendProblem } from '../kernel/index.js';
import { TokenFailure } from '../maskinporten/index.js';

const SCOPE = 'nav:helseytelser/sykepenger';
const RESOURCES: Readonly<Record<string, string>> = {
  forespoersler: 'nav_sykepenger_inntektsmelding',
  sykmeldinger: 'nav_sykepenger_sykmelding',
  soeknader: 'nav_sykepenger_soeknad',
};

/**
 * NAV's sickness benefit API for payroll systems (NAV, sykepenger API). A missing right is **401** here, so that a client
 * which takes every 401 for an expired token never stops.
 */
export function navRoutes(app: FastifyInstance, altinn: AltinnState): void {
  app.post<{ Params: { list: string } }>('/nav/sykepenger/v1/:list', async (request, reply) => {
    const resource = RESOURCES[request.params.list];
    if (resource === undefined) return sendProblem(reply, 404, 'Not found');
    const refuse = (feilkode: string, feilmelding: string) => {
      logEntryOf(request).refusal = { error: feilkode, errorDescription: feilmelding };
      return reply.code(401).send({ feilkode, feilmelding });
    };
    const caller = await identify(request, altinn);
    if (caller instanceof TokenFailure) return refuse('IKKE_AUTENTISERT', 'Ugyldig token');
    // The whole claim is compared: a token for two scopes is refused.
    const scope = caller.kind === 'maskinporten' && caller.claims['scope'] === SCOPE;
    note(request, 'token.scope', scope, `the scope of a Maskinporten token must be exactly ${SCOPE}`);
    if (!scope) return refuse('UGYLDIG_TOKEN', 'Feil utsteder eller scope');
    const orgnr: unknown = isRecord(request.body) ? request.body['orgnr'] : undefined;
    if (!isOrganisationNumber(orgnr)) return sendProblem(reply, 400, 'Bad request', { detail: 'orgnr is missing' });
    const allowed = askRight(request, caller, { party: orgnr, resource, action: 'access' }, altinn);
    return allowed === undefined ? refuse('IKKE_TILGANG_TIL_RESSURS', 'Ikke tilgang til ressurs') : reply.send([]);
  });
}
