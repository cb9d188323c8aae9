import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { organisationNumber, testClient, type TestClient } from '../altinn/altinn-client.fixtures.js';
import { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import { isMaskinportenError } from '../errors/index.js';
import { RESOURCE } from './system-user.fixtures.js';
import { SystemUserService } from './system-user.service.js';

const CUSTOMER = organisationNumber(1);
const ID = '0b4d1c6a-9f0e-4c39-8d0b-3d2f1a5c7e11';
const wire = (value: string): object => ({ resource: [{ id: 'urn:altinn:resource', value }] });
const NO_TEXTS = [null, 5, true, {}, [], '', '  ', Symbol('text'), () => 'text'];
const NO_LISTS = [null, 5, 'text', {}, new Set(['a'])];
const NO_OBJECTS = [undefined, null, 5, 'text', [], Symbol('object')];
const NO_RIGHTS = [...NO_OBJECTS, {}, { action: 'read' }];

type Method = (service: SystemUserService, value: never) => unknown;

const each = async (values: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of values) break;
};

const request =
  (field: string): Method =>
  (service, value) =>
    service.createRequest({ organisation: CUSTOMER, [field]: value });
const change =
  (field: string): Method =>
  (service, value) =>
    service.createChangeRequest({ systemUserId: ID, [field]: value });
const right: Method = (service, value) => service.createRequest({ organisation: CUSTOMER, rights: [value] });

