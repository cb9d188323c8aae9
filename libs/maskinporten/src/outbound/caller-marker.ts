import { createHmac, randomBytes } from 'node:crypto';
import type { NormalisedTokenRequest } from '../grants/index.js';
import type { OutboundTokens } from './outbound-client.js';

const SCHEME = 'MaskinportenCaller ';
/** Of this process: a marker says nothing to anybody else, and cannot be made by anybody else. */
const key = randomBytes(32);
/** Markers remembered per client, so that a repeated request costs a look-up. */
const MAX_REMEMBERED = 1_000;

interface Client {
  readonly number: number;
  readonly markers: Map<string, string>;
}

const clients = new WeakMap<OutboundTokens, Client>();
let nextNumber = 0;

/**
 * Stands in the place of `Authorization` while a call passes through interceptors: caches and de-duplicators above the
 * adapter that honour `Vary: Authorization` keep callers apart by it (T-73). It is not a token and never leaves the
 * process. The same client and token request give the same marker, in this process only.
 */
export function callerMarker(tokens: OutboundTokens, request: NormalisedTokenRequest): string {
  let client = clients.get(tokens);
  if (client === undefined) {
    client = { number: (nextNumber += 1), markers: new Map() };
    clients.set(tokens, client);
  }
  const { number, markers } = client;
  const { canonical } = request;
  const known = markers.get(canonical);
  if (known !== undefined) return known;
  const digest = createHmac('sha256', key).update(`${number} ${canonical}`).digest('base64url');
  if (markers.size >= MAX_REMEMBERED) markers.clear();
  const marker = `${SCHEME}${digest}`;
  markers.set(canonical, marker);
  return marker;
}

/** True for a marker, whatever process it comes from: it is never a credential. */
export const isCallerMarker = (value: unknown): boolean => typeof value === 'string' && value.startsWith(SCHEME);
