import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_SYSTEM,
  AMELDING,
  AUTHORIZE,
  A_ORDNING,
  type Answer,
  AltinnBench,
  CLIENT_A,
  CLIENT_B,
  CLIENT_ONLY,
  KB,
  PARTIES,
  SUBUNIT,
  SYSTEM,
  resourceRight,
} from '../altinn.fixtures.js';
import { CUSTOMER, VENDOR } from '../grants.fixtures.js';

const PATH = '/accessmanagement/api/v1/enduser/authorizedparties';

interface Party {
  readonly organizationNumber: string;
  readonly partyUuid: string;
  readonly authorizedAccessPackages: readonly string[];
  readonly authorizedResources: readonly string[];
  readonly subunits: readonly Party[];
}

const parties = (answer: Answer): readonly Party[] => answer.json['data'] as readonly Party[];
const numbers = (answer: Answer): readonly string[] => parties(answer).map((party) => party.organizationNumber);

describe('authorizedparties', () => {
  let bench: AltinnBench;
  let token: string;

  const ask = (query = '', bearer = token): Promise<Answer> => bench.platform(`${PATH}${query}`, { token: bearer });
  const agent = async (): Promise<string> =>
    bench.approved({ systemId: AGENT_SYSTEM, accessPackages: [{ urn: A_ORDNING }] }, '/agent');

  beforeAll(async () => {
    bench = await AltinnBench.start();
    bench.operator.systems.add({
      id: AGENT_SYSTEM,
      vendor: VENDOR,
      clientIds: ['client-1'],
      accessPackages: [A_ORDNING],
    });
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.operator.reset());

  describe('of a standard system user', () => {
    let id: string;

    beforeEach(async () => {
      id = await bench.approved({ accessPackages: [{ urn: A_ORDNING }] });
      token = await bench.exchangedSystemUser(PARTIES);
    });

    it('is the customer, with every member of the documented model', async () => {
      const answer = await ask();
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({
        links: {},
        data: [
          {
            partyUuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
            name: expect.any(String),
            organizationNumber: CUSTOMER,
            parentId: null,
            personId: null,
            dateOfBirth: null,
            partyId: expect.any(Number),
            emailId: null,
            type: 'Organization',
            unitType: 'AS',
            isDeleted: false,
            onlyHierarchyElementWithNoAccess: false,
            authorizedAccessPackages: [],
            authorizedResources: [],
            authorizedRoles: [],
            authorizedInstances: [],
            subunits: [],
          },
        ],
      });
    });

    it.each([
      ['a right of its own', `?anyOfResourceIds=${KB}`, 1],
      ['a right through a package', `?anyOfResourceIds=${AMELDING}`, 1],
      ['no right', '?anyOfResourceIds=app_ttd_returns', 0],
      ['an unknown resource, which looks the same', '?anyOfResourceIds=ske-krav', 0],
      ['one of two', `?anyOfResourceIds=ske-krav&anyOfResourceIds=${KB}`, 1],
    ])('filters by resource: %s', async (_name, query, count) => {
      expect(parties(await ask(query))).toHaveLength(count);
    });

    it('lists packages as codes and only the resources that are its own', async () => {
      const [party] = parties(await ask('?includeAccessPackages=true&includeResources=true'));
      expect(party?.authorizedAccessPackages).toEqual(['a-ordning']);
      expect(party?.authorizedResources).toEqual([KB]);
    });

    it('lists packages as URNs and nests data deeper when switched so', async () => {
      bench.operator.altinn.change({ packageForm: 'urn', nestedData: true });
      const answer = await ask('?includeAccessPackages=true');
      expect(answer.json).toMatchObject({
        links: { next: null },
        data: [[{ organizationNumber: CUSTOMER, authorizedAccessPackages: [A_ORDNING] }]],
      });
    });

    it('nests sub-units, which inherit, and leaves them out on demand', async () => {
      bench.operator.organisations.add({ orgno: SUBUNIT, name: 'Branch', parent: CUSTOMER });
      const [party] = parties(await ask());
      expect(party?.subunits).toMatchObject([
        { organizationNumber: SUBUNIT, name: 'Branch', parentId: party?.partyUuid, unitType: 'BEDR' },
      ]);
      expect(parties(await ask('?includeSubParties=false'))[0]?.subunits).toEqual([]);
    });

    it('filters by party', async () => {
      const uuid = parties(await ask())[0]?.partyUuid ?? '';
      expect(parties(await ask(`?partyFilter=${uuid.toUpperCase()}`))).toHaveLength(1);
      expect(parties(await ask(`?partyFilter=${uuid.replace(/./g, '0')}`))).toEqual([]);
    });

    it('follows a revoked right at once, and its return', async () => {
      bench.operator.revokeRight(id, KB);
      expect(parties(await ask(`?anyOfResourceIds=${KB}`))).toEqual([]);
      expect(parties(await ask())).toHaveLength(1);
      bench.operator.grantRight(id, KB);
      expect(parties(await ask(`?anyOfResourceIds=${KB}`))).toHaveLength(1);
      expect(bench.operator.systemUsers.get(id)?.rights).toEqual([resourceRight(KB, 'read')]);
    });

    it('follows a revoked package at once', async () => {
      const path = `/systemUsers/${id}/rights/${encodeURIComponent(A_ORDNING)}`;
      expect((await bench.control(path, { method: 'DELETE' })).status).toBe(204);
      expect(parties(await ask(`?anyOfResourceIds=${AMELDING}`))).toEqual([]);
      expect((await bench.control(path, { method: 'DELETE' })).status).toBe(404);
      expect((await bench.control(path, { method: 'POST' })).status).toBe(204);
      expect(parties(await ask(`?anyOfResourceIds=${AMELDING}`))).toHaveLength(1);
    });

    it('says that a right which comes through a package cannot be revoked alone', async () => {
      const answer = await bench.control(`/systemUsers/${id}/rights/${AMELDING}`, { method: 'DELETE' });
      expect(answer.status).toBe(404);
      expect(answer.json['detail']).toMatch(/package/);
    });

    it('is empty once the system user is deleted, though the token still counts', async () => {
      bench.operator.deleteSystemUser(id);
      expect(parties(await ask())).toEqual([]);
    });

    it('refuses a raw Maskinporten token', async () => {
      const answer = await ask('', await bench.systemUserToken(PARTIES));
      expect([answer.status, answer.text]).toEqual([401, '']);
    });

    it('needs its scope', async () => {
      const answer = await ask('', await bench.exchangedSystemUser('acme:x'));
      expect([answer.status, answer.text]).toEqual([403, '']);
    });

    it('refuses a token that is for no system user', async () => {
      const answer = await ask('', await bench.exchanged(PARTIES));
      expect([answer.status, answer.text]).toEqual([401, 'Unknown user type']);
    });

    it('refuses an exchanged token after 30 minutes', async () => {
      bench.operator.clock.setOffset(1800);
      expect((await ask()).status).toBe(401);
    });

    it('refuses an exchanged token that the operator names', async () => {
      const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string };
      bench.operator.revoke(jti);
      expect((await ask()).status).toBe(401);
    });
  });

  describe('of an agent system user', () => {
    let id: string;

    beforeEach(async () => {
      bench.operator.systems.add({
        id: AGENT_SYSTEM,
        vendor: VENDOR,
        clientIds: ['client-1'],
        accessPackages: [A_ORDNING],
      });
      id = await agent();
      token = await bench.exchangedSystemUser(PARTIES);
    });

    it('is nothing until a client is added', async () => {
      expect(parties(await ask())).toEqual([]);
    });

    it('is the clients, and not the agent itself', async () => {
      bench.operator.addClient(id, CLIENT_A);
      bench.operator.addClient(id, CLIENT_B);
      expect(numbers(await ask())).toEqual([CLIENT_A, CLIENT_B]);
      bench.operator.removeClient(id, CLIENT_A);
      expect(numbers(await ask(`?anyOfResourceIds=${AMELDING}`))).toEqual([CLIENT_B]);
    });

    it('gets and loses clients over HTTP', async () => {
      const path = `/systemUsers/${id}/clients/${CLIENT_A}`;
      expect((await bench.control(path, { method: 'POST' })).status).toBe(204);
      expect(numbers(await ask())).toEqual([CLIENT_A]);
      expect((await bench.control(path, { method: 'DELETE' })).status).toBe(204);
      expect((await bench.control(path, { method: 'DELETE' })).status).toBe(404);
      expect((await bench.control(`/systemUsers/${id}/clients/123`, { method: 'POST' })).status).toBe(400);
      expect(numbers(await ask())).toEqual([]);
    });

    it('has a token for the owner, and MP-303 for the client’s number', async () => {
      bench.operator.addClient(id, CLIENT_A);
      expect(await bench.grantOutcome(CUSTOMER)).toBe(200);
      expect(await bench.grantOutcome(CLIENT_A)).toBe('MP-303');
    });
  });

  it('gives clients to agents only', async () => {
    const id = await bench.approved();
    expect(() => bench.operator.addClient(id, CLIENT_A)).toThrow(/agent/);
    expect((await bench.control(`/systemUsers/${id}/clients/${CLIENT_A}`, { method: 'POST' })).status).toBe(409);
    expect(bench.operator.systemUsers.get(id)).toMatchObject({ systemId: SYSTEM, clients: [] });
  });

  describe('of an agent, for its own organisation', () => {
    let id: string;
    beforeEach(async () => {
      const system = { id: AGENT_SYSTEM, vendor: VENDOR, clientIds: ['client-1'], accessPackages: [A_ORDNING] };
      bench.operator.systems.add(system);
      id = await agent();
      token = await bench.exchangedSystemUser(PARTIES);
      bench.operator.addClient(id, CLIENT_A);
    });
    const self = async (method: string, of = id): Promise<Answer> =>
      bench.send(bench.simulator.operatorUrl, `/operator/api/systemUsers/${of}/self`, { method });

    it('is listed beside the clients once it is delegated, and by the API only', async () => {
      expect(numbers(await ask(`?anyOfResourceIds=${AMELDING}`))).toEqual([CLIENT_A]);
      expect((await self('POST')).status).toBe(204);
      expect((await self('POST')).status).toBe(204);
      expect(numbers(await ask(`?anyOfResourceIds=${AMELDING}`))).toEqual([CLIENT_A, CUSTOMER]);
      expect(bench.operator.systemUsers.get(id)?.clients).toEqual([CLIENT_A]);
      expect((await self('DELETE')).status).toBe(204);
      expect(numbers(await ask(`?anyOfResourceIds=${AMELDING}`))).toEqual([CLIENT_A]);
    });

    it('is what the PDP permits, too', async () => {
      const decisions: unknown[] = [];
      const bearer = await bench.exchanged(AUTHORIZE);
      const headers = { 'Ocp-Apim-Subscription-Key': 'any' };
      const Request = {
        AccessSubject: [{ Attribute: [{ AttributeId: 'urn:altinn:systemuser:uuid', Value: id }] }],
        Action: [{ Attribute: [{ AttributeId: 'urn:oasis:names:tc:xacml:1.0:action:action-id', Value: 'write' }] }],
        Resource: [
          {
            Attribute: [
              { AttributeId: 'urn:altinn:resource', Value: AMELDING },
              { AttributeId: 'urn:altinn:organization:identifier-no', Value: CUSTOMER },
            ],
          },
        ],
      };
      const { delegateSelf, revokeSelf } = bench.operator;
      for (const change of [undefined, delegateSelf, revokeSelf]) {
        change?.(id);
        const call = { token: bearer, body: { Request }, headers };
        const { json } = await bench.platform('/authorization/api/v1/authorize', call);
        decisions.push((json['response'] as { decision: string }[])[0]?.decision);
      }
      expect(decisions).toEqual(['NotApplicable', 'Permit', 'NotApplicable']);
    });

    it('cannot be delegated to others than agents, nor with packages that only clients can give', async () => {
      const standard = await bench.approved({ accessPackages: [{ urn: A_ORDNING }] });
      expect((await self('POST', standard)).json).toMatchObject({
        status: 409,
        detail: expect.stringContaining('AUTH-00034'),
      });
      bench.operator.systemUsers.add({ id, systemId: AGENT_SYSTEM, orgno: CUSTOMER, userType: 'agent' });
      expect((await self('POST')).json).toMatchObject({ detail: expect.stringContaining('AUTH-00063') });
      bench.operator.systems.add({ id: AGENT_SYSTEM, vendor: VENDOR, accessPackages: [CLIENT_ONLY] });
      bench.operator.systemUsers.add({
        id,
        systemId: AGENT_SYSTEM,
        orgno: CUSTOMER,
        userType: 'agent',
        accessPackages: [CLIENT_ONLY],
      });
      expect((await self('POST')).json).toMatchObject({ detail: expect.stringContaining('AUTH-00064') });
      expect((await self('DELETE', '99999999-0000-4000-8000-000000000000')).status).toBe(404);
    });
  });
});
