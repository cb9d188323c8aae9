import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_SYSTEM,
  AMELDING,
  A_ORDNING,
  type Answer,
  AltinnBench,
  CLIENT_ONLY,
  KB,
  REDIRECT,
  REGISTER,
  REQUEST_READ,
  REQUEST_WRITE,
  RIVAL,
  SYSTEM,
  resourceRight,
} from '../altinn.fixtures.js';
import { CUSTOMER, VENDOR } from '../grants.fixtures.js';

const PATH = '/systemuser/request/vendor';
const KB_RIGHT = resourceRight(KB, 'read');

describe('requests for system users', () => {
  let bench: AltinnBench;
  let write: string;
  let read: string;

  const post = (body: Record<string, unknown>, path = '', token = write): Promise<Answer> =>
    bench.authentication(`${PATH}${path}`, { token, body });
  const ask = (members: Record<string, unknown> = {}): Promise<Answer> =>
    post({ systemId: SYSTEM, partyOrgNo: CUSTOMER, rights: [KB_RIGHT], ...members });
  const askAgent = (members: Record<string, unknown> = {}): Promise<Answer> =>
    post({ systemId: AGENT_SYSTEM, partyOrgNo: CUSTOMER, accessPackages: [{ urn: A_ORDNING }], ...members }, '/agent');
  const get = (path: string, token = read): Promise<Answer> => bench.authentication(`${PATH}/${path}`, { token });
  const remove = (id: unknown, token = write): Promise<Answer> =>
    bench.authentication(`${PATH}/${String(id)}`, { method: 'DELETE', token });

  const expectProblem = (answer: Answer, status: number, code: string): void => {
    expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.json).toMatchObject({
      type: `urn:altinn:error:${code}`,
      status,
      title: expect.any(String),
      traceId: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/),
    });
    expect(bench.simulator.log.at(-1)?.refusal?.error).toBe(code);
  };

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    bench.operator.reset();
    write = await bench.token(REQUEST_WRITE);
    read = await bench.token(REQUEST_READ);
  });

  describe('creating', () => {
    it('answers 201 with the request, its place, and where the customer decides', async () => {
      const answer = await ask({ externalRef: 'ref-1', redirectUrl: REDIRECT, accessPackages: [{ urn: A_ORDNING }] });
      const id = String(answer.json['id']);
      expect(answer.status).toBe(201);
      expect(answer.headers.get('location')).toBe(`${bench.simulator.platformUrl}/authentication/api/v1${PATH}/${id}`);
      expect(answer.json).toEqual({
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        integrationTitle: SYSTEM,
        externalRef: 'ref-1',
        systemId: SYSTEM,
        partyOrgNo: CUSTOMER,
        rights: [KB_RIGHT],
        accessPackages: [{ urn: A_ORDNING }],
        status: 'New',
        redirectUrl: REDIRECT,
        confirmUrl: `${bench.simulator.operatorUrl}/accessmanagement/ui/systemuser/request?id=${id}&DONTCHOOSEREPORTEE=true`,
        escalated: false,
        created: new Date(bench.grants.clock.nowMs).toISOString(),
        timedOut: false,
      });
    });

    it('takes the organisation number as externalRef when there is none, trims, and omits what is null', async () => {
      const { json } = await ask({ externalRef: '  ', integrationTitle: ' My title ', systemId: ` ${SYSTEM} ` });
      expect(json).toMatchObject({ externalRef: CUSTOMER, integrationTitle: 'My title', systemId: SYSTEM });
      expect(json).not.toHaveProperty('redirectUrl');
    });

    it('takes a token that was exchanged too', async () => {
      const token = await bench.exchanged(REQUEST_WRITE);
      expect((await post({ systemId: SYSTEM, partyOrgNo: CUSTOMER, rights: [KB_RIGHT] }, '', token)).status).toBe(201);
    });

    it('answers 200 with the same request when asked again', async () => {
      const first = await ask();
      const second = await ask({ rights: [resourceRight('app_ttd_returns')] });
      expect([first.status, second.status]).toEqual([201, 200]);
      expect(second.json).toEqual(first.json);
    });

    it('answers 200 with a rejected request: the vendor must delete it first', async () => {
      const { id } = (await ask()).json;
      bench.operator.reject(String(id));
      const again = await ask();
      expect([again.status, again.json['id'], again.json['status']]).toEqual([200, id, 'Rejected']);
      expect((await remove(id)).status).toBe(202);
      const renewed = await ask();
      expect(renewed.status).toBe(201);
      expect(renewed.json['id']).not.toBe(id);
    });

    it('makes a new one after a request that is Timedout', async () => {
      const { id } = (await ask()).json;
      bench.operator.timeOut(String(id));
      expect((await get(String(id))).json).toMatchObject({ status: 'Timedout', timedOut: true });
      expect((await ask()).status).toBe(201);
    });

    it('answers 200 with a request that is only flagged as timed out, as the source does', async () => {
      const { id } = (await ask()).json;
      bench.operator.timeOut(String(id), 'flag');
      const again = await ask();
      expect(again.status).toBe(200);
      expect(again.json).toMatchObject({ id, status: 'New', timedOut: true });
    });

    it('flags a request after 180 days', async () => {
      const { id } = (await ask()).json;
      bench.grants.clock.advance(181 * 24 * 3600);
      const answer = await get(String(id), await bench.token(REQUEST_READ));
      expect(answer.json).toMatchObject({ status: 'New', timedOut: true });
    });

    it('answers AUTH-00004 when the system user exists', async () => {
      await bench.approved();
      expectProblem(await ask(), 400, 'AUTH-00004');
    });

    it('takes another externalRef beside it', async () => {
      await bench.approved();
      expect((await ask({ externalRef: 'second' })).status).toBe(201);
    });

    it.each<readonly [string, Record<string, unknown>, number, string]>([
      ['a right that the system has not', { rights: [resourceRight(AMELDING)] }, 400, 'AUTH-00001'],
      ['an action that the system has not', { rights: [resourceRight(KB, 'write')] }, 400, 'AUTH-00001'],
      ['a right without the action that the system names', { rights: [resourceRight(KB)] }, 400, 'AUTH-00001'],
      ['neither rights nor packages', { rights: undefined }, 400, 'AUTH-00001'],
      ['empty rights and packages', { rights: [], accessPackages: [] }, 400, 'AUTH-00059'],
      [
        'a package that the system has not',
        { accessPackages: [{ urn: 'urn:altinn:accesspackage:x' }] },
        400,
        'AUTH-00063',
      ],
      ['a package that is for clients only', { accessPackages: [{ urn: CLIENT_ONLY }] }, 400, 'AUTH-00064'],
      ['a redirect URL that is not registered', { redirectUrl: 'https://vendor.example/other' }, 400, 'AUTH-00021'],
      ['a redirect URL with another scheme', { redirectUrl: REDIRECT.replace('https', 'http') }, 400, 'AUTH-00021'],
      ['an organisation with a wrong checksum', { partyOrgNo: '310000010' }, 400, 'AUTH-00000'],
      ['an organisation in ISO 6523 form', { partyOrgNo: `0192:${CUSTOMER}` }, 400, 'AUTH-00000'],
      ['a system that is not there', { systemId: `${VENDOR}_none` }, 404, 'AUTH-00011'],
      ['the system of another vendor', { systemId: `${RIVAL}_payroll` }, 404, 'AUTH-00011'],
    ])('for %s is refused', async (_name, members, status, code) => {
      expectProblem(await ask(members), status, code);
      expect(bench.operator.requests.list()).toEqual([]);
    });

    it('names the packages that it refuses at the top level', async () => {
      const { json } = await ask({ accessPackages: [{ urn: CLIENT_ONLY }] });
      expect(json['NotDelegablePackages']).toBe(CLIENT_ONLY);
      const unknown = await ask({ accessPackages: [{ urn: 'urn:altinn:accesspackage:x' }] });
      expect(unknown.json['NotFoundPackages']).toBe('urn:altinn:accesspackage:x');
    });

    it('is refused for an organisation that the register does not know', async () => {
      bench.operator.organisations.add({ orgno: CUSTOMER, registered: false });
      expectProblem(await ask(), 400, 'AUTH-00000');
    });

    it('is refused with a redirect URL when the system has none', async () => {
      bench.operator.systems.add({ id: SYSTEM, vendor: VENDOR, rights: [KB_RIGHT] });
      expectProblem(await ask({ redirectUrl: REDIRECT }), 400, 'AUTH-00026');
    });

    it('is refused for a right that cannot be delegated', async () => {
      bench.operator.resources.add({ id: KB, delegable: false });
      expectProblem(await ask(), 400, 'AUTH-00001');
    });

    it('compares redirect URLs without their query', async () => {
      expect((await ask({ redirectUrl: `${REDIRECT}?state=1` })).status).toBe(201);
    });

    it('answers the framework’s own 400, without a code, when a required member is missing', async () => {
      const answer = await post({ rights: [KB_RIGHT] });
      expect(answer.status).toBe(400);
      expect(answer.json).not.toHaveProperty('code');
      expect(answer.json['errors']).toEqual({ SystemId: [expect.any(String)], PartyOrgNo: [expect.any(String)] });
    });
  });

  describe('for an agent', () => {
    it('have packages only, and a link of their own', async () => {
      const { status, json } = await askAgent();
      expect(status).toBe(201);
      expect(json['confirmUrl']).toContain(`/accessmanagement/ui/systemuser/agentrequest?id=${String(json['id'])}&`);
      expect(json).not.toHaveProperty('rights');
    });

    it('need a package', async () => {
      expectProblem(await askAgent({ accessPackages: [] }), 400, 'AUTH-00058');
    });

    it('refuse a package that is not for clients', async () => {
      expectProblem(await askAgent({ accessPackages: [{ urn: 'urn:altinn:accesspackage:lonn' }] }), 400, 'AUTH-00065');
    });

    it('take a package that is for clients only', async () => {
      expect((await askAgent({ accessPackages: [{ urn: CLIENT_ONLY }] })).status).toBe(201);
    });

    it('are read under /agent, where a standard request gives AUTH-00025', async () => {
      const agent = (await askAgent()).json;
      const standard = (await ask()).json;
      expect((await get(`agent/${String(agent['id'])}`)).json).toEqual(agent);
      expectProblem(await get(`agent/${String(standard['id'])}`), 400, 'AUTH-00025');
    });
  });

  describe('reading and deleting', () => {
    it('gives the same body as creating', async () => {
      const { json } = await ask();
      const answer = await get(String(json['id']));
      expect([answer.status, answer.json]).toEqual([200, json]);
    });

    it('finds by external reference', async () => {
      const { json } = await ask();
      expect((await get(`byexternalref/${SYSTEM}/${CUSTOMER}/${CUSTOMER}`)).json).toEqual(json);
      expectProblem(await get(`byexternalref/${SYSTEM}/${CUSTOMER}/other`), 404, 'AUTH-00010');
    });

    it('answers AUTH-00010 for an unknown id, also to DELETE', async () => {
      const id = 'a1a1a1a1-0000-4000-8000-000000000000';
      expectProblem(await get(id), 404, 'AUTH-00010');
      expectProblem(await remove(id), 404, 'AUTH-00010');
    });

    it('answers 400 without a code for an id that is no UUID', async () => {
      const answer = await get('abc');
      expect(answer.status).toBe(400);
      expect(answer.json).not.toHaveProperty('code');
    });

    it('answers AUTH-00011 for another vendor’s request', async () => {
      const { id } = (await ask()).json;
      expectProblem(await get(String(id), await bench.token(REQUEST_READ, 'rival')), 404, 'AUTH-00011');
      expectProblem(await remove(id, await bench.token(REQUEST_WRITE, 'rival')), 404, 'AUTH-00011');
      expect((await get(String(id))).status).toBe(200);
    });

    it('answers 202 to DELETE, and the request is gone', async () => {
      const { id } = (await ask()).json;
      const answer = await remove(id);
      expect([answer.status, answer.text]).toEqual([202, '']);
      expectProblem(await get(String(id)), 404, 'AUTH-00010');
    });

    it('lists by system, 50 to a page, with a UUID as cursor that loses a row at the border', async () => {
      bench.operator.requests.add(
        Array.from({ length: 60 }, (_, index) => ({ systemId: SYSTEM, orgno: CUSTOMER, externalRef: `r${index}` })),
      );
      const first = await get(`bysystem/${SYSTEM}`);
      const { next } = first.json['links'] as { next: string };
      expect(first.json['data']).toHaveLength(50);
      expect(next).toMatch(/bysystem\/310000019_payroll\?token=[0-9a-f-]{36}$/);
      const second = await get(`bysystem/${SYSTEM}?token=${next.split('token=')[1]}`);
      expect(second.json).toMatchObject({ links: {} });
      expect(second.json['data']).toHaveLength(9);
    });
  });

  describe('scopes and tokens', () => {
    it.each([
      ['POST', '', REQUEST_READ],
      ['POST', '/agent', REQUEST_READ],
      ['DELETE', '/a1a1a1a1-0000-4000-8000-000000000000', REQUEST_READ],
      ['GET', '/a1a1a1a1-0000-4000-8000-000000000000', REQUEST_WRITE],
      ['GET', `/byexternalref/${SYSTEM}/1/1`, REQUEST_WRITE],
      ['GET', `/bysystem/${SYSTEM}`, REGISTER],
    ])('%s %s with %s is 403 with an empty body; without token 401 with an empty body', async (method, path, scope) => {
      const body = method === 'POST' ? { body: {} } : {};
      const refused = await bench.authentication(`${PATH}${path}`, {
        method,
        token: await bench.token(scope),
        ...body,
      });
      expect([refused.status, refused.text]).toEqual([403, '']);
      const anonymous = await bench.authentication(`${PATH}${path}`, { method, ...body });
      expect([anonymous.status, anonymous.text]).toEqual([401, '']);
    });
  });

  describe('what the customer decides', () => {
    it('approving makes the system user, with the id of the request', async () => {
      const { id } = (await ask()).json;
      expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
      bench.operator.approve(String(id));
      expect((await get(String(id))).json).toMatchObject({ id, status: 'Accepted', rights: [KB_RIGHT] });
      expect(bench.operator.systemUsers.get(String(id))).toMatchObject({ orgno: CUSTOMER, systemId: SYSTEM });
      expect(await bench.grantOutcome(CUSTOMER)).toBe(200);
    });

    it('rejecting leaves no system user', async () => {
      const { id } = (await ask()).json;
      bench.operator.reject(String(id));
      expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
    });

    it('deleting the system user deletes its request: reading is AUTH-00010, and a new one is 201', async () => {
      const id = await bench.approved();
      bench.operator.deleteSystemUser(id);
      expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
      expectProblem(await get(id), 404, 'AUTH-00010');
      expect((await ask()).status).toBe(201);
    });

    it('can leave the request of a deleted system user, because the removal is best effort', async () => {
      bench.operator.altinn.change({ keepRequestOfDeletedUser: true });
      const id = await bench.approved();
      bench.operator.deleteSystemUser(id);
      expect((await ask()).json).toMatchObject({ id, status: 'Accepted' });
    });

    it('happens over HTTP as well', async () => {
      const control = (method: string, path: string) => bench.control(path, { method });
      const { id } = (await ask()).json;
      expect((await control('POST', `/requests/${String(id)}/approve`)).status).toBe(204);
      expect((await control('POST', `/requests/${String(id)}/approve`)).status).toBe(409);
      expect((await control('POST', '/requests/a1a1a1a1-0000-4000-8000-000000000000/approve')).status).toBe(404);
      expect((await control('DELETE', `/systemUsers/${String(id)}`)).status).toBe(204);
      expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
      const second = (await ask()).json;
      expect((await control('POST', `/requests/${String(second['id'])}/reject`)).status).toBe(204);
      const third = (await ask({ externalRef: 'third' })).json;
      const flagged = await bench.control(`/requests/${String(third['id'])}/timeout`, { body: { form: 'flag' } });
      expect(flagged.status).toBe(204);
      expect(await (await fetch(`${bench.simulator.operatorUrl}/operator/api/requests`)).json()).toMatchObject([
        { status: 'Rejected' },
        { status: 'New', timedOut: true },
      ]);
    });

    it('approves only what is New', async () => {
      const { id } = (await ask()).json;
      bench.operator.reject(String(id));
      expect(() => bench.operator.approve(String(id))).toThrow(/Rejected, not New/);
    });
  });
});
