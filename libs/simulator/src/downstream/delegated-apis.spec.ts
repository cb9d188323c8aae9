import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_SYSTEM,
  AMELDING,
  A_ORDNING,
  type Answer,
  AltinnBench,
  CLIENT_A,
  DIALOGPORTEN,
  INSTANCES_READ,
  INSTANCES_WRITE,
  KB,
  KB_SCOPE,
  NAV_SCOPE,
  SUBUNIT,
  SYSTEM,
  resourceRight,
} from '../altinn.fixtures.js';
import { CUSTOMER, OTHER, VENDOR } from '../grants.fixtures.js';

const APP = 'app_ttd_returns';
const INMELDING = 'nav_sykepenger_inntektsmelding';
const BOTH = `${INSTANCES_READ} ${INSTANCES_WRITE}`;

const open = (orgno = CUSTOMER): string => `/kravogbetalinger/v1/regnskapssystem/${orgno}/aapnekrav`;
const expectRefusal = (answer: Answer, status: number, kode: string): void => {
  expect({ status: answer.status, kode: answer.json['kode'] }).toEqual({ status, kode });
  expect(answer.json).toMatchObject({ melding: expect.any(String), korrelasjonsid: expect.any(String) });
};

describe('APIs that system users call', () => {
  let bench: AltinnBench;
  let id: string;

  const askNav = async (token: string, orgnr = CUSTOMER, list = 'forespoersler'): Promise<Answer> =>
    bench.api(`/nav/sykepenger/v1/${list}`, { token, body: { orgnr } });
  const askDialogs = (token: string, orgno = CUSTOMER): Promise<Answer> =>
    bench.api(`/dialogporten/api/v1/enduser/dialogs?party=urn:altinn:organization:identifier-no:${orgno}`, { token });

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    bench.operator.reset();
    id = await bench.approved({ rights: [resourceRight(KB, 'read'), resourceRight(APP)] });
  });

  describe('Krav og betalinger', () => {
    it('answers open claims to a raw system-user token', async () => {
      const answer = await bench.api(open(), { token: await bench.systemUserToken(KB_SCOPE) });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ organisasjonsnummer: CUSTOMER, aapnekrav: [{ valuta: 'NOK' }, {}] });
    });

    it.each(['krav', 'innbetalinger', 'utbetalinger'])('has %s too, at the documented path', async (list) => {
      const path = `/api/innkreving/kravogbetalinger/v1/regnskapssystem/${CUSTOMER}/${list}?fraOgMed=2026-01-01`;
      const answer = await bench.api(path, { token: await bench.systemUserToken(KB_SCOPE) });
      expect(answer.json).toHaveProperty(list);
      expect((await bench.api(`${path}x`, { token: await bench.systemUserToken(KB_SCOPE) })).status).toBe(400);
    });

    it('answers KB-005 when the right is revoked while the token lives', async () => {
      const token = await bench.systemUserToken(KB_SCOPE);
      bench.operator.revokeRight(id, KB);
      expectRefusal(await bench.api(open(), { token }), 403, 'KB-005');
      expect(bench.verdicts().slice(-3)).toEqual([
        ['token.system_user', true],
        ['system_user.live', true],
        ['right.present', false],
      ]);
    });

    it('answers KB-005 when the system user is deleted while the token lives', async () => {
      const token = await bench.systemUserToken(KB_SCOPE);
      bench.operator.deleteSystemUser(id);
      expectRefusal(await bench.api(open(), { token }), 403, 'KB-005');
    });

    it('answers KB-005 for another organisation than the token’s', async () => {
      expectRefusal(await bench.api(open(OTHER), { token: await bench.systemUserToken(KB_SCOPE) }), 403, 'KB-005');
    });

    it('answers KB-005 to the vendor’s own token: the profile demands a system user', async () => {
      expectRefusal(await bench.api(open(), { token: await bench.token(KB_SCOPE) }), 403, 'KB-005');
    });

    it('answers KB-005 without the scope', async () => {
      expectRefusal(await bench.api(open(), { token: await bench.systemUserToken('acme:x') }), 403, 'KB-005');
    });

    it('answers KB-004 to an exchanged token, and without one', async () => {
      const token = await bench.exchangedSystemUser(KB_SCOPE);
      expectRefusal(await bench.api(open(), { token }), 401, 'KB-004');
      expectRefusal(await bench.api(open()), 401, 'KB-004');
    });

    it('answers KB-001 for what is no organisation number, and repeats the correlation id', async () => {
      const call = { token: await bench.systemUserToken(KB_SCOPE), headers: { Korrelasjonsid: 'abc' } };
      const answer = await bench.api(open('123456789'), call);
      expectRefusal(answer, 400, 'KB-001');
      expect(answer.json['korrelasjonsid']).toBe('abc');
    });
  });

  describe('an Altinn app', () => {
    const BASE = '/ttd/returns/instances';
    const owner = { instanceOwner: { organisationNumber: CUSTOMER }, prefill: { name: 'A' } };
    let token: string;

    const create = (call: Record<string, unknown> = {}): Promise<Answer> =>
      bench.api(`${BASE}/create`, { token, body: owner, ...call });

    beforeEach(async () => {
      token = await bench.exchangedSystemUser(BOTH);
    });

    it('takes an instance from creation over data and attachment to its end', async () => {
      const created = await create();
      expect(created.status).toBe(201);
      expect(created.json).toMatchObject({
        id: expect.stringMatching(/^\d{8}\/[0-9a-f-]{36}$/),
        instanceOwner: { organisationNumber: CUSTOMER },
        process: { currentTask: { elementId: 'Task_1', altinnTaskType: 'data' } },
      });
      const instance = `${BASE}/${String(created.json['id'])}`;
      const [form] = created.json['data'] as { id: string }[];
      const path = `${instance}/data/${form?.id}`;
      expect((await bench.api(path, { token })).json).toEqual({ name: 'A' });
      expect((await bench.api(path, { method: 'PUT', token, body: { name: 'B' } })).status).toBe(200);
      expect((await bench.api(path, { token })).json).toEqual({ name: 'B' });
      const attached = await bench.api(`${instance}/data?dataType=vedlegg`, {
        token,
        body: 'text',
        headers: { 'content-type': 'text/plain', 'content-disposition': 'attachment; filename=a.txt' },
      });
      expect([attached.status, attached.json['filename']]).toEqual([201, 'a.txt']);
      const next = () => bench.api(`${instance}/process/next`, { method: 'PUT', token });
      expect((await next()).json).toMatchObject({ currentTask: { altinnTaskType: 'confirmation' } });
      expect((await bench.api(path, { method: 'PUT', token, body: {} })).status).toBe(409);
      expect((await next()).json).toMatchObject({ ended: expect.any(String) });
      expect((await next()).status).toBe(409);
      const end = await bench.api(instance, { token });
      expect(end.json).toMatchObject({ status: { isArchived: true }, data: [{}, { dataType: 'vedlegg' }] });
    });

    it('takes a party id as owner', async () => {
      const partyId = String((await create()).json['id']).split('/')[0];
      expect((await create({ body: { instanceOwner: { partyId } } })).json).toMatchObject({
        instanceOwner: { organisationNumber: CUSTOMER },
      });
    });

    it('answers 401 with an empty body to a raw Maskinporten token, and without one', async () => {
      const raw = await create({ token: await bench.systemUserToken(BOTH) });
      expect([raw.status, raw.text]).toEqual([401, '']);
      expect((await create({ token: undefined })).status).toBe(401);
    });

    it('answers 403 with an empty body when the right is revoked, at every step', async () => {
      const instance = `${BASE}/${String((await create()).json['id'])}`;
      bench.operator.revokeRight(id, APP);
      for (const answer of [
        await create(),
        await bench.api(instance, { token }),
        await bench.api(`${instance}/process/next`, { method: 'PUT', token }),
      ]) {
        expect([answer.status, answer.text]).toEqual([403, '']);
      }
    });

    it('answers 403 with an empty body without the scope', async () => {
      const answer = await create({ token: await bench.exchangedSystemUser(INSTANCES_READ) });
      expect([answer.status, answer.text]).toEqual([403, '']);
    });

    it('answers 403 to a right whose action is another', async () => {
      bench.operator.revokeRight(id, APP);
      bench.operator.systems.add({ id: SYSTEM, vendor: VENDOR, clientIds: ['client-1'], rights: [] });
      bench.operator.grantRight(id, APP, 'read');
      expect((await create()).status).toBe(403);
    });

    it('answers 403 with the level that the resource demands', async () => {
      bench.operator.resources.add({ id: APP, minimumLevelOrg: 4 });
      const answer = await create();
      expect([answer.status, answer.json]).toEqual([403, { RequiredAuthenticationLevel: '4' }]);
    });

    it('answers 404 for an unknown app, party or instance', async () => {
      expect((await bench.api('/ttd/none/instances/create', { token, body: owner })).status).toBe(404);
      expect((await create({ body: { instanceOwner: { organisationNumber: '310000010' } } })).status).toBe(404);
      expect((await bench.api(`${BASE}/31000002/${id}`, { token })).status).toBe(404);
    });

    it('forgets its instances on reset', async () => {
      const instance = `${BASE}/${String((await create()).json['id'])}`;
      bench.operator.reset();
      await bench.approved({ rights: [resourceRight(APP)] });
      expect((await bench.api(instance, { token: await bench.exchangedSystemUser(BOTH) })).status).toBe(404);
    });
  });

  describe('a NAV-style API', () => {
    beforeEach(() => bench.operator.grantRight(id, INMELDING, 'access'));

    it('answers a list, also for a sub-unit', async () => {
      const token = await bench.systemUserToken(NAV_SCOPE);
      const answer = await askNav(token);
      expect([answer.status, answer.text]).toEqual([200, '[]']);
      bench.operator.organisations.add({ orgno: SUBUNIT, parent: CUSTOMER });
      expect((await askNav(token, SUBUNIT)).status).toBe(200);
    });

    it('answers 401, not 403, for a missing right', async () => {
      const answer = await askNav(await bench.systemUserToken(NAV_SCOPE), CUSTOMER, 'sykmeldinger');
      expect(answer.status).toBe(401);
      expect(answer.json).toEqual({
        feilkode: 'IKKE_TILGANG_TIL_RESSURS',
        feilmelding: 'Ikke tilgang til ressurs',
      });
    });

    it('refuses a token whose scope claim is not exactly its own, and an exchanged one', async () => {
      expect((await askNav(await bench.systemUserToken(`${NAV_SCOPE} acme:x`))).json['feilkode']).toBe('UGYLDIG_TOKEN');
      expect((await askNav(await bench.exchangedSystemUser(NAV_SCOPE))).json['feilkode']).toBe('UGYLDIG_TOKEN');
      expect((await askNav('opaque')).json['feilkode']).toBe('IKKE_AUTENTISERT');
    });

    it('answers 400 without orgnr and 404 for what it has not', async () => {
      const token = await bench.systemUserToken(NAV_SCOPE);
      expect((await askNav(token, 'x')).status).toBe(400);
      expect((await askNav(token, CUSTOMER, 'annet')).status).toBe(404);
    });
  });

  describe('a Dialogporten-style API', () => {
    it('lists by right', async () => {
      const answer = await askDialogs(await bench.systemUserToken(DIALOGPORTEN));
      expect(answer.json['items']).toHaveLength(2);
    });

    it('answers an empty list, and no error, when the rights are gone', async () => {
      const token = await bench.systemUserToken(DIALOGPORTEN);
      bench.operator.revokeRight(id, KB);
      bench.operator.revokeRight(id, APP);
      const answer = await askDialogs(token);
      expect([answer.status, answer.json['items']]).toEqual([200, []]);
      expect((await askDialogs(token, OTHER)).json['items']).toEqual([]);
    });

    it('answers an empty list when the system user is gone', async () => {
      const token = await bench.systemUserToken(DIALOGPORTEN);
      bench.operator.deleteSystemUser(id);
      expect((await askDialogs(token)).json['items']).toEqual([]);
    });

    it('needs a raw token with its scope, and a party', async () => {
      expect((await askDialogs(await bench.systemUserToken('acme:x'))).status).toBe(403);
      expect((await askDialogs(await bench.exchangedSystemUser(DIALOGPORTEN))).status).toBe(401);
      expect((await askDialogs(await bench.systemUserToken(DIALOGPORTEN), 'x')).status).toBe(400);
    });
  });

  it('serve an agent for its clients only', async () => {
    bench.operator.systems.add([
      { id: SYSTEM, vendor: VENDOR },
      { id: AGENT_SYSTEM, vendor: VENDOR, clientIds: ['client-1'], accessPackages: [A_ORDNING] },
    ]);
    const agent = await bench.approved(
      { systemId: AGENT_SYSTEM, externalRef: 'agent', accessPackages: [{ urn: A_ORDNING }] },
      '/agent',
    );
    const dialogs = async (orgno: string): Promise<unknown> => {
      const token = await bench.systemUserToken(DIALOGPORTEN, CUSTOMER, 'agent');
      const path = `/dialogporten/api/v1/enduser/dialogs?party=urn:altinn:organization:identifier-no:${orgno}`;
      return (await bench.api(path, { token })).json['items'];
    };
    expect(await dialogs(CLIENT_A)).toEqual([]);
    bench.operator.addClient(agent, CLIENT_A);
    expect(await dialogs(CLIENT_A)).toMatchObject([{ serviceResource: `urn:altinn:resource:${AMELDING}` }]);
    expect(await dialogs(CUSTOMER)).toEqual([]);
  });

  it('break on command, each by its path', async () => {
    bench.operator.faults.add([
      { path: '/kravogbetalinger/*', status: 503, retryAfter: 1 },
      { path: '/ttd/*', html: true, status: 502 },
    ]);
    const kb = await bench.api(`/kravogbetalinger/v1/regnskapssystem/${CUSTOMER}/aapnekrav`);
    expect([kb.status, kb.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await bench.api('/ttd/returns/instances/create', { body: {} })).status).toBe(502);
  });
});
