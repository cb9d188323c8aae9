import type { MaskinportenError, MaskinportenErrorCode } from '../errors/index.js';

/** What a failed token request says about: the service, our client, our key, or only requests for the same scopes. */
export type FaultArea = 'service' | 'client' | 'key' | 'request';

/** What a fault of docs/reference/faults.md does to health. */
export interface FaultEffect {
  readonly state: 'degraded' | 'down';
  readonly area: FaultArea;
}

const effect = (state: FaultEffect['state'], area: FaultArea): FaultEffect => ({ state, area });

const EFFECTS: Readonly<Record<MaskinportenErrorCode, FaultEffect | undefined>> = {
  MP_NETWORK: effect('degraded', 'service'),
  MP_TIMEOUT: effect('degraded', 'service'),
  MP_THROTTLED: effect('degraded', 'service'),
  MP_UPSTREAM: effect('degraded', 'service'),
  MP_PROXY: effect('degraded', 'service'),
  MP_TLS: effect('degraded', 'service'),
  MP_REDIRECT: effect('degraded', 'service'),
  MP_PROTOCOL: effect('degraded', 'service'),
  MP_UPSTREAM_REJECTED: effect('degraded', 'service'),
  MP_CONFIG_ENDPOINT: effect('degraded', 'client'),
  MP_CLIENT_UNKNOWN: effect('degraded', 'client'),
  MP_AUDIENCE: effect('degraded', 'client'),
  MP_CLOCK: effect('degraded', 'service'),
  MP_REPLAY: effect('degraded', 'service'),
  MP_CONFIG: effect('degraded', 'client'),
  MP_EGRESS_BLOCKED: effect('down', 'client'),
  MP_KEY_EXPIRED: effect('down', 'key'),
  MP_SIGNATURE: effect('down', 'key'),
  MP_CERTIFICATE_EXPIRED: effect('down', 'key'),
  MP_CERTIFICATE: effect('degraded', 'key'),
  MP_SCOPE: effect('degraded', 'request'),
  MP_SCOPE_NOT_GRANTED: effect('degraded', 'request'),
  MP_REQUEST: effect('degraded', 'request'),
  MP_OAUTH: effect('degraded', 'request'),
  // Somebody else has to grant something: the service and this client work.
  MP_NOT_GRANTED: undefined,
  MP_NOT_DELEGATED: undefined,
  MP_SYSTEMUSER_MISSING: undefined,
  MP_ABORTED: undefined,
  // Refused before anything was sent.
  MP_NO_CONTEXT: undefined,
  MP_DESTINATION: undefined,
  MP_AUDIT: undefined,
};

/** What the final error of a token request does to the health of its client; undefined when it says nothing about it. */
export function faultEffect({ code, mpCode }: MaskinportenError): FaultEffect | undefined {
  // MP-301 and MP-302 speak about the organisation that our own caller named (F-61).
  if (code === 'MP_REQUEST' && (mpCode === 'MP-301' || mpCode === 'MP-302')) return undefined;
  return EFFECTS[code];
}
