import { randomUUID } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import { SCOPES, type ClientSetup, type TokenClient } from './client.js';
import { HandMadeCache } from './hand-made-cache.js';

/** What people write themselves after reading a guide: jose, fetch and a Map. */
export async function handWritten(setup: ClientSetup): Promise<TokenClient> {
  const { issuer, tokenEndpoint, clientId, kid, privateKeyPem } = setup;
  const key = await importPKCS8(privateKeyPem, 'RS256');
  const cache = new HandMadeCache();

  const getToken = async (scopes: readonly string[], organisation?: string): Promise<string> => {
    const cacheKey = cache.keyOf(scopes, organisation);
    const cached = cache.get(cacheKey);
    if (cached !== undefined) return cached;
    const assertion = await new SignJWT({
      scope: scopes.join(' '),
      ...(organisation === undefined ? {} : { consumer_org: organisation }),
    })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setIssuer(clientId)
      .setAudience(issuer)
      .setIssuedAt()
      .setExpirationTime('100s')
      .setJti(randomUUID())
      .sign(key);
    const response = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
    });
    if (!response.ok) throw new Error(`The token endpoint answered ${response.status}`);
    const { access_token: token, expires_in: expiresIn } = (await response.json()) as {
      access_token: string;
      expires_in: number;
    };
    cache.set(cacheKey, token, expiresIn);
    return token;
  };

  return {
    name: 'hand-written (jose + fetch + Map)',
    // oxlint-disable-next-line typescript/promise-function-async -- the client's own promise is what is measured
    get: (organisation) => getToken(SCOPES, organisation),
    valueOf: String,
    close: async () => Promise.resolve(),
  };
}
