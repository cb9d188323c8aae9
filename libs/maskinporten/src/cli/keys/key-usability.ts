import { certificateEnvironment } from '../../certificates/index.js';
import type { InspectedKey } from '../../keys/index.js';
import type { Text } from '../language.js';
import type { KeyFinding } from './key-findings.js';

export interface Usability {
  readonly usable: boolean;
  readonly reason?: Text;
}

/** May a grant be signed with it, and is it taken where? `kid` and `x5c` are the two ways to present a key. */
export interface KeyUsability {
  readonly kid: Usability;
  readonly x5c: { readonly test: Usability; readonly prod: Usability };
}

export function keyUsability(key: InspectedKey, findings: readonly KeyFinding[]): KeyUsability {
  const reason = signingObstacle(key, findings);
  const kid: Usability = reason === undefined ? { usable: true } : { usable: false, reason };
  return {
    kid,
    x5c: { test: x5cUsability(key, kid, findings, 'test'), prod: x5cUsability(key, kid, findings, 'prod') },
  };
}

const KEY_FAULTS = new Set(['key-kind', 'key-size', 'loadable', 'jwk-use', 'jwk-alg']);
const CERTIFICATE_FAULTS = new Set(['certificate-start', 'certificate-usage', 'certificate']);

function signingObstacle(key: InspectedKey, findings: readonly KeyFinding[]): Text | undefined {
  if (!key.isPrivate) return { en: 'the private key is not in the file', nb: 'den private nøkkelen er ikke i filen' };
  return findings.find(({ id, state }) => state === 'failed' && KEY_FAULTS.has(id))?.text;
}

function x5cUsability(
  key: InspectedKey,
  kid: Usability,
  findings: readonly KeyFinding[],
  environment: 'test' | 'prod',
): Usability {
  if (!kid.usable) return kid;
  if (key.chain.length === 0) {
    return no({ en: 'there is no certificate for it', nb: 'det finnes ikke noe sertifikat for den' });
  }
  const fault = findings.find(({ id, state }) => CERTIFICATE_FAULTS.has(id) && state === 'failed');
  if (fault !== undefined) return no(fault.text);
  const branch = certificateEnvironment(key.chain);
  if (branch !== undefined && branch !== environment) {
    return no({
      en: `the certificate is from the issuer's ${branch === 'test' ? 'test' : 'production'} branch`,
      nb: `sertifikatet er fra utstederens ${branch === 'test' ? 'testgren' : 'produksjonsgren'}`,
    });
  }
  return { usable: true };
}

const no = (reason: Text): Usability => ({ usable: false, reason });