describe('SystemUserService answers what is of a wrong type with MP_REQUEST', () => {
  const standIn = new AltinnStandIn();
  let client: TestClient;
  let service: SystemUserService;
  beforeAll(async () => standIn.start());
  afterAll(async () => standIn.stop());
  beforeEach(async () => {
    standIn.reset();
    client = await testClient(standIn);
    service = new SystemUserService({ altinn: client.altinn, systemId: standIn.system.id, strategy: 'pdp' });
  });
  afterEach(async () => client.close());

  it.each<[what: string, field: string, values: readonly unknown[], method: Method]>([
    ['findSystemUser', 'query', NO_OBJECTS, (users, value) => users.findSystemUser(value)],
    ['findSystemUser', 'organisation', NO_TEXTS, (users, organisation) => users.findSystemUser({ organisation })],
    [
      'findSystemUser',
      'externalRef',
      NO_TEXTS,
      (users, externalRef) => users.findSystemUser({ organisation: CUSTOMER, externalRef }),
    ],
    [
      'findSystemUser',
      'fresh',
      ['no', 0, null],
      (users, fresh) => users.findSystemUser({ organisation: CUSTOMER, fresh }),
    ],
    ['checkRight', 'query', NO_OBJECTS, (users, value) => users.checkRight(value)],
    [
      'checkRight',
      'organisation',
      NO_TEXTS,
      (users, organisation) => users.checkRight({ organisation, resource: RESOURCE }),
    ],
    [
      'checkRight',
      'resource',
      [undefined, ...NO_TEXTS],
      (users, resource) => users.checkRight({ organisation: CUSTOMER, resource }),
    ],
    [
      'checkRight',
      'action',
      NO_TEXTS,
      (users, action) => users.checkRight({ organisation: CUSTOMER, resource: RESOURCE, action }),
    ],
    [
      'checkRight',
      'party',
      NO_TEXTS,
      (users, party) => users.checkRight({ organisation: CUSTOMER, resource: RESOURCE, party }),
    ],
    [
      'checkRight',
      'fresh',
      ['no', 0, null],
      (users, fresh) => users.checkRight({ organisation: CUSTOMER, resource: RESOURCE, fresh }),
    ],
    ['createRequest', 'request', NO_OBJECTS, (users, value) => users.createRequest(value)],
    ['createRequest', 'organisation', NO_TEXTS, (users, organisation) => users.createRequest({ organisation })],
    ['createRequest', 'externalRef', NO_TEXTS, request('externalRef')],
    ['createRequest', 'redirectUrl', NO_TEXTS, request('redirectUrl')],
    ['createRequest', 'title', NO_TEXTS, request('title')],
    ['createRequest', 'agent', ['no', 0, null], request('agent')],
    ['createRequest', 'rights', NO_LISTS, request('rights')],
    ['createRequest', 'resources', NO_LISTS, request('resources')],
    ['createRequest', 'accessPackages', NO_LISTS, request('accessPackages')],
    ['createRequest', 'rights[0]', NO_OBJECTS, right],
    [
      'createRequest',
      'rights[0].resource',
      [{}, { action: 'read' }, { resource: 5 }, { resource: [] }, { resource: {} }],
      right,
    ],
    ['createRequest', 'rights[0].action', NO_TEXTS.map((action) => ({ resource: RESOURCE, action })), right],
    ['createRequest', 'rights[0].resource[0]', [{ resource: ['x'] }, { resource: [null] }], right],
    [
      'createRequest',
      'rights[0].resource[0].id',
      [{ resource: [{ value: 'x' }] }, { resource: [{ id: 5, value: 'x' }] }],
      right,
    ],
    ['createRequest', 'rights[0].resource[0].value', [{ resource: [{ id: 'urn:altinn:resource' }] }], right],
    [
      'createRequest',
      'rights[0].resource',
      [
        { resource: [{ id: 'urn:other', value: 'x' }] },
        { resource: [{ id: 'urn:altinn:org', value: 'x' }] },
        {
          resource: [
            { id: 'urn:altinn:resource', value: 'a' },
            { id: 'urn:altinn:resource', value: 'b' },
          ],
        },
      ],
      right,
    ],
    [
      'createRequest',
      'resources[1]',
      [undefined, ...NO_TEXTS],
      (users, value) => users.createRequest({ organisation: CUSTOMER, resources: [RESOURCE, value] }),
    ],
    [
      'createRequest',
      'accessPackages[0]',
      [undefined, null, 5, '', []],
      (users, value) => users.createRequest({ organisation: CUSTOMER, accessPackages: [value] }),
    ],
    ['createChangeRequest', 'request', NO_OBJECTS, (users, value) => users.createChangeRequest(value)],
    [
      'createChangeRequest',
      'systemUserId',
      [undefined, ...NO_TEXTS, 'x'],
      (users, systemUserId) => users.createChangeRequest({ systemUserId }),
    ],
    ['createChangeRequest', 'correlationId', [5, {}, '', 'x'], change('correlationId')],
    ['createChangeRequest', 'redirectUrl', NO_TEXTS, change('redirectUrl')],
    ...['requiredRights', 'unwantedRights', 'requiredAccessPackages', 'unwantedAccessPackages'].map(
      (field): [string, string, readonly unknown[], Method] => ['createChangeRequest', field, NO_LISTS, change(field)],
    ),
    [
      'createChangeRequest',
      'unwantedRights[0].resource',
      NO_RIGHTS.slice(-2),
      (users, value) => users.createChangeRequest({ systemUserId: ID, unwantedRights: [value] }),
    ],
    ['getRequest', 'id', [undefined, ...NO_TEXTS, 'x'], (users, id) => users.getRequest(id)],
    ['waitForRequest', 'id', [undefined, ...NO_TEXTS, 'x'], (users, id) => users.waitForRequest(id)],
    ['waitForRequest', 'options', [null, 5, []], (users, options) => users.waitForRequest(ID, options)],
    ['waitForRequest', 'signal', [null, 5, {}], (users, signal) => users.waitForRequest(ID, { signal })],
    ['deleteRequest', 'id', [undefined, ...NO_TEXTS, 'x'], (users, id) => users.deleteRequest(id)],
    ['listSystemUsers', 'systemId', NO_TEXTS, (users, systemId) => each(users.listSystemUsers(systemId))],
    ['forget', 'systemUser', NO_OBJECTS, (users, value) => users.forget(value)],
    ['forget', 'organisation', NO_TEXTS, (users, organisation) => users.forget({ organisation })],
  ])('%s: %s', async (_what, field, values, method) => {
    for (const value of values) {
      standIn.log.length = 0;
      const failure = await (async () => method(service, value as never))().then(
        () => 'accepted',
        (error: unknown) => error,
      );
      if (!isMaskinportenError(failure, 'MP_REQUEST')) throw new Error(`${String(value)}: ${String(failure)}`);
      expect(failure.failures[0]?.field).toBe(field);
      expect(failure.message).toContain(field);
      expect(standIn.log).toHaveLength(0);
    }
  });

  it('takes rights and packages in Altinn’s own shape', async () => {
    await service.createRequest({
      organisation: CUSTOMER,
      rights: [
        { resource: [{ id: 'urn:altinn:resource', value: RESOURCE }], action: ' read ' },
        {
          resource: [
            { id: 'urn:altinn:org', value: 'acme' },
            { id: 'urn:altinn:app', value: 'report' },
          ],
        },
        { resource: 'short' },
      ],
      accessPackages: ['lonn', 'urn:altinn:accesspackage:skatt', { urn: 'urn:altinn:accesspackage:mva' } as never],
    });
    const [sent] = standIn.calls('/systemuser/request/vendor');
    expect(sent?.body).toMatchObject({
      rights: [{ ...wire(RESOURCE), action: 'read' }, wire('app_acme_report'), wire('short')],
      accessPackages: ['lonn', 'skatt', 'mva'].map((name) => ({ urn: `urn:altinn:accesspackage:${name}` })),
    });
  });

  it('T-66: a polluted prototype adds nothing to a request', async () => {
    const polluted = Object.prototype as { action?: string; title?: string };
    Object.assign(polluted, { action: 'write', title: 'Not ours' });
    try {
      await service.createRequest({ organisation: CUSTOMER, rights: [{ resource: RESOURCE }] });
    } finally {
      delete polluted.action;
      delete polluted.title;
    }
    expect(JSON.stringify(standIn.calls('/systemuser/request/vendor')[0]?.body)).not.toMatch(/write|Not ours/);
  });

  it('a yes that was forgotten stays forgotten, however many others are forgotten after it', async () => {
    const user = standIn.addUser({ organisation: CUSTOMER, rights: [RESOURCE] });
    const check = async (): Promise<unknown> => service.checkRight({ organisation: CUSTOMER, resource: RESOURCE });
    expect(await check()).toMatchObject({ allowed: true });
    user.rights = [];
    service.forget({ organisation: CUSTOMER });
    for (let count = 0; count < 10_001; count += 1) {
      service.forget({ organisation: CUSTOMER, externalRef: `other-${count}` });
    }
    expect(await check()).toMatchObject({ allowed: false, code: 'right_missing' });
  });
});
