import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_SYSTEM,
  A_ORDNING,
  AMELDING,
  AltinnBench,
  CLIENT_A,
  KB,
  KB_SCOPE,
  PARTIES,
  REQUEST_WRITE,
  SYSTEM,
} from '../altinn.fixtures.js';
import { CUSTOMER, VENDOR, makeClient } from '../grants.fixtures.js';

/** The states that a guard must tell apart (Altinn, access control), as the wire shows them. */
describe('the states that a guard must tell apart', () => {
  let bench: AltinnBench;

  const presence = async (systemId = SYSTEM, orgno = CUSTOMER): Promise<number> => {
    const query = `system-id=${systemId}&orgno=${orgno}`;
    const token = await bench.token(REQUEST_WRITE);
    return (await bench.authentication(`/systemuser/vendor/byquery?${query}`, { token })).status;
  };
  /** How many parties the system user of a token may use a resource for. */
  const parties = async (token: string, resource = KB): Promise<number> => {
    const path = `/accessmanagement/api/v1/enduser/authorizedparties?anyOfResourceIds=${resource}`;
    return ((await bench.platform(path, { token })).json['data'] as unknown[]).length;
  };
  const seen = async (systemId = SYSTEM): Promise<readonly unknown[]> => [
    await bench.grantOutcome(CUSTOMER),
    await presence(systemId),
  ];

  beforeAll(async () => {
    bench = await AltinnBench.start({
      ungranted: [{ orgno: VENDOR, scope: 'acme:forbidden' }],
    });
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.operator.reset());

  const agentSystem = (): void => {
    bench.operator.systems.add([
      { id: SYSTEM, vendor: VENDOR },
      { id: AGENT_SYSTEM, vendor: VENDOR, clientIds: ['client-1'], accessPackages: [A_ORDNING] },
    ]);
  };
  const agent = (): Promise<string> =>
    bench.approved({ systemId: AGENT_SYSTEM, accessPackages: [{ urn: A_ORDNING }] }, '/agent');

  it('1: never requested', async () => {
    expect(await seen()).toEqual(['MP-303', 404]);
  });

  it('2: pending', async () => {
    expect(await bench.request()).toMatchObject({ status: 'New' });
    expect(await seen()).toEqual(['MP-303', 404]);
  });

  it('3: rejected', async () => {
    bench.operator.reject(String((await bench.request())['id']));
    expect(await seen()).toEqual(['MP-303', 404]);
    expect(await bench.request()).toMatchObject({ status: 'Rejected' });
  });

  it('4: approved, right present', async () => {
    await bench.approved();
    expect(await seen()).toEqual([200, 200]);
    expect(await parties(await bench.exchangedSystemUser(PARTIES))).toBe(1);
  });

  it('5: approved, right revoked later', async () => {
    bench.operator.revokeRight(await bench.approved(), KB);
    expect(await seen()).toEqual([200, 200]);
    expect(await parties(await bench.exchangedSystemUser(PARTIES))).toBe(0);
  });

  it('6: approved with externalRef, which the client omits', async () => {
    await bench.approved({ externalRef: 'ref-1' });
    expect(await seen()).toEqual(['MP-303', 404]);
    expect(await bench.grantOutcome(CUSTOMER, 'ref-1')).toBe(200);
  });

  it('7: approved, client id not on the system', async () => {
    await bench.approved();
    expect(await bench.grantOutcome(CUSTOMER, undefined, 'unlisted')).toBe('MP-303');
    expect(await presence()).toBe(200);
  });

  it('8: deleted by the customer while the token is cached', async () => {
    const id = await bench.approved();
    const token = await bench.exchangedSystemUser(PARTIES);
    bench.operator.deleteSystemUser(id);
    expect(await parties(token)).toBe(0);
    expect(await seen()).toEqual(['MP-303', 404]);
  });

  it('9: agent without client', async () => {
    agentSystem();
    await agent();
    expect(await seen(AGENT_SYSTEM)).toEqual([200, 200]);
    expect(await parties(await bench.exchangedSystemUser(PARTIES), AMELDING)).toBe(0);
  });

  it('10: agent, token asked with the client’s number', async () => {
    agentSystem();
    bench.operator.addClient(await agent(), CLIENT_A);
    expect(await bench.grantOutcome(CLIENT_A)).toBe('MP-303');
    expect(await presence(AGENT_SYSTEM, CLIENT_A)).toBe(404);
  });

  it.each([
    ['/authentication/api/v1/systemuser/*', 503],
    ['/accessmanagement/*', 500],
    ['/authentication/api/v1/exchange/*', 401],
  ])('11: Altinn down at %s', async (path, status) => {
    bench.operator.faults.add({ path, status });
    expect((await bench.platform(path.replace('*', 'x'))).status).toBe(status);
  });

  it('12: scope not granted to the vendor', async () => {
    bench.operator.clients.add(makeClient({ scopes: ['acme:forbidden'] }));
    const { status, json } = await bench.grants.grant({ claims: { scope: 'acme:forbidden' } });
    expect([status, json['error'], String(json['error_uri']).split('/').at(-1)]).toEqual([403, 'forbidden', 'MP-250']);
  });

  it('13: portal-created, no request', async () => {
    bench.operator.systemUsers.add({ systemId: SYSTEM, orgno: CUSTOMER, rights: [KB] });
    expect(await seen()).toEqual([200, 200]);
    expect(await parties(await bench.exchangedSystemUser(PARTIES))).toBe(1);
    const token = await bench.systemUserToken(KB_SCOPE);
    const open = `/kravogbetalinger/v1/regnskapssystem/${CUSTOMER}/aapnekrav`;
    expect((await bench.api(open, { token })).status).toBe(200);
  });

  it('14: mistyped resource id', async () => {
    await bench.approved();
    expect(await parties(await bench.exchangedSystemUser(PARTIES), 'ske-krav-og-betaling')).toBe(0);
    expect(bench.operator.requests.list()).toHaveLength(1);
  });
});
