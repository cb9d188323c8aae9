import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_SYSTEM,
  AMELDING,
  A_ORDNING,
  AUTHORIZE,
  type Answer,
  AltinnBench,
  CLIENT_A,
  KB,
  SUBUNIT,
} from '../altinn.fixtures.js';
import { CUSTOMER, OTHER } from '../grants.fixtures.js';
import { partyIdOf, partyUuidOf } from './organisations.js';

const ACTION = 'urn:oasis:names:tc:xacml:1.0:action:action-id';
const PARTY = 'urn:altinn:organization:identifier-no';

interface Result {
  readonly decision: string;
  readonly status: { readonly statusCode: { readonly value: string } };
  readonly obligations: readonly { attributeAssignment: { category: string; value: string }[] }[] | null;
  readonly category: readonly object[] | null;
}

const attribute = (AttributeId: string, Value: string) => ({ AttributeId, Value });
const category = (attributes: readonly object[], id?: string) => ({
  ...(id !== undefined && { Id: id }),
  Attribute: attributes,
});
const results = (answer: Answer): readonly Result[] => answer.json['response'] as readonly Result[];
const decision = (answer: Answer): readonly string[] => results(answer).map((result) => result.decision);

const level = (number: number, levelCategory: string, value: string) => ({
  id: `urn:altinn:obligation:authenticationLevel${number}`,
  attributeAssignment: [
    {
      attributeId: `urn:altinn:obligation-assignment:${number}`,
      value,
      category: levelCategory,
      dataType: 'http://www.w3.org/2001/XMLSchema#integer',
      issuer: null,
    },
  ],
});

const about = (resource: string, party: object = attribute(PARTY, CUSTOMER)) => ({
  resource: [attribute('urn:altinn:resource', resource), party],
});

