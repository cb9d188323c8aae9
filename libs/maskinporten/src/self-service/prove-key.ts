import { createTokenService, type TokenServiceConfig } from '../tokens/index.js';

export interface ProveKeyOptions {
  /** The client with the new key alone: no fallback may answer for it. */
  readonly config: TokenServiceConfig;
  /** Any scope of the client. */
  readonly scope: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Gets one token with a key, and forgets it.
 *
 * @throws MaskinportenError of the token endpoint, such as `MP_SIGNATURE` while the key is not known there.
 */
export async function proveKey({ config, scope, signal }: ProveKeyOptions): Promise<void> {
  const tokens = await createTokenService(config);
  try {
    await tokens.getToken(scope, { signal });
  } finally {
    await tokens.close();
  }
}
