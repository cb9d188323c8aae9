import { createTokenService, type MaskinportenToken } from 'nestjs-maskinporten';
import { SCOPES, type ClientSetup, type TokenClient } from './client.js';

/** Requests are written as an application writes them: a new object for each call. */
export async function ours(setup: ClientSetup): Promise<TokenClient> {
  const { issuer, tokenEndpoint, clientId, kid, privateKeyPem, maxEntries } = setup;
  const tokens = await createTokenService({
    issuer,
    tokenEndpoint,
    clientId,
    key: { pem: privateKeyPem, kid },
    tokens: { maxEntries },
  });
  return {
    name: 'nestjs-maskinporten',
    // oxlint-disable-next-line typescript/promise-function-async -- the client's own promise is what is measured
    get: (organisation) =>
      organisation === undefined
        ? tokens.getToken({ scopes: SCOPES })
        : tokens.getToken({ scopes: SCOPES, consumerOrg: organisation }),
    valueOf: (token) => (token as MaskinportenToken).value,
    close: async () => tokens.close(),
  };
}