describe('the PDP', () => {
  let bench: AltinnBench;
  let id: string;
  let token: string;

  const post = (body: unknown, headers: Record<string, string> = { 'Ocp-Apim-Subscription-Key': 'key-1' }) =>
    bench.platform('/authorization/api/v1/authorize', { token, body, headers });
  const question = (changes: { subject?: readonly object[]; action?: string; resource?: readonly object[] } = {}) => ({
    Request: {
      ReturnPolicyIdList: true,
      AccessSubject: [category(changes.subject ?? [attribute('urn:altinn:systemuser:uuid', id)])],
      Action: [category([attribute(ACTION, changes.action ?? 'read')])],
      Resource: [category(changes.resource ?? [attribute('urn:altinn:resource', KB), attribute(PARTY, CUSTOMER)])],
    },
  });

  const multi = (actions: readonly string[], resources: readonly string[], references: readonly string[][]) => ({
    Request: {
      AccessSubject: [category([attribute('urn:altinn:systemuser:uuid', id)], 's1')],
      Action: actions.map((action, index) => category([attribute(ACTION, action)], `a${index + 1}`)),
      Resource: resources.map((resource, index) => category(about(resource).resource, `r${index + 1}`)),
      MultiRequests: { RequestReference: references.map((ReferenceId) => ({ ReferenceId })) },
    },
  });

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(async () => {
    bench.operator.reset();
    id = await bench.approved({ accessPackages: [{ urn: A_ORDNING }] });
    token = await bench.exchanged(AUTHORIZE);
  });

  it('answers Permit with both obligations, in camelCase', async () => {
    const answer = await post(question());
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      response: [
        {
          decision: 'Permit',
          status: {
            statusMessage: null,
            statusDetails: null,
            statusCode: { value: 'urn:oasis:names:tc:xacml:1.0:status:ok', statusCode: null },
          },
          obligations: [
            level(1, 'urn:altinn:minimum-authenticationlevel', '2'),
            level(2, 'urn:altinn:minimum-authenticationlevel-org', '3'),
          ],
          associateAdvice: null,
          category: null,
          policyIdentifierList: null,
        },
      ],
    });
  });

  it('demands the level that the resource is configured with', async () => {
    bench.operator.resources.add({ id: KB, minimumLevelOrg: 4 });
    const [result] = results(await post(question()));
    expect(result?.obligations?.[1]?.attributeAssignment[0]).toMatchObject({ value: '4' });
  });

  it('writes PascalCase when switched so', async () => {
    bench.operator.altinn.change({ pdpCase: 'pascal' });
    const answer = await post(question());
    expect(answer.json).toMatchObject({
      Response: [{ Decision: 'Permit', Status: { StatusCode: { Value: 'urn:oasis:names:tc:xacml:1.0:status:ok' } } }],
    });
  });

  it('reads member names without regard to case', async () => {
    const text = JSON.stringify(question());
    const camel = text.replaceAll(
      /"([A-Z])(\w*)":/g,
      (_match, first: string, rest: string) => `"${first.toLowerCase()}${rest}":`,
    );
    expect(camel).toContain('"accessSubject"');
    expect(decision(await post(JSON.parse(camel)))).toEqual(['Permit']);
  });

  describe('decides', () => {
    it.each<readonly [string, Parameters<typeof question>[0], string]>([
      ['a right of its own', {}, 'Permit'],
      ['another action', { action: 'write' }, 'NotApplicable'],
      ['a right through a package', about(AMELDING), 'Permit'],
      ['a known resource without right', about('app_ttd_returns'), 'NotApplicable'],
      [
        'an app by org and app',
        {
          resource: [
            attribute('urn:altinn:org', 'ttd'),
            attribute('urn:altinn:app', 'returns'),
            attribute(PARTY, CUSTOMER),
          ],
        },
        'NotApplicable',
      ],
      ['another party', about(KB, attribute(PARTY, OTHER)), 'NotApplicable'],
      ['the legacy attribute of a party', about(KB, attribute('urn:altinn:organizationnumber', CUSTOMER)), 'Permit'],
      ['a party id', about(KB, attribute('urn:altinn:partyid', String(partyIdOf(CUSTOMER)))), 'Permit'],
      ['a party uuid', about(KB, attribute('urn:altinn:party:uuid', partyUuidOf(CUSTOMER))), 'Permit'],
      ['an unknown resource', about('ske-krav'), 'Indeterminate'],
      ['no resource', { resource: [attribute(PARTY, CUSTOMER)] }, 'Indeterminate'],
      ['a party that cannot be', about(KB, attribute(PARTY, '310000010')), 'Indeterminate'],
      ['a party in ISO 6523 form', about(KB, attribute(PARTY, `0192:${CUSTOMER}`)), 'Indeterminate'],
      ['no party', { resource: [attribute('urn:altinn:resource', KB)] }, 'Indeterminate'],
      ['no action', { action: '' }, 'Indeterminate'],
      ['a bad uuid', { subject: [attribute('urn:altinn:systemuser:uuid', 'abc')] }, 'Indeterminate'],
      ['another subject attribute', { subject: [attribute('urn:altinn:userid', '1')] }, 'Indeterminate'],
      [
        'a system user that is not there',
        { subject: [attribute('urn:altinn:systemuser:uuid', 'a1a1a1a1-0000-4000-8000-000000000000')] },
        'NotApplicable',
      ],
    ])('%s', async (_name, changes, expected) => {
      const answer = await post(question(changes));
      expect(answer.status).toBe(200);
      expect(decision(answer)).toEqual([expected]);
    });

    it('Indeterminate with two subject attributes', async () => {
      const subject = [attribute('urn:altinn:systemuser:uuid', id), attribute('urn:altinn:userid', '1')];
      const answer = await post(question({ subject }));
      expect(decision(answer)).toEqual(['Indeterminate']);
      expect(results(answer)[0]?.status.statusCode.value).toMatch(/:processing-error$/);
    });

    it('Indeterminate for a body without request, with HTTP 200', async () => {
      const answer = await post({});
      expect([answer.status, decision(answer)]).toEqual([200, ['Indeterminate']]);
      expect(results(answer)[0]?.status.statusCode.value).toMatch(/:syntax-error$/);
    });

    it('Deny when the access list of the resource shuts the party out, although the right is there', async () => {
      bench.operator.resources.add({ id: KB, deniedParties: [CUSTOMER] });
      expect(decision(await post(question()))).toEqual(['Deny']);
    });

    it('Permit for a sub-unit, which inherits', async () => {
      const branch = question(about(KB, attribute(PARTY, SUBUNIT)));
      expect(decision(await post(branch))).toEqual(['NotApplicable']);
      bench.operator.organisations.add({ orgno: SUBUNIT, parent: CUSTOMER });
      expect(decision(await post(branch))).toEqual(['Permit']);
    });

    it('for an agent by its clients, and never for the agent itself', async () => {
      const agent = await bench.approved(
        { systemId: AGENT_SYSTEM, externalRef: 'agent', accessPackages: [{ urn: A_ORDNING }] },
        '/agent',
      );
      const subject = [attribute('urn:altinn:systemuser:uuid', agent)];
      const client = { ...about(AMELDING, attribute(PARTY, CLIENT_A)), subject };
      expect(decision(await post(question(client)))).toEqual(['NotApplicable']);
      bench.operator.addClient(agent, CLIENT_A);
      expect(decision(await post(question(client)))).toEqual(['Permit']);
      expect(decision(await post(question({ ...about(AMELDING), subject })))).toEqual(['NotApplicable']);
      bench.operator.removeClient(agent, CLIENT_A);
      expect(decision(await post(question(client)))).toEqual(['NotApplicable']);
    });

    it('by what holds now', async () => {
      bench.operator.revokeRight(id, KB, 'read');
      expect(decision(await post(question()))).toEqual(['NotApplicable']);
      bench.operator.grantRight(id, KB);
      bench.operator.deleteSystemUser(id);
      expect(decision(await post(question()))).toEqual(['NotApplicable']);
    });
  });

  describe('with its cache on', () => {
    beforeEach(async () => {
      bench.operator.altinn.change({ pdpCacheSeconds: 300 });
      await post(question());
    });

    it('still permits a right that was revoked, for five minutes', async () => {
      bench.operator.revokeRight(id, KB);
      expect(decision(await post(question()))).toEqual(['Permit']);
      bench.operator.clock.setOffset(299);
      expect(decision(await post(question()))).toEqual(['Permit']);
      bench.operator.clock.setOffset(300);
      expect(decision(await post(question()))).toEqual(['NotApplicable']);
    });

    it('still refuses a system user that was asked about before its approval', async () => {
      const pending = String((await bench.request({ externalRef: 'later' }))['id']);
      const early = question({ subject: [attribute('urn:altinn:systemuser:uuid', pending)] });
      expect(decision(await post(early))).toEqual(['NotApplicable']);
      bench.operator.approve(pending);
      expect(decision(await post(early))).toEqual(['NotApplicable']);
      bench.operator.clock.setOffset(301);
      expect(decision(await post(early))).toEqual(['Permit']);
    });
  });

  describe('for many questions at once', () => {
    it('answers in the order of the references', async () => {
      const asked = multi(
        ['read', 'write'],
        [KB],
        [
          ['s1', 'a2', 'r1'],
          ['s1', 'a1', 'r1'],
        ],
      );
      expect(decision(await post(asked))).toEqual(['NotApplicable', 'Permit']);
    });

    it('takes one reference as a single request, whatever it names', async () => {
      expect(decision(await post(multi(['read', 'write'], [KB], [['s1', 'a2', 'r1']])))).toEqual(['Permit']);
    });

    it('answers a single Indeterminate when one part cannot be evaluated', async () => {
      const asked = multi(
        ['read'],
        [KB, 'ske-krav'],
        [
          ['s1', 'a1', 'r1'],
          ['s1', 'a1', 'r2'],
        ],
      );
      expect(decision(await post(asked))).toEqual(['Indeterminate']);
    });

    it('answers a single Indeterminate when a reference names nothing', async () => {
      const asked = multi(
        ['read'],
        [KB],
        [
          ['s1', 'a1', 'r1'],
          ['s1', 'a9', 'r1'],
        ],
      );
      expect(decision(await post(asked))).toEqual(['Indeterminate']);
    });

    it('echoes the attributes that ask for it', async () => {
      const asked = question();
      Object.assign(asked.Request.Action[0]?.Attribute[0] ?? {}, { IncludeInResult: true });
      expect(results(await post(asked))[0]?.category).toMatchObject([
        { attribute: [{ attributeId: ACTION, value: 'read', includeInResult: true }] },
      ]);
    });
  });

  describe('is closed', () => {
    it('without subscription key, before anything is looked at', async () => {
      const answer = await post(question(), {});
      expect([answer.status, answer.json['statusCode']]).toEqual([401, 401]);
    });

    it('with a key that is not among those configured', async () => {
      bench.operator.altinn.change({ subscriptionKeys: ['key-2'] });
      expect((await post(question())).status).toBe(401);
      expect((await post(question(), { 'ocp-apim-subscription-key': 'key-2' })).status).toBe(200);
    });

    it('to a raw Maskinporten token', async () => {
      token = await bench.token(AUTHORIZE);
      const answer = await post(question());
      expect([answer.status, answer.text]).toEqual([401, '']);
    });

    it('to a token without the scope', async () => {
      token = await bench.exchanged('acme:x');
      const answer = await post(question());
      expect([answer.status, answer.text]).toEqual([403, '']);
    });

    it('on command', async () => {
      bench.operator.faults.add({ path: '/authorization/*', status: 503, times: 1 });
      expect((await post(question())).status).toBe(503);
      expect((await post(question())).status).toBe(200);
    });
  });

  it('logs the decision and its reason, which it never sends', async () => {
    await post(question({ action: 'write' }));
    expect(bench.simulator.log.at(-1)?.checks.at(-1)).toEqual({
      check: 'decision',
      ok: false,
      detail: `NotApplicable: no right to write on ${KB} for ${CUSTOMER}`,
    });
  });
});
