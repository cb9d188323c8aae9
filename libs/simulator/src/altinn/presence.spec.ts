import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_SYSTEM,
  A_ORDNING,
  type Answer,
  AltinnBench,
  REGISTER,
  REQUEST_READ,
  REQUEST_WRITE,
  SYSTEM,
} from '../altinn.fixtures.js';
import { CUSTOMER, OTHER, VENDOR } from '../grants.fixtures.js';

const references = (answer: Answer): readonly unknown[] =>
  (answer.json['data'] as { externalRef: string }[]).map(({ externalRef }) => externalRef);

describe('the lookup of system users', () => {
  let bench: AltinnBench;
  const bySystem = async (query = '', system = SYSTEM, scope = REGISTER): Promise<Answer> =>
    bench.authentication(`/systemuser/vendor/bysystem/${system}${query}`, { token: await bench.token(scope) });
  const byQuery = async (query: Record<string, string>, token?: string): Promise<Answer> =>
    bench.authentication(`/systemuser/vendor/byquery?${new URLSearchParams(query).toString()}`, {
      token: token ?? (await bench.token(REQUEST_WRITE)),
    });
  const fill = (count: number): void => {
    bench.operator.systemUsers.add(
      Array.from({ length: count }, (_, index) => ({ systemId: SYSTEM, orgno: CUSTOMER, externalRef: `r${index}` })),
    );
  };

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.operator.reset());

  describe('of one customer', () => {
    const one = { 'system-id': SYSTEM, orgno: CUSTOMER };

    it('answers the system user, without rights or status', async () => {
      const id = await bench.approved({ integrationTitle: 'Payroll' });
      const answer = await byQuery(one);
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({
        id,
        integrationTitle: 'Payroll',
        systemId: SYSTEM,
        productName: '',
        reporteeOrgNo: CUSTOMER,
        created: new Date(bench.grants.clock.nowMs).toISOString(),
        isDeleted: false,
        supplierName: '',
        supplierOrgno: VENDOR,
        externalRef: CUSTOMER,
        userType: 'standard',
      });
    });

    it.each<readonly [string, Record<string, string>]>([
      ['nobody asked for', { ...one, orgno: OTHER }],
      ['with another externalRef', { ...one, 'external-ref': 'other' }],
      ['on a system that is not there', { ...one, 'system-id': `${VENDOR}_none` }],
    ])('answers 404 without an AUTH code for one %s', async (_name, query) => {
      await bench.approved();
      const answer = await byQuery(query);
      expect(answer.status).toBe(404);
      expect(answer.json).not.toHaveProperty('code');
      expect(answer.json).toMatchObject({ title: 'Not Found' });
    });

    it('finds one with an externalRef only by that', async () => {
      await bench.approved({ externalRef: 'ref-1' });
      expect((await byQuery(one)).status).toBe(404);
      expect((await byQuery({ ...one, 'external-ref': 'ref-1' })).status).toBe(200);
    });

    it('does not show a pending, rejected or deleted one', async () => {
      const pending = String((await bench.request())['id']);
      expect((await byQuery(one)).status).toBe(404);
      bench.operator.reject(pending);
      expect((await byQuery(one)).status).toBe(404);
      const id = await bench.approved({ externalRef: 'x' });
      bench.operator.deleteSystemUser(id);
      expect((await byQuery({ ...one, 'external-ref': 'x' })).status).toBe(404);
    });

    it('does not show another vendor’s', async () => {
      await bench.approved();
      expect((await byQuery(one, await bench.token(REQUEST_WRITE, 'rival'))).status).toBe(404);
    });

    it('shows a portal-created one, which has no request', async () => {
      bench.operator.systemUsers.add({ systemId: SYSTEM, orgno: CUSTOMER, rights: ['x'] });
      expect((await byQuery(one)).json).toMatchObject({ externalRef: CUSTOMER, integrationTitle: SYSTEM });
    });

    it('answers 200 while Maskinporten says MP-303, when the client is not on the system', async () => {
      await bench.approved();
      expect(await bench.grantOutcome(CUSTOMER, undefined, 'unlisted')).toBe('MP-303');
      expect((await byQuery(one, await bench.token(REQUEST_WRITE, 'unlisted'))).status).toBe(200);
    });

    it('answers the framework’s 400 when a parameter is missing', async () => {
      const answer = await byQuery({ orgno: CUSTOMER });
      expect(answer.status).toBe(400);
      expect(answer.json['errors']).toEqual({ 'system-id': [expect.any(String)] });
    });

    it('needs the scope that is called write, and answers 403 and 401 with an empty body', async () => {
      const refused = await byQuery(one, await bench.token(REQUEST_READ));
      expect([refused.status, refused.text]).toEqual([403, '']);
      const anonymous = await bench.authentication('/systemuser/vendor/byquery');
      expect([anonymous.status, anonymous.text]).toEqual([401, '']);
    });

    it('refuses a token that expired', async () => {
      const token = await bench.token(REQUEST_WRITE);
      bench.operator.clock.setOffset(120);
      expect((await byQuery(one, token)).status).toBe(401);
    });
  });

  describe('of a whole system', () => {
    it('has 50 to a page, an opaque cursor that is inclusive, and no next on the last page', async () => {
      fill(54);
      const first = await bySystem();
      const { next } = first.json['links'] as { next: string };
      expect(references(first)).toHaveLength(50);
      expect(next.startsWith(`${bench.simulator.platformUrl}/authentication/api/v1/systemuser/vendor/bysystem/`)).toBe(
        true,
      );
      const token = new URL(next).searchParams.get('token') ?? '';
      expect(JSON.parse(Buffer.from(token, 'base64url').toString())).toEqual(expect.any(Number));
      const second = await bySystem(`?token=${token}`);
      expect(second.json['links']).toEqual({});
      expect([...references(first), ...references(second)]).toEqual(
        Array.from({ length: 54 }, (_, index) => `r${index}`),
      );
    });

    it('has one page of exactly 50', async () => {
      fill(50);
      expect((await bySystem()).json['links']).toEqual({});
    });

    it('names an internal host in next when switched so', async () => {
      fill(51);
      bench.operator.altinn.change({ internalHostInNext: true });
      const { next } = (await bySystem()).json['links'] as { next: string };
      expect(new URL(next).host).toBe('internal.platform.tt02.altinn.cloud');
    });

    it('lists both types, and neither pending nor deleted ones', async () => {
      const id = await bench.approved({ systemId: AGENT_SYSTEM, accessPackages: [{ urn: A_ORDNING }] }, '/agent');
      await bench.request({ systemId: AGENT_SYSTEM, externalRef: 'p', accessPackages: [{ urn: A_ORDNING }] }, '/agent');
      expect((await bySystem('', AGENT_SYSTEM)).json['data']).toMatchObject([{ id, userType: 'agent' }]);
      bench.operator.deleteSystemUser(id);
      expect((await bySystem('', AGENT_SYSTEM)).json['data']).toEqual([]);
    });

    it('does not move the cursor when a system user is changed or deleted', async () => {
      fill(52);
      const { next } = (await bySystem()).json['links'] as { next: string };
      const [first] = bench.operator.systemUsers.list();
      bench.operator.deleteSystemUser(first?.id ?? '');
      expect(references(await bySystem(`?${next.split('?')[1]}`))).toEqual(['r50', 'r51']);
    });

    it.each([['310000019_none'], ['310000035_payroll']])('answers AUTH-00011 for %s', async (system) => {
      const answer = await bySystem('', system);
      expect([answer.status, answer.json['code']]).toEqual([404, 'AUTH-00011']);
    });

    it('refuses a cursor that it did not make', async () => {
      expect((await bySystem('?token=abc')).status).toBe(400);
    });

    it('needs the register scope', async () => {
      const answer = await bySystem('', SYSTEM, REQUEST_WRITE);
      expect([answer.status, answer.text]).toEqual([403, '']);
    });
  });
});
