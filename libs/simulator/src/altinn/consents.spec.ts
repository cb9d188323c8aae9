import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Answer, AltinnBench, RIVAL } from '../altinn.fixtures.js';
import { CUSTOMER, OTHER, PERSON, SCOPE, VENDOR, makeClient, tokenClaims } from '../grants.fixtures.js';

const PATH = '/accessmanagement/api/v1/enterprise/consentrequests';
const READ = 'altinn:consentrequests.read';
const WRITE = 'altinn:consentrequests.write';
const FROM = `urn:altinn:person:identifier-no:${PERSON}`;
const organisation = (orgno: string) => `urn:altinn:organization:identifier-no:${orgno}`;
const RESOURCE = 'standard-samtykke';

let bench: AltinnBench;
beforeAll(async () => {
  const scopes = [READ, WRITE, SCOPE];
  bench = await AltinnBench.start({
    clients: [makeClient({ scopes }), makeClient({ clientId: 'rival', orgno: RIVAL, scopes })],
    resources: [
      { id: RESOURCE, consentMetadata: ['inntektsaar'] },
      { id: 'closed', deniedParties: [VENDOR] },
    ],
    organisations: [{ orgno: OTHER, registered: true }],
    delegations: [{ consumer: CUSTOMER, supplier: VENDOR, scope: WRITE }],
  });
});
afterAll(() => bench.close());
beforeEach(() => bench.operator.reset());

const rights = (value = RESOURCE, metaData: Record<string, string> = { inntektsaar: '2026' }) => [
  { action: ['consent'], resource: [{ type: 'urn:altinn:resource', value }], metaData },
];
const wish = (members: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: randomUUID(),
  from: FROM,
  to: organisation(VENDOR),
  validTo: new Date(bench.grants.clock.nowMs + 86_400_000).toISOString(),
  consentRights: rights(),
  redirectUrl: 'https://bank.example/loan?consentId=1',
  ...members,
});
const post = async (body: unknown, clientId = 'client-1'): Promise<Answer> =>
  bench.platform(`${PATH}/`, { token: await bench.token(WRITE, clientId), body });
const get = async (path: string, clientId = 'client-1'): Promise<Answer> =>
  bench.platform(`${PATH}${path}`, { token: await bench.token(READ, clientId) });
const operate = async (id: unknown, verb: string): Promise<number> =>
  (await bench.send(bench.simulator.operatorUrl, `/operator/api/consents/${String(id)}/${verb}`, { method: 'POST' }))
    .status;
const grant = (id: unknown, from = FROM, iss = 'client-1') =>
  bench.grants.grant({
    claims: { iss, scope: SCOPE, authorization_details: [{ type: 'urn:altinn:consent', id, from }] },
  });

