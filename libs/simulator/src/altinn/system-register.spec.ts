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

const error = (number: string, path: string, title: string) => ({
  code: `AUTH.VLD-${number}`,
  title,
  paths: [`/registersystemrequest/${path}`],
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
    expect((await call('GET', `/${NEW_ID}`)).json).toEqual({
      ...system(),
      vendor: { ID: `0192:${VENDOR}` },
      isDeleted: false,
    });
    const listed = JSON.parse((await call('GET')).text) as { systemId: string }[];
    expect(listed.at(-1)).toEqual({
      systemId: NEW_ID,
      systemVendorOrgNumber: VENDOR,
      systemVendorOrgName: '',
      name: NAME,
      description: NAME,
      rights: [resourceRight(KB)],
      accessPackages: [{ urn: A_ORDNING }],
      isVisible: false,
    });
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
    const ids = (JSON.parse(answer.text) as { systemId: string }[]).map(({ systemId }) => systemId);
    expect(ids).toEqual([SYSTEM, `${VENDOR}_agent`]);
  });

  it.each([
    ['GET', '', undefined],
    ['PUT', '', { ...system({ id: 'whatever' }) }],
    ['PUT', '/rights', [resourceRight('nobody-knows')]],
    ['PUT', '/accesspackages', [{ urn: 'x' }]],
    ['DELETE', '', undefined],
    ['GET', '/changelog', undefined],
  ])('%s …%s of another vendor’s system is 403 without a body, whatever else is wrong', async (method, path, body) => {
    const answer = await call(method, `/${RIVAL}_payroll${path}`, body);
    expect([answer.status, answer.text]).toEqual([403, '']);
  });

  it('an unknown system is answered in five ways', async () => {
    const answer = async (method: string, path: string, body?: unknown) => {
      const { status, text, json, headers } = await call(method, `/${NEW_ID}${path}`, body);
      return [status, headers.get('content-type')?.split(';')[0], json['errors'] ?? json['title'] ?? text];
    };
    expect(await answer('GET', '')).toEqual([404, 'application/problem+json', 'Not Found']);
    expect(await answer('PUT', '', system())).toEqual([404, 'text/plain', `System with ID '${NEW_ID}' not found.`]);
    expect((await answer('PUT', '/rights', []))[0]).toBe(500);
    expect(await answer('DELETE', '')).toEqual([400, 'application/problem+json', { return: ['System not found'] }]);
    expect(await answer('GET', '/changelog')).toEqual([404, 'text/plain', `System with ID ${NEW_ID} not found.`]);
  });

  it.each(['id', 'vendor', 'name', 'description'])('%s is required, in POST and in PUT', async (member) => {
    const named = `${member.charAt(0).toUpperCase()}${member.slice(1)}`;
    for (const [method, path] of [
      ['POST', ''],
      ['PUT', `/${SYSTEM}`],
    ] as const) {
      const answer = await call(method, path, system({ id: SYSTEM, [member]: undefined }));
      expect([answer.status, answer.json['code']]).toEqual([400, undefined]);
      expect(answer.json['errors']).toEqual({ [named]: [`The ${named} field is required.`] });
    }
  });

  it('reads member names in any case, trims texts, and takes a system for visible when nothing else is said', async () => {
    const { isVisible: _visible, allowedRedirectUrls: _urls, clientId: _client, ...rest } = system();
    const lower = { ...rest, clientid: [' client-9 '], allowedredirecturls: ['https://vendor.example/back '] };
    expect((await call('POST', '', lower)).status).toBe(200);
    expect((await call('GET', `/${NEW_ID}`)).json).toMatchObject({
      clientId: ['client-9'],
      allowedRedirectUrls: ['https://vendor.example/back'],
      isVisible: true,
    });
  });

  it('a deletion is soft: the row stays and is told, the id is taken, the clients are free', async () => {
    await bench.approved();
    expect((await call('DELETE', `/${SYSTEM}`)).json).toEqual({ succeeded: true });
    expect((await call('GET', `/${SYSTEM}`)).json).toMatchObject({ id: SYSTEM, isDeleted: true, clientId: [] });
    expect((await call('GET')).text).not.toContain(`"${SYSTEM}"`);
    expect(await bench.grantOutcome(CUSTOMER)).toBe('MP-303');
    const again = await call('POST', '', system({ id: SYSTEM }));
    expect(again.json['validationErrors']).toMatchObject([
      { code: 'AUTH.VLD-00002', title: 'The system id already exists' },
    ]);
    expect((await call('POST', '', system({ clientId: ['client-1'] }))).status).toBe(200);
    const deleted = 'Cannot update a system marked as deleted.';
    for (const [path, body] of [
      ['', system({ id: SYSTEM })],
      ['/rights', []],
      ['/accesspackages', []],
    ] as const) {
      const answer = await call('PUT', `/${SYSTEM}${path}`, body);
      expect([answer.status, answer.text]).toEqual([400, deleted]);
    }
    const asked = await bench.authentication('/systemuser/vendor/bysystem/' + SYSTEM, {
      token: await bench.token(REGISTER),
    });
    expect([asked.status, asked.json['code']]).toEqual([404, 'AUTH-00011']);
  });

  it('a system without clients is marked as deleted although the answer is 400', async () => {
    await call('POST', '', system({ clientId: [] }));
    expect((await call('DELETE', `/${NEW_ID}`)).status).toBe(400);
    expect((await call('GET', `/${NEW_ID}`)).json).toMatchObject({ isDeleted: true });
  });

  it('replaces everything with PUT: what is left out is gone', async () => {
    const { clientId: _left, ...rest } = system({ id: SYSTEM });
    expect((await call('PUT', `/${SYSTEM}`, rest)).json).toEqual({ succeeded: true });
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

  it('keeps a change log, newest first, with what was sent as .NET writes it', async () => {
    const internalId: unknown = JSON.parse((await call('POST', '', system())).text);
    await call('PUT', `/${NEW_ID}/rights`, []);
    const log = JSON.parse((await call('GET', `/${NEW_ID}/changelog`)).text) as unknown;
    expect(log).toEqual([
      {
        systemInternalId: internalId,
        changedByOrgNumber: VENDOR,
        changeType: 'rightsupdate',
        changedData: [],
        clientId: 'client-1',
        created: expect.any(String),
      },
      {
        systemInternalId: internalId,
        changedByOrgNumber: VENDOR,
        changeType: 'create',
        changedData: {
          Id: NEW_ID,
          Vendor: { ID: `0192:${VENDOR}` },
          Name: NAME,
          Description: NAME,
          Rights: [{ Action: null, Resource: [{ id: 'urn:altinn:resource', value: KB }] }],
          AccessPackages: [{ urn: A_ORDNING }],
          ClientId: ['client-9'],
          IsVisible: false,
          AllowedRedirectUrls: ['https://vendor.example/back'],
        },
        clientId: 'client-1',
        created: expect.any(String),
      },
    ]);
    await call('DELETE', `/${NEW_ID}`);
    const [last] = JSON.parse((await call('GET', `/${NEW_ID}/changelog`)).text) as object[];
    expect(last).toMatchObject({ changeType: 'delete' });
    expect(last).not.toHaveProperty('changedData');
  });

  // Titles, paths and extensions to the letter.
  it.each<readonly [string, Record<string, unknown>, object]>([
    [
      'a vendor that is not in ISO 6523 form, alone',
      { vendor: { ID: VENDOR }, clientId: ['rival'] },
      error('00000', 'vendor/id', 'the org number identifier is not valid ISO6523 identifier'),
    ],
    [
      'an id that does not begin with the vendor',
      { id: `${RIVAL}_new` },
      error('00001', 'systemid', 'The system id does not match the format orgnumber_xxxx...'),
    ],
    ['an id that exists', { id: SYSTEM }, error('00002', 'systemid', 'The system id already exists')],
    [
      'resources that nobody knows',
      { rights: [resourceRight('ske-krav'), resourceRight('ske-innkreving')] },
      {
        ...error(
          '00003',
          'rights/resource',
          "One or more resources specified in rights were not found in Altinn's resource register.",
        ),
        'ResourceIds Not Found : ': 'ske-krav | ske-innkreving',
      },
    ],
    [
      'a client id of another system',
      { clientId: ['rival'] },
      error('00004', 'clientid', 'One of the client id is already tagged with an existing system'),
    ],
    ...['vendor.example', 'http://vendor.example/back'].map(
      (url) =>
        [
          `the redirect URL ${url}`,
          { allowedRedirectUrls: [url] },
          error(
            '00005',
            'allowedredirecturls',
            'One or more of the redirect urls format is not valid. The valid format is https://xxx.xx',
          ),
        ] as const,
    ),
    [
      'a right listed twice',
      { rights: [resourceRight(KB), resourceRight(KB)] },
      error('00006', 'rights/resource', 'One or more duplicate rights found'),
    ],
    [
      'a package listed twice',
      { accessPackages: [{ urn: A_ORDNING }, { urn: A_ORDNING }] },
      error('00007', 'accesspackages', 'One or more duplicate access package(s) found'),
    ],
    [
      'a package that nobody knows',
      { accessPackages: [{ urn: 'urn:altinn:accesspackage:none' }] },
      {
        ...error(
          '00008',
          'accesspackages',
          "One or all the accesspackage(s) is not found in altinn's access packages or is not delegable",
        ),
        'Invalid Urn Details : ': 'urn:altinn:accesspackage:none',
      },
    ],
    [
      'a resource without its URN',
      { rights: [{ resource: [{ id: 'resource', value: KB }] }] },
      {
        ...error(
          '00009',
          'rights/resource',
          'One or more resource id is in wrong format. The valid format is urn:altinn:resource',
        ),
        'Invalid Resource Id Details : ': `resource:${KB}`,
      },
    ],
    [
      'an id with a space',
      { id: `${VENDOR}_new system` },
      error('00013', 'systemid', 'System ID cannot have spaces in id (leading, trailing or in between the id)'),
    ],
    [
      'a visible system with packages for clients only',
      { isVisible: true, accessPackages: [{ urn: CLIENT_ONLY }] },
      error(
        '00018',
        'accesspackages',
        "Access packages meant for system user for client relations can't be used in combination with the flag isVisible: true",
      ),
    ],
  ])('refuses %s', async (_name, members, expected) => {
    const answer = await call('POST', '', system(members));
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      type: 'urn:altinn:error:STD-00000',
      title: 'One or more validation errors occurred.',
      code: 'STD-00000',
      validationErrors: [expected],
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
    expect(answer.json['validationErrors']).toMatchObject([
      { code: 'AUTH.VLD-00012', paths: ['/registersystemrequest/systemid'] },
    ]);
  });

  it('a PUT for another vendor than the system’s is not found; redirect URLs are not looked at; a client counts once', async () => {
    const other = await call('PUT', `/${SYSTEM}`, system({ id: SYSTEM, vendor: { ID: `0192:${RIVAL}` } }));
    expect([other.status, other.text]).toEqual([404, `System with ID '${SYSTEM}' not found.`]);
    const twice = await call('PUT', `/${SYSTEM}`, system({ id: SYSTEM, clientId: ['a', 'a'] }));
    expect(twice.json['validationErrors']).toMatchObject([
      { code: 'AUTH.VLD-00011', title: 'Request contains duplicate client ids' },
    ]);
    expect((await call('PUT', `/${SYSTEM}`, system({ id: SYSTEM, allowedRedirectUrls: ['x'] }))).status).toBe(200);
  });

  it('lists every problem at once, in Altinn’s order', async () => {
    const members = {
      id: `${RIVAL}_payroll x`,
      allowedRedirectUrls: ['x'],
      clientId: ['rival'],
      rights: [{ resource: [{ id: 'y', value: 'z' }] }, resourceRight('none'), resourceRight(KB), resourceRight(KB)],
      accessPackages: [{ urn: 'none' }, { urn: CLIENT_ONLY }, { urn: CLIENT_ONLY }],
      isVisible: true,
    };
    const answer = await call('POST', '', system(members));
    expect((answer.json['validationErrors'] as { code: string }[]).map(({ code }) => code.slice(-5))).toEqual([
      '00013',
      '00001',
      '00005',
      '00004',
      '00009',
      '00003',
      '00006',
      '00008',
      '00007',
      '00018',
    ]);
  });

  it('refuses a vendor that is not the token’s with 403', async () => {
    const members = { id: 'x y', vendor: { ID: `0192:${RIVAL}` }, clientId: ['rival'] };
    const answer = await call('POST', '', system(members));
    expect([answer.status, answer.text]).toEqual([403, '']);
  });

  it.each(['GET', 'POST'])('needs its scope for %s', async (method) => {
    const answer = await call(method, '', method === 'POST' ? system() : undefined, REQUEST_WRITE);
    expect([answer.status, answer.text]).toEqual([403, '']);
  });
});
