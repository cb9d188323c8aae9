import { createRequire } from 'node:module';
import { selfSignedCertificate } from '../measure/credentials.js';
import { SCOPES, type ClientSetup, type TokenClient } from './client.js';

interface Options {
  readonly url: string;
  readonly pemcert: string;
  readonly pemprivateKey: string;
  readonly audience: string;
  readonly issuer: string;
  readonly scope: string;
}

type GetToken = (options: Options) => Promise<{ access_token: string }>;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** @vtfk/maskinporten-auth: signs with a certificate, has no cache and no `consumer_org`, so every call is a cold one. */
export async function vtfk(setup: ClientSetup): Promise<TokenClient> {
  const { issuer, tokenEndpoint, clientId, privateKeyPem } = setup;
  const certificate = selfSignedCertificate(privateKeyPem);
  if (certificate === undefined) throw new Error('openssl is needed to make a certificate for this client');
  const getToken = createRequire(import.meta.url)('@vtfk/maskinporten-auth') as GetToken;
  const options: Options = {
    url: tokenEndpoint,
    pemcert: base64(certificate),
    pemprivateKey: base64(privateKeyPem),
    audience: issuer,
    issuer: clientId,
    scope: SCOPES.join(' '),
  };
  return {
    name: '@vtfk/maskinporten-auth',
    // oxlint-disable-next-line typescript/promise-function-async -- the client's own promise is what is measured
    get: () => getToken(options),
    valueOf: (result) => (result as { access_token: string }).access_token,
    close: async () => Promise.resolve(),
  };
}
