import { describe, expect, it } from '@jest/globals';
import { TestAuthority } from '../keys/keys.fixtures.js';
import { loadSigningKey } from '../keys/index.js';
import { keyMismatches } from './check-key.js';
import { createTokenService } from './index.js';

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

  it('a certificate of another organisation is refused', async () => {
    const key = await loadSigningKey(keyFrom('Anybody'));
    const mismatches = keyMismatches(key, { organisation: '310000027', environment: undefined });
    expect(mismatches).toEqual([expect.objectContaining({ field: 'organisation' })]);
    expect(keyMismatches(key, { organisation: '310000019', environment: 'prod' })).toEqual([]);
  });
});
