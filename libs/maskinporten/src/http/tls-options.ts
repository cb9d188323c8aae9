import { checkServerIdentity, createSecureContext } from 'node:tls';
import type { buildConnector } from 'undici';
import { ownMembers } from '../basics/index.js';

/** Options that must be absent, and are there as own `undefined` so that nothing inherited takes their place. */
const ABSENT = [
  'ALPNCallback',
  'SNICallback',
  'ca',
  'cert',
  'ciphers',
  'crl',
  'family',
  'hints',
  'key',
  'localAddress',
  'localPort',
  'lookup',
  'maxVersion',
  'onread',
  'path',
  'pfx',
  'pskCallback',
  'secureOptions',
  'secureProtocol',
  'servername',
  'session',
  'socketPath',
] as const;

/** PEM certificates: one text or several. */
export type TrustedCertificates = string | Buffer | readonly (string | Buffer)[];

/**
 * Options of every connection of ours. All are own properties, so that neither the environment
 * (`NODE_TLS_REJECT_UNAUTHORIZED`) nor a polluted `Object.prototype` can weaken the check of the server (T-31).
 *
 * @param ca PEM certificates to trust instead of the built-in roots (which include `NODE_EXTRA_CA_CERTS`).
 */
export function strictTlsOptions(ca: TrustedCertificates | undefined): buildConnector.BuildOptions {
  const bare = ownMembers({
    minVersion: 'TLSv1.2' as const,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
  });
  return Object.assign(Object.fromEntries(ABSENT.map((name) => [name, undefined])), {
    // Made once: reading the roots again for every connection costs milliseconds, and would read the prototype again.
    secureContext: createSecureContext(bare),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
    checkServerIdentity,
  });
}
