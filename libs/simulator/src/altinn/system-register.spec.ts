import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  A_ORDNING,
  type Answer,
  AltinnBench,
  CLIENT_ONLY,
  KB,
  REGISTER,
  REQUEST_WRITE,
  RIVAL,
  SYSTEM,
  resourceRight,
} from '../altinn.fixtures.js';
import { CUSTOMER, VENDOR } from '../grants.fixtures.js';

const PATH = '/systemregister/vendor';
const NAME = { nb: 'Lønn', nn: 'Løn', en: 'Payroll' };
const NEW_ID = `${VENDOR}_new`;

const system = (members: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: NEW_ID,
  vendor: { authority: 'iso6523-actorid-upis', ID: `0192:${VENDOR}` },
  name: NAME,
  description: NAME,
  rights: [resourceRight(KB)],
  accessPackages: [{ urn: A_ORDNING }],
  clientId: ['client-9'],
  allowedRedirectUrls: ['https://vendor.example/back'],
  isVisible: false,
  ...members,
});

describe('the system register', () => {
  let bench: AltinnBench;

  const call = async (method: string, path = '', body?: unknown, scope = REGISTER): Promise<Answer> =>
    bench.authentication(`${PATH}${path}`, {
      method,
      token: await bench.token(scope),
      ...(body !== undefined && { body }),
    });
  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.operator.reset());

  it('answers a new system with a bare JSON string, and shows it as it was sent', async () => {
    const created = await call('POST', '', system());
    expect(created.status).toBe(200);
    expect(created.headers.get('content-type')).toMatch(/^application\/json/);
    const internalId: unknown = JSON.parse(created.text);
    expect(internalId).toMatch(/^[0-9a-f-]{36}$/);
    expect((await call('GET', `/${NEW_ID}`)).json).toMatchObject({ internalId, ...system() });
  });

  it('counts for requests and grants from then on', async () => {
    await call('POST', '', system({ clientId: ['unlisted'], rights: [resourceRight(KB, 'read')] }));
    expect(await bench.grantOutcome(CUSTOMER, undefined, 'unlisted')).toBe('MP-303');
    await bench.approved({ systemId: NEW_ID });
    expect(await bench.grantOutcome(CUSTOMER, undefined, 'unlisted')).toBe(200);
    expect((await call('DELETE', `/${NEW_ID}`)).status).toBe(200);
    expect(await bench.grantOutcome(CUSTOMER, undefined, 'unlisted')).toBe('MP-303');
  });

  it('lists the vendor’s own systems only', async () => {
    const answer = await call('GET');
    const ids = (JSON.parse(answer.text) as { id: string }[]).map(({ id }) => id);
    expect(ids).toEqual([SYSTEM, `${VENDOR}_agent`]);
    const foreign = await call('GET', `/${RIVAL}_payroll`);
    expect([foreign.status, foreign.json['code']]).toEqual([404, 'AUTH-00011']);
  });

  it('replaces everything with PUT: what is left out is gone', async () => {
    const { clientId: _left, ...rest } = system({ id: SYSTEM });
    expect((await call('PUT', `/${SYSTEM}`, rest)).json).toEqual({ success: true });
    expect(bench.operator.systems.get(SYSTEM)).toMatchObject({ clientIds: [], rights: [resourceRight(KB)] });
    await bench.approved({ rights: [resourceRight(KB)] });
    expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
  });

  it('leaves existing system users as they are', async () => {
    const id = await bench.approved();
    await call('PUT', `/${SYSTEM}/rights`, []);
    expect(bench.operator.systems.get(SYSTEM)?.rights).toEqual([]);
    expect(bench.operator.systemUsers.get(id)?.rights).toEqual([resourceRight(KB, 'read')]);
  });

  it('replaces rights and packages alone', async () => {
    expect((await call('PUT', `/${SYSTEM}/rights`, [resourceRight(KB)])).status).toBe(200);
    expect((await call('PUT', `/${SYSTEM}/accesspackages`, [{ urn: A_ORDNING }])).status).toBe(200);
    expect(bench.operator.systems.get(SYSTEM)).toMatchObject({
      rights: [resourceRight(KB)],
      accessPackages: [A_ORDNING],
      clientIds: ['client-1'],
    });
    expect((await call('PUT', `/${SYSTEM}/rights`, [resourceRight('none')])).status).toBe(400);
    expect((await call('PUT', `/${SYSTEM}/accesspackages`, [{ urn: 'urn:x' }])).status).toBe(400);
  });

  it('keeps a change log', async () => {
    await call('POST', '', system());
    await call('PUT', `/${NEW_ID}/rights`, []);
    const log = JSON.parse((await call('GET', `/${NEW_ID}/changelog`)).text) as unknown;
    expect(log).toMatchObject([
      { changeType: 'Create', changedByOrgNumber: VENDOR },
      { changeType: 'RightsUpdate', changedData: { rights: [] } },
    ]);
  });

  it.each<readonly [string, Record<string, unknown>, string]>([
    ['a vendor that is not in ISO 6523 form', { vendor: { ID: VENDOR } }, '00000'],
    ['an id that does not begin with the vendor', { id: `${RIVAL}_new` }, '00001'],
    ['an id that exists', { id: SYSTEM }, '00002'],
    ['a resource that nobody knows', { rights: [resourceRight('ske-krav')] }, '00003'],
    ['a client id of another system', { clientId: ['rival'] }, '00004'],
    ['a redirect URL without scheme', { allowedRedirectUrls: ['vendor.example'] }, '00005'],
    ['a right listed twice', { rights: [resourceRight(KB), resourceRight(KB)] }, '00006'],
    ['a package listed twice', { accessPackages: [{ urn: A_ORDNING }, { urn: A_ORDNING }] }, '00007'],
    ['a package that nobody knows', { accessPackages: [{ urn: 'urn:altinn:accesspackage:none' }] }, '00008'],
    ['a resource without its URN', { rights: [{ resource: [{ id: 'resource', value: KB }] }] }, '00009'],
    ['a client id listed twice', { clientId: ['a', 'a'] }, '00011'],
    ['an id with a space', { id: `${VENDOR}_new system` }, '00013'],
    [
      'a visible system with packages for clients only',
      { isVisible: true, accessPackages: [{ urn: CLIENT_ONLY }] },
      '00018',
    ],
  ])('refuses %s with AUTH.VLD-…', async (_name, members, number) => {
    const answer = await call('POST', '', system(members));
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      type: 'urn:altinn:error:STD-00000',
      code: 'STD-00000',
      validationErrors: [{ code: `AUTH.VLD-${number}`, paths: [expect.stringMatching(/^\/registersystemrequest\//)] }],
    });
    expect(bench.operator.systems.get(NEW_ID)).toBeUndefined();
  });

  it('refuses a resource whose type cannot be delegated with AUTH.VLD-00017', async () => {
    bench.operator.resources.add({ id: 'schema', delegable: false });
    const answer = await call('POST', '', system({ rights: [resourceRight('schema')] }));
    expect(answer.json['validationErrors']).toMatchObject([{ code: 'AUTH.VLD-00017' }]);
  });

  it('refuses a PUT whose id is not that of the URL with AUTH.VLD-00012', async () => {
    const answer = await call('PUT', `/${SYSTEM}`, system());
    expect(answer.json['validationErrors']).toMatchObject([{ code: 'AUTH.VLD-00012' }]);
  });

  it('lists every problem at once', async () => {
    const answer = await call('POST', '', system({ clientId: ['rival', 'rival'], allowedRedirectUrls: ['x'] }));
    expect((answer.json['validationErrors'] as { code: string }[]).map(({ code }) => code)).toEqual([
      'AUTH.VLD-00004',
      'AUTH.VLD-00011',
      'AUTH.VLD-00005',
    ]);
  });

  it('refuses a vendor that is not the token’s with 403', async () => {
    const members = { id: `${RIVAL}_new`, vendor: { ID: `0192:${RIVAL}` } };
    const answer = await call('POST', '', system(members));
    expect([answer.status, answer.text]).toEqual([403, '']);
  });

  it.each(['GET', 'POST'])('needs its scope for %s', async (method) => {
    const answer = await call(method, '', method === 'POST' ? system() : undefined, REQUEST_WRITE);
    expect([answer.status, answer.text]).toEqual([403, '']);
  });
});
