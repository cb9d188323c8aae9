import { createHash, randomUUID } from 'node:crypto';

/** A caller of the service, for the organisations that it may act for. */
export function makeCaller(organisations: readonly string[] = ['310000027']): {
  readonly variables: { readonly API_KEYS: string };
  readonly headers: { readonly authorization: string };
} {
  const key = randomUUID();
  const sha256 = createHash('sha256').update(key).digest('hex');
  return {
    variables: { API_KEYS: JSON.stringify([{ name: 'test', sha256, organisations }]) },
    headers: { authorization: `Bearer ${key}` },
  };
}
