import { describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../keys/keys.fixtures.js';
import { loadSigningKey } from '../keys/index.js';
import { keyMismatches } from './check-key.js';
import { createTokenService, type TokenEvent } from './index.js';

const subject = '/CN=Prøve/organizationIdentifier=NTRNO-310000019';

function keyFrom(issuer: string): { pem: string; certificateChain: string } {
  const { key, certificate } = new TestAuthority(`/C=NO/CN=${issuer}`).issue({ subject });
  return { pem: key.pem, certificateChain: certificate };
}

const start = (environment: 'test' | 'prod', issuer: string): Promise<unknown> =>
  createTokenService({ environment, clientId: 'c', key: keyFrom(issuer) });

describe('keys that are not for this client', () => {
  it.each([
    ['Buypass Class 3 CA G2 ST Business', 'prod'],
    ['Buypass Class 3 CA 3', 'prod'],
    ['Commfides Legal Person - G3', 'prod'],
    ['Buypass Class 3 Test4 CA G2 ST Business', 'test'],
    ['Buypass Class 3 Test4 CA 3', 'test'],
    ['Commfides Legal Person - G3 - TEST', 'test'],
    ['Some European CA - TEST', undefined],
  ] as const)('a certificate from %s is %s', async (issuer, expected) => {
    const source = keyFrom(issuer);
    const key = await loadSigningKey(source);
    expect(key.certificateEnvironment).toBe(expected);
    for (const environment of ['test', 'prod', undefined] as const) {
      const wrong = expected !== undefined && environment !== undefined && environment !== expected;
      const fields = keyMismatches(key, { organisation: undefined, environment }).map(({ field }) => field);
      expect(fields).toEqual(wrong ? ['key'] : []);
      const named = await loadSigningKey({ ...source, kid: 'k' });
      expect(keyMismatches(named, { organisation: undefined, environment })).toEqual([]);
    }
  });

  it('a test certificate with the production issuer, and the reverse, are refused at start', async () => {
    await expect(start('prod', 'Buypass Class 3 Test4 CA 3')).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'key', reason: 'holds a test certificate, but the issuer is that of production' }],
    });
    await expect(start('test', 'Commfides Legal Person - G3')).rejects.toMatchObject({
      failures: [{ field: 'key', reason: 'holds a production certificate, but the issuer is that of test' }],
    });
  });

  it.each([
    ['prod', 'Buypass Class 3 Test4 CA 3', 'a test certificate, but the issuer is that of production'],
    ['test', 'Commfides Legal Person - G3', 'a production certificate, but the issuer is that of test'],
  ] as const)(
    'with a kid, a certificate of the wrong environment (%s) is a warning that names the setting',
    async (environment, issuer, what) => {
      const events: TokenEvent[] = [];
      const right = environment === 'prod' ? 'Buypass Class 3 CA 3' : 'Commfides Legal Person - G3 - TEST';
      const service = await createTokenService({
        environment,
        clientId: 'c',
        key: [
          { ...keyFrom(right), kid: 'first' },
          { ...keyFrom(issuer), kid: 'second' },
        ],
        onEvent: (event) => events.push(event),
      });
      await service.close();
      const warnings = events.filter((event) => event.type === 'warning');
      expect(warnings.filter(({ field }) => field.endsWith('certificateChain'))).toEqual([
        { type: 'warning', field: 'key[1].certificateChain', reason: expect.stringContaining(what) },
      ]);
    },
  );

  it('an issuer of one’s own and a European certificate give no such warning', async () => {
    const fields: string[] = [];
    const onEvent = (event: TokenEvent): void => void (event.type === 'warning' && fields.push(event.field));
    const own = { ...keyFrom('Buypass Class 3 Test4 CA 3'), kid: 'k' };
    const european = { ...keyFrom('Some European CA - TEST'), kid: 'k' };
    const common = { clientId: 'c', onEvent };
    await (await createTokenService({ ...common, issuer: 'https://issuer.example.no/', key: own })).close();
    await (await createTokenService({ ...common, environment: 'prod', key: european })).close();
    expect(fields.filter((field) => field.includes('certificate'))).toEqual([]);
  });

  it('a certificate of another organisation is refused', async () => {
    const key = await loadSigningKey(keyFrom('Anybody'));
    const mismatches = keyMismatches(key, { organisation: '310000027', environment: undefined });
    expect(mismatches).toEqual([expect.objectContaining({ field: 'organisation' })]);
    expect(keyMismatches(key, { organisation: '310000019', environment: 'prod' })).toEqual([]);
  });
});
