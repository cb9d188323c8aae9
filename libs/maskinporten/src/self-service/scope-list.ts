import { createError } from '../errors/index.js';
import type { HttpTransport } from '../http/index.js';
import { SELF_SERVICE_FIELD } from './self-service-config.js';

export interface ScopeListOptions {
  /** See `SELF_SERVICE_URLS`. */
  readonly baseUrl: string;
  readonly transport: Pick<HttpTransport, 'send'>;
}

const DEADLINE_MS = 10_000;
/** Some thousand scopes with their descriptions. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * Names of the scopes that Digdir lists in public (`GET /scopes/all`), asked for without a token. A scope whose owner
 * does not show it is not among them.
 *
 * @throws MaskinportenError of the connection, or for an answer that is not such a list (`MP_PROTOCOL`).
 */
export async function listScopes({ baseUrl, transport }: ScopeListOptions): Promise<readonly string[]> {
  const base = baseUrl.replace(/\/+$/, '');
  const { status, body } = await transport.send({
    // Where the list is seen; the documentation leaves the version out (Digdir, self-service API).
    url: `${base.endsWith('/api/v1') ? base : `${base}/api/v1`}/scopes/all`,
    method: 'GET',
    headers: { accept: 'application/json' },
    deadlineMs: DEADLINE_MS,
    maxBytes: MAX_BYTES,
    field: SELF_SERVICE_FIELD,
  });
  const list = status === 200 ? parsed(body) : undefined;
  if (!Array.isArray(list)) {
    const message = `The list of scopes cannot be used (HTTP ${status}).`;
    throw createError('MP_PROTOCOL', { message, status, field: SELF_SERVICE_FIELD });
  }
  return list.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('name' in entry)) return [];
    return typeof entry.name === 'string' ? [entry.name] : [];
  });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    // The parser's own message quotes the text.
    return undefined;
  }
}
