import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AltinnState, askRight, hasScope, identify } from '../altinn/index.js';
import { isOrganisationNumber, logEntryOf } from '../kernel/index.js';
import { TokenFailure } from '../maskinporten/index.js';

const SCOPE = 'skatteetaten:kravogbetalinger';
const RESOURCE = 'ske-krav-og-betalinger';
/** As seen in clients, and as documented. */
const BASES = ['/kravogbetalinger/v1', '/api/innkreving/kravogbetalinger/v1'];
const DATE = /^\d{4}-\d\d-\d\d$/;

const MESSAGES = {
  'KB-001': [400, 'Ugyldig forespørsel'],
  'KB-004': [401, 'Feil ved autentisering'],
  'KB-005': [403, 'Mangler tilgang'],
  'KB-007': [404, 'Fant ikke virksomheten'],
} as const;

/** Made from the number alone, so that a test knows what to expect. */
function claimsOf(orgno: string): readonly object[] {
  const base = Number(orgno.slice(4, 8));
  return [1, 2].map((index) => ({
    kravidentifikator: `${orgno}-${index}`,
    kravbeskrivelse: index === 1 ? 'Arbeidsgiveravgift' : 'Merverdiavgift',
    forfallsdato: `2026-12-${index === 1 ? '15' : '10'}`,
    opprinneligBeloep: (base + index) * 100,
    gjenstaaendeBeloep: (base + index) * 100 - (index === 1 ? 0 : 50),
    valuta: 'NOK',
  }));
}

const refuse = (
  request: FastifyRequest,
  reply: FastifyReply,
  code: keyof typeof MESSAGES,
  detail?: string,
): FastifyReply => {
  const [status, message] = MESSAGES[code];
  const melding = detail === undefined ? message : `${message}: ${detail}`;
  logEntryOf(request).refusal = { error: code, errorDescription: melding };
  const korrelasjonsid = String(request.headers['korrelasjonsid'] ?? randomUUID());
  return reply.code(status).send({ kode: code, melding, korrelasjonsid });
};

/** Skatteetaten's Krav og betalinger, profile `regnskapssystem` (Skatteetaten, Krav og betalinger): a raw Maskinporten token of a system user. */
export function kravOgBetalingerRoutes(app: FastifyInstance, altinn: AltinnState): void {
  type Route = { Params: { orgno: string; list: string }; Querystring: { fraOgMed?: string; tilOgMed?: string } };
  for (const base of BASES) {
    app.get<Route>(
      `${base}/regnskapssystem/:orgno/:list(^aapnekrav|krav|innbetalinger|utbetalinger$)`,
      async (request, reply) => {
        const { orgno, list } = request.params;
        const caller = await identify(request, altinn);
        if (caller instanceof TokenFailure) return refuse(request, reply, 'KB-004');
        if (caller.kind !== 'maskinporten') return refuse(request, reply, 'KB-004', 'et token fra Altinn');
        if (!hasScope(request, caller, [SCOPE])) return refuse(request, reply, 'KB-005', `scope ${SCOPE}`);
        if (!isOrganisationNumber(orgno)) return refuse(request, reply, 'KB-001', 'organisasjonsnummer');
        const { fraOgMed, tilOgMed } = request.query;
        if ([fraOgMed, tilOgMed].some((date) => date !== undefined && !DATE.test(date))) {
          return refuse(request, reply, 'KB-001', 'fraOgMed og tilOgMed er datoer');
        }
        const question = { party: orgno, resource: RESOURCE, action: 'read' };
        if (askRight(request, caller, question, altinn) === undefined) return refuse(request, reply, 'KB-005');
        if (!altinn.organisations.isRegistered(orgno)) return refuse(request, reply, 'KB-007');
        return reply.send({ organisasjonsnummer: orgno, [list]: list.endsWith('krav') ? claimsOf(orgno) : [] });
      },
    );
  }
}
