import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  AGENT_SYSTEM,
  AMELDING,
  A_ORDNING,
  type Answer,
  AltinnBench,
  CLIENT_ONLY,
  KB,
  REDIRECT,
  REQUEST_READ,
  REQUEST_WRITE,
  SYSTEM,
  resourceRight,
} from '../altinn.fixtures.js';
import { CUSTOMER } from '../grants.fixtures.js';

const PATH = '/systemuser/changerequest/vendor';
const RETURNS = resourceRight('app_ttd_returns');
const NOBODY = 'a1a1a1a1-0000-4000-8000-000000000000';

const codeOf = ({ status, json }: Answer): readonly unknown[] => [status, json['code']];

describe('change requests', () => {
  let bench: AltinnBench;
  let userId: string;

  const ask = async (
    body: Record<string, unknown>,
    query: Record<string, string> = {},
    clientId = 'client-1',
  ): Promise<Answer> => {
    const all = { 'correlation-id': randomUUID(), 'system-user-id': userId, ...query };
    const token = await bench.token(REQUEST_WRITE, clientId);
    return bench.authentication(`${PATH}?${new URLSearchParams(all).toString()}`, { token, body });
  };
  const get = async (path: string): Promise<Answer> =>
    bench.authentication(`${PATH}/${path}`, { token: await bench.token(REQUEST_READ) });

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    bench.operator.reset();
    userId = await bench.approved();
  });

  it('answer 201; the id is the correlation id', async () => {
    const id = randomUUID();
    const content = {
      requiredRights: [RETURNS],
      unwantedRights: [resourceRight(KB, 'read')],
      requiredAccessPackages: [{ urn: A_ORDNING }],
      redirectUrl: REDIRECT,
    };
    const answer = await ask(content, { 'correlation-id': id });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id,
      externalRef: CUSTOMER,
      systemId: SYSTEM,
      systemUserId: userId,
      partyOrgNo: CUSTOMER,
      ...content,
      unwantedAccessPackages: [],
      status: 'New',
      confirmUrl: `${bench.simulator.operatorUrl}/accessmanagement/ui/systemuser/changerequest?id=${id}&DONTCHOOSEREPORTEE=true`,
      created: expect.any(String),
      timedOut: false,
    });
    expect((await get(id)).json).toEqual(answer.json);
    expect((await get(`byexternalref/${SYSTEM}/${CUSTOMER}/${CUSTOMER}`)).json).toEqual(answer.json);
    expect((await get(`bysystem/${SYSTEM}`)).json).toEqual({ links: {}, data: [answer.json] });
  });

  it('change the system user when the customer approves, and not before', async () => {
    const { json } = await ask({
      requiredRights: [RETURNS],
      unwantedRights: [resourceRight(KB, 'read')],
      requiredAccessPackages: [{ urn: A_ORDNING }],
    });
    expect(bench.operator.systemUsers.get(userId)).toMatchObject({ rights: [resourceRight(KB, 'read')] });
    bench.operator.approve(String(json['id']));
    expect(bench.operator.systemUsers.get(userId)).toMatchObject({ rights: [RETURNS], accessPackages: [A_ORDNING] });
    expect((await get(String(json['id']))).json).toMatchObject({ status: 'Accepted' });
    const back = await ask({ unwantedAccessPackages: [{ urn: A_ORDNING }] });
    bench.operator.approve(String(back.json['id']));
    expect(bench.operator.systemUsers.get(userId)).toMatchObject({ accessPackages: [] });
  });

  it('leave it alone when the customer rejects, over HTTP', async () => {
    const { json } = await ask({ requiredRights: [RETURNS] });
    const answer = await bench.control(`/changeRequests/${String(json['id'])}/reject`, { method: 'POST' });
    expect(answer.status).toBe(204);
    expect(bench.operator.systemUsers.get(userId)).toMatchObject({ rights: [resourceRight(KB, 'read')] });
    expect((await get(String(json['id']))).json).toMatchObject({ status: 'Rejected' });
  });

  it('answer 200 NoChangeNeeded for four empty lists, and keep nothing', async () => {
    const answer = await ask({ requiredRights: [], unwantedRights: null });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ status: 'NoChangeNeeded', systemUserId: userId });
    expect(answer.json).not.toHaveProperty('confirmUrl');
    expect(bench.operator.changeRequests.list()).toEqual([]);
  });

  it('answer 200 with the same one when the correlation id comes again, and 409 when it is decided', async () => {
    const query = { 'correlation-id': randomUUID() };
    const first = await ask({ requiredRights: [RETURNS] }, query);
    const second = await ask({ requiredRights: [RETURNS] }, query);
    expect([second.status, second.json]).toEqual([200, first.json]);
    bench.operator.reject(query['correlation-id']);
    expect(codeOf(await ask({ requiredRights: [RETURNS] }, query))).toEqual([409, 'AUTH-00061']);
  });

  it.each([
    ['missing', ''],
    ['no UUID', 'abc'],
  ])('answer 400 in plain text when the correlation id is %s', async (_name, id) => {
    const answer = await ask({ requiredRights: [RETURNS] }, { 'correlation-id': id });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it('answer 400 in plain text when the correlation id is that of the system user', async () => {
    const answer = await ask({ requiredRights: [RETURNS] }, { 'correlation-id': userId });
    expect([answer.status, answer.json]).toEqual([400, {}]);
  });

  it('answer AUTH-00015 for an unknown system user, even if the body names one', async () => {
    const body = { requiredRights: [RETURNS], systemId: SYSTEM, partyOrgNo: CUSTOMER };
    expect(codeOf(await ask(body, { 'system-user-id': NOBODY }))).toEqual([404, 'AUTH-00015']);
    expect(codeOf(await ask(body, { 'system-user-id': '' }))).toEqual([404, 'AUTH-00015']);
  });

  it('answer AUTH-00015 for an agent', async () => {
    const agent = await bench.approved(
      { systemId: AGENT_SYSTEM, externalRef: 'agent', accessPackages: [{ urn: A_ORDNING }] },
      '/agent',
    );
    const body = { requiredAccessPackages: [{ urn: A_ORDNING }] };
    expect(codeOf(await ask(body, { 'system-user-id': agent }))).toEqual([404, 'AUTH-00015']);
  });

  it('answer 401 for another vendor’s system user', async () => {
    const answer = await ask({ requiredRights: [RETURNS] }, {}, 'rival');
    expect([answer.status, answer.text]).toEqual([401, '']);
  });

  it.each<readonly [string, Record<string, unknown>, string]>([
    ['a right that the system has not', { requiredRights: [resourceRight(AMELDING)] }, 'AUTH-00001'],
    [
      'a package that the system has not',
      { requiredAccessPackages: [{ urn: 'urn:altinn:accesspackage:x' }] },
      'AUTH-00063',
    ],
    ['a package for clients only', { requiredAccessPackages: [{ urn: CLIENT_ONLY }] }, 'AUTH-00064'],
    [
      'a redirect URL that is not registered',
      { requiredRights: [RETURNS], redirectUrl: 'https://x.example/' },
      'AUTH-00021',
    ],
  ])('are refused for %s', async (_name, body, code) => {
    expect(codeOf(await ask(body))).toEqual([400, code]);
  });

  it('are deleted with 202, and unknown afterwards', async () => {
    const { json } = await ask({ requiredRights: [RETURNS] });
    const path = `${PATH}/${String(json['id'])}`;
    const token = await bench.token(REQUEST_WRITE);
    expect((await bench.authentication(path, { method: 'DELETE', token })).status).toBe(202);
    expect(codeOf(await get(String(json['id'])))).toEqual([404, 'AUTH-00010']);
  });

  it('are gone with their system user', async () => {
    const { json } = await ask({ requiredRights: [RETURNS] });
    bench.operator.deleteSystemUser(userId);
    expect(codeOf(await get(String(json['id'])))).toEqual([404, 'AUTH-00010']);
  });

  it('need the scopes of requests', async () => {
    const token = await bench.token(REQUEST_READ);
    expect((await bench.authentication(PATH, { token, body: {} })).status).toBe(403);
    const write = await bench.token(REQUEST_WRITE);
    expect((await bench.authentication(`${PATH}/${NOBODY}`, { token: write })).status).toBe(403);
  });
});
