import { gaxios, JWT } from 'google-auth-library';
import { SCOPES, type ClientSetup, type TokenClient } from './client.js';

/** With its default of five minutes a token of two minutes would never be used twice; 30 s is its better side. */
const EAGER_REFRESH_MS = 30_000;

/** The token address is a constant of the library, so it is replaced on the way out. */
class RedirectedGaxios extends gaxios.Gaxios {
  constructor(private readonly tokenEndpoint: string) {
    super();
  }

  // oxlint-disable-next-line typescript/promise-function-async -- adds nothing to what is measured
  override request<T>(options: gaxios.GaxiosOptions = {}): gaxios.GaxiosPromise<T> {
    return super.request<T>({ ...options, url: new URL(this.tokenEndpoint) });
  }
}

/** google-auth-library's JWT client; it holds one token, so there is one instance per organisation. */
export async function googleAuth(setup: ClientSetup): Promise<TokenClient> {
  const { tokenEndpoint, clientId, kid, privateKeyPem } = setup;
  const transporter = new RedirectedGaxios(tokenEndpoint);
  const newInstance = (organisation?: string): JWT =>
    new JWT({
      email: clientId,
      key: privateKeyPem,
      keyId: kid,
      scopes: [...SCOPES],
      transporter,
      eagerRefreshThresholdMillis: EAGER_REFRESH_MS,
      ...(organisation === undefined ? {} : { additionalClaims: { consumer_org: organisation } }),
    });
  const single = newInstance();
  const instances = new Map<string, JWT>();
  return {
    name: 'google-auth-library',
    // oxlint-disable-next-line typescript/promise-function-async -- the client's own promise is what is measured
    get: (organisation) => {
      if (organisation === undefined) return single.getAccessToken();
      let instance = instances.get(organisation);
      if (instance === undefined) {
        instance = newInstance(organisation);
        instances.set(organisation, instance);
      }
      return instance.getAccessToken();
    },
    valueOf: (result) => String((result as { token?: string | null }).token),
    close: async () => Promise.resolve(),
  };
}
