import type { EnvironmentName } from '../issuer/index.js';

/** Blamed in `failures[].field` when Digdir's self-service API, not Maskinporten, is where a call failed. */
export const SELF_SERVICE_FIELD = 'selfServiceUrl';

/** https://docs.digdir.no/docs/Maskinporten/maskinporten_sjolvbetjening_api */
export const SELF_SERVICE_URLS: Readonly<Record<EnvironmentName, string>> = {
  test: 'https://api.test.samarbeid.digdir.no',
  prod: 'https://api.samarbeid.digdir.no',
};

/** Scopes of the API. Every call asks for the one it needs (RFC 9700 §2.3). */
export const SELF_SERVICE_SCOPES = { read: 'idporten:dcr.read', change: 'idporten:dcr.write' } as const;

/** The most keys a client can have (Digdir, client keys). */
export const MAX_KEYS = 5;

/** A new key is known at the token endpoint after at most this long, in milliseconds (Digdir, client keys). */
export const ACTIVATION_MS = 120_000;
