import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isRecord } from '../kernel/index.js';
import type { Consent, ConsentEvent } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { type Caller, authenticate, emptyAnswer, note } from './caller.js';
import { type ConsentCode, ConsentRequests, ORGANISATION_URN, consentFault, unreadable } from './consent-requests.js';
import { missingInput, sendAltinnProblem } from './problems.js';
import { CONSENT_READ, CONSENT_WRITE } from './scopes.js';

const BASE = '/accessmanagement/api/v1/enterprise/consentrequests';
const PAGE = 100;
/** Only what is older than this is listed (Altinn, consent events). */
const FRESH_MS = 5 * 60_000;
const LISTED: ReadonlySet<string> = new Set(['accepted', 'rejected', 'revoked', 'deleted', 'used']);

/** A UUIDv7 of when it happened, whose last part is the order; the same each time. */
function eventId({ created, sequence }: ConsentEvent): string {
  const time = Date.parse(created).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${sequence.toString(16).padStart(12, '0')}`;
}

function view(consent: Consent, altinn: AltinnState): object {
  return {
    id: consent.id,
    from: consent.from,
    to: `${ORGANISATION_URN}${consent.to ?? ''}`,
    validTo: consent.validTo,
    consentRights: consent.consentRights,
    redirectUrl: consent.redirectUrl,
    ...consent.request,
    handledBy: consent.handledBy === undefined ? undefined : `${ORGANISATION_URN}${consent.handledBy}`,
    status: consent.status,
    consented: consent.consented,
    viewUri: `${altinn.world.urls().browserUrl}/accessmanagement/ui/consent/request?id=${consent.id}`,
    consentRequestEvents: consent.history.map((event) => ({
      consentEventID: eventId(event),
      created: event.created,
      performedBy: event.performedBy,
      eventType: event.eventType,
      consentRequestID: consent.id,
    })),
  };
}

/** Base64 of 16 bytes, as Altinn's own are. */
const encodeToken = (sequence: number): string => {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(sequence, 10, 6);
  return bytes.toString('base64');
};
function decodeToken(token: string): number | undefined {
  const bytes = Buffer.from(token, 'base64');
  return bytes.length === 16 && bytes.toString('base64') === token ? bytes.readUIntBE(10, 6) : undefined;
}

/** Query with names in any case; each value that was given. */
function queryOf(request: FastifyRequest): (name: string) => readonly string[] {
  const query = [...new URLSearchParams(request.url.split('?')[1] ?? '')];
  return (name) => query.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

interface Filter {
  readonly after: number;
  readonly from: number;
  readonly before: number;
  readonly types: readonly string[];
  readonly id: string | undefined;
}

function readFilter(request: FastifyRequest): Filter | Readonly<Record<string, readonly string[]>> {
  const all = queryOf(request);
  const [token] = all('continuationToken');
  const [createdAfter] = all('createdAfter');
  const [createdBefore] = all('createdBefore');
  const types = all('eventType').map((type) => type.toLowerCase());
  const filter = {
    after: token === undefined ? 0 : (decodeToken(token) ?? Number.NaN),
    from: createdAfter === undefined ? -Infinity : Date.parse(createdAfter),
    before: createdBefore === undefined ? Infinity : Date.parse(createdBefore),
    types,
    id: all('consentRequestId')[0]?.toLowerCase(),
  };
  const wrong = [
    ['continuationToken', Number.isNaN(filter.after)],
    ['createdAfter', Number.isNaN(filter.from)],
    ['createdBefore', !(filter.before > filter.from)],
    ['eventType', types.some((type) => !LISTED.has(type))],
  ] as const;
  const problems = wrong
    .filter(([, bad]) => bad)
    .map(([name]) => [name, [`The value of ${name} is not valid.`]] as const);
  return problems.length > 0 ? Object.fromEntries(problems) : filter;
}

const isFilter = (value: ReturnType<typeof readFilter>): value is Filter => Array.isArray(value['types']);

const refuse = (request: FastifyRequest, reply: FastifyReply, code: ConsentCode): FastifyReply => {
  const { status, title } = consentFault(code);
  note(request, 'consent.valid', false, code);
  return sendAltinnProblem(request, reply, { type: `urn:altinn:error:${code}`, title, status, code });
};

/** Consents: asked for, read and followed by those who want data (Digdir, consent; Altinn, consent). */
export function consentRoutes(app: FastifyInstance, altinn: AltinnState): void {
  const requests = new ConsentRequests(altinn);
  const enter = async (request: FastifyRequest, reply: FastifyReply, scope: string): Promise<Caller | undefined> => {
    const caller = await authenticate(request, reply, altinn, { scopes: [scope] });
    if (caller === undefined || caller.vendor !== undefined) return caller;
    note(request, 'token.consumer', false);
    emptyAnswer(reply, 401);
    return undefined;
  };
  for (const url of [BASE, `${BASE}/`]) {
    app.post(url, async (request, reply) => {
      const caller = await enter(request, reply, CONSENT_WRITE);
      if (caller === undefined) return reply;
      const body = isRecord(request.body) ? request.body : {};
      const problems = unreadable(body, altinn.world.clock.date());
      if (Object.keys(problems).length > 0) return missingInput(request, reply, problems);
      const forCaller = body['to'] === `${ORGANISATION_URN}${caller.vendor ?? ''}`;
      note(request, 'consent.receiver', forCaller, String(body['to']));
      if (!forCaller) return emptyAnswer(reply, 403);
      const existing = requests.find(String(body['id']));
      if (existing !== undefined) {
        const same = existing.from === body['from'] && existing.to === caller.vendor;
        return same ? reply.send(view(existing, altinn)) : refuse(request, reply, 'AM-00016');
      }
      const code = requests.fault(body);
      if (code !== undefined) return refuse(request, reply, code);
      const rights = Array.isArray(body['consentRights']) ? body['consentRights'].filter(isRecord) : [];
      if (!requests.mayAsk(caller.vendor ?? '', rights)) return emptyAnswer(reply, 403);
      return reply.code(201).send(view(requests.create(body, supplierOf(caller)), altinn));
    });
  }

  app.get(`${BASE}/events`, async (request, reply) => {
    const caller = await enter(request, reply, CONSENT_READ);
    if (caller === undefined) return reply;
    const filter = readFilter(request);
    if (!isFilter(filter)) return missingInput(request, reply, filter);
    const limit = altinn.world.clock.nowMs() - FRESH_MS;
    const events = altinn.maskinporten.consents
      .list()
      .filter(({ id, to }) => to === caller.vendor && (filter.id ?? id.toLowerCase()) === id.toLowerCase())
      .flatMap(({ id, history }) => history.map((event) => ({ id, event, at: Date.parse(event.created) })))
      .filter(({ event, at }) => event.sequence > filter.after && at < limit && at >= filter.from && at < filter.before)
      .filter(({ event }) => filter.types.length === 0 || filter.types.includes(event.eventType.toLowerCase()))
      .toSorted((left, right) => left.event.sequence - right.event.sequence)
      .slice(0, PAGE);
    const last = events.length === PAGE ? events.at(-1) : undefined;
    const data = events.map(({ id, event }) => ({
      consentRequestId: id,
      eventType: event.eventType,
      changedDate: event.created,
    }));
    if (last === undefined) return reply.send({ links: {}, data });
    // The filters stay; only the token is another.
    const query = [...new URLSearchParams(request.url.split('?')[1] ?? '')].filter(
      ([name]) => name.toLowerCase() !== 'continuationtoken',
    );
    const next = new URLSearchParams([...query, ['continuationToken', encodeToken(last.event.sequence)]]);
    return reply.send({ links: { next: `${altinn.world.urls().platformUrl}${BASE}/events?${next.toString()}` }, data });
  });

  app.get<{ Params: { id: string } }>(`${BASE}/:id`, async (request, reply) => {
    const caller = await enter(request, reply, CONSENT_READ);
    if (caller === undefined) return reply;
    const consent = requests.find(request.params.id);
    if (consent === undefined) return refuse(request, reply, 'AM-00001');
    return consent.to === caller.vendor ? reply.send(view(consent, altinn)) : refuse(request, reply, 'AM-00000');
  });
}

/** Who asks on behalf of the consumer, with delegated scopes. */
function supplierOf({ claims: { supplier } }: Caller): string | undefined {
  const id = isRecord(supplier) ? supplier['ID'] : undefined;
  return typeof id === 'string' ? id.slice(5) : undefined;
}