describe('a consent', () => {
  it('is asked for, given, in the token, and revoked', async () => {
    const body = wish();
    const made = await post(body);
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...body,
      portalViewMode: 'hide',
      status: 'Created',
      viewUri: `${bench.simulator.operatorUrl}/accessmanagement/ui/consent/request?id=${String(body['id'])}`,
      consentRequestEvents: [{ eventType: 'Created', consentRequestID: body['id'], performedBy: organisation(VENDOR) }],
    });
    expect((await grant(body['id'])).json).toMatchObject({ error: 'invalid_altinn_customer_configuration' });
    expect(await operate(body['id'], 'approve')).toBe(204);
    const granted = await grant(body['id']);
    expect(granted.status).toBe(200);
    expect(tokenClaims(granted.json)['authorization_details']).toEqual([
      {
        type: 'urn:altinn:consent',
        id: body['id'],
        from: FROM,
        to: { authority: 'iso6523-actorid-upis', ID: `0192:${VENDOR}` },
        consented: expect.stringMatching(/\+00:00$/),
        validTo: body['validTo'],
        consentRights: rights(),
      },
    ]);
    expect((await get(`/${String(body['id'])}`)).json).toMatchObject({
      status: 'Accepted',
      consented: expect.any(String),
    });
    expect(await operate(body['id'], 'revoke')).toBe(204);
    expect((await grant(body['id'])).status).toBe(400);
    expect((await get(`/${String(body['id'])}`)).json['status']).toBe('Revoked');
  });

  it('gives no token to another receiver, for another giver, once rejected, or when its time is over', async () => {
    const { id } = (await post(wish())).json;
    await operate(id, 'approve');
    expect((await grant(id, FROM, 'rival')).status).toBe(400);
    expect((await grant(id, organisation(CUSTOMER))).status).toBe(400);
    bench.grants.clock.advance(86_401);
    expect((await grant(id)).status).toBe(400);
    expect((await get(`/${String(id)}`)).json).toMatchObject({ status: 'Expired' });
    const rejected = (await post(wish())).json['id'];
    expect(await operate(rejected, 'reject')).toBe(204);
    expect((await grant(rejected)).status).toBe(400);
    for (const verb of ['approve', 'reject', 'revoke']) expect(await operate(rejected, verb)).toBe(409);
    expect(await operate(randomUUID(), 'approve')).toBe(404);
  });

  it('asked for again is the one that there is, whatever else the body says; for others it is refused', async () => {
    const body = wish();
    await post(body);
    const again = await post({ ...body, redirectUrl: 'https://other.example/' });
    expect([again.status, again.json['redirectUrl']]).toEqual([200, body['redirectUrl']]);
    const other = await post({ ...body, from: organisation(CUSTOMER) });
    expect([other.status, other.json['code']]).toEqual([400, 'AM-00016']);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an unknown organisation', { from: organisation('310000018') }, 'AM-00003'],
    ['an unknown person', { from: 'urn:altinn:person:identifier-no:01819000392' }, 'AM-00004'],
    ['a resource that nobody knows', { consentRights: rights('none') }, 'AM-00005'],
    ['metadata that the resource does not define', { consentRights: rights(RESOURCE, { x: '1' }) }, 'AM-00006'],
    ['empty metadata', { consentRights: rights(RESOURCE, { inntektsaar: '' }) }, 'AM-00007'],
    ['missing metadata', { consentRights: rights(RESOURCE, {}) }, 'AM-00008'],
  ])('refuses %s', async (_name, members, code) => {
    const answer = await post(wish(members));
    expect([answer.status, answer.json['code']]).toEqual([400, code]);
  });

  it.each(['id', 'from', 'to', 'validTo', 'consentRights', 'redirectUrl'])('needs %s', async (member) => {
    const answer = await post(wish({ [member]: undefined }));
    expect([answer.status, Object.keys(answer.json['errors'] ?? {})]).toEqual([400, [member]]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['id', { id: 'x' }],
    ['validTo', { validTo: '2020-01-01T00:00:00Z' }],
    ['redirectUrl', { redirectUrl: 'bank.example' }],
    ['consentRights', { consentRights: [] }],
  ])('refuses a %s that cannot be used', async (member, members) => {
    expect(Object.keys((await post(wish(members))).json['errors'] ?? {})).toEqual([member]);
  });

  it('is for the consumer of the token, and for resources that it may ask for: 403 without a body', async () => {
    for (const members of [{ to: organisation(RIVAL) }, { consentRights: rights('closed', {}) }]) {
      const answer = await post(wish(members));
      expect([answer.status, answer.text]).toEqual([403, '']);
    }
    expect((await bench.platform(`${PATH}/`, { token: await bench.token(READ), body: wish() })).status).toBe(403);
  });

  it('is asked for on behalf of another organisation with delegated scopes: the supplier handles it', async () => {
    const { json } = await bench.grants.grant({ claims: { scope: WRITE, consumer_org: CUSTOMER } });
    const body = wish({ to: organisation(CUSTOMER) });
    const answer = await bench.platform(PATH, { token: String(json['access_token']), body });
    expect(answer.json).toMatchObject({ to: organisation(CUSTOMER), handledBy: organisation(VENDOR) });
  });

  it('of another organisation is 403 AM-00000, an unknown one 404 AM-00001', async () => {
    const { id } = (await post(wish())).json;
    const foreign = await get(`/${String(id)}`, 'rival');
    expect([foreign.status, foreign.json['code']]).toEqual([403, 'AM-00000']);
    const unknown = await get(`/${randomUUID()}`);
    expect([unknown.status, unknown.json['code']]).toEqual([404, 'AM-00001']);
  });
});

const events = (answer: Answer) => (answer.json['data'] as { consentRequestId: string; eventType: string }[]) ?? [];
const types = (answer: Answer) => events(answer).map(({ eventType }) => eventType);

describe('the events of consents', () => {
  it('come oldest first, for the receiver alone, five minutes late', async () => {
    const { id } = (await post(wish())).json;
    await operate(id, 'approve');
    await grant(id);
    expect(events(await get('/events'))).toEqual([]);
    bench.grants.clock.advance(301);
    expect(types(await get('/events'))).toEqual(['Created', 'Accepted', 'Used']);
    expect(types(await get('/events?eventType=accepted&EventType=USED'))).toEqual(['Accepted', 'Used']);
    expect(types(await get(`/events?ConsentRequestId=${randomUUID()}`))).toEqual([]);
    expect(events(await get('/events', 'rival'))).toEqual([]);
  });

  it('are read in pages of 100, by a token that keeps the filters', async () => {
    for (let index = 0; index < 60; index += 1) {
      const id = randomUUID();
      bench.operator.consents.add({ id, from: FROM, to: VENDOR, status: 'Created', validTo: '2030-01-01T00:00:00Z' });
      bench.operator.approveConsent(id);
      bench.operator.revokeConsent(id);
    }
    bench.grants.clock.advance(301);
    const first = await get('/events?eventType=accepted&eventType=revoked');
    expect(events(first)).toHaveLength(100);
    const next = new URL((first.json['links'] as { next: string }).next);
    expect(next.searchParams.getAll('eventType')).toEqual(['accepted', 'revoked']);
    expect(Buffer.from(next.searchParams.get('continuationToken') ?? '', 'base64')).toHaveLength(16);
    const second = await get(`/events${next.search}`);
    expect([events(second).length, second.json['links']]).toEqual([20, {}]);
  });

  it.each([
    'continuationToken=x',
    'createdAfter=x',
    'createdAfter=2026-01-02T00:00:00Z&createdBefore=2026-01-01T00:00:00Z',
    'eventType=created',
  ])('?%s is refused', async (query) => {
    expect((await get(`/events?${query}`)).status).toBe(400);
  });
});
