import { randomUUID } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import * as oidc from 'openid-client';
import { SCOPES, type ClientSetup, type TokenClient } from './client.js';
import { HandMadeCache } from './hand-made-cache.js';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** openid-client's generic grant with an assertion signed by jose, and a cache round it. */
export async function openidClient(setup: ClientSetup): Promise<TokenClient> {
  const { issuer, tokenEndpoint, clientId, kid, privateKeyPem } = setup;
  const key = await importPKCS8(privateKeyPem, 'RS256');
  const configuration = new oidc.Configuration(
    { issuer, token_endpoint: tokenEndpoint },
    clientId,
    undefined,
    oidc.None(),
  );
  // oxlint-disable-next-line typescript/no-deprecated -- marked so as a warning; the endpoint is on loopback
  oidc.allowInsecureRequests(configuration);
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
    const answer = await oidc.genericGrantRequest(configuration, GRANT_TYPE, { assertion });
    cache.set(cacheKey, answer.access_token, answer.expires_in ?? 0);
    return answer.access_token;
  };

  return {
    name: 'openid-client + jose + a hand-made cache',
    // oxlint-disable-next-line typescript/promise-function-async -- the client's own promise is what is measured
    get: (organisation) => getToken(SCOPES, organisation),
    valueOf: String,
    close: async () => Promise.resolve(),
  };
}
