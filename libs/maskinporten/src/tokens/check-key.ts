import type { Failure } from '../errors/index.js';
import type { EnvironmentName } from '../issuer/index.js';
import type { SigningKey } from '../keys/index.js';

/** What a key is to be used for. */
export interface KeyPurpose {
  readonly organisation: string | undefined;
  /** Undefined for an issuer of one's own. */
  readonly environment: EnvironmentName | undefined;
}

/**
 * What makes a key unfit for its client before anything has been sent: a certificate of another organisation would be
 * refused with MP-122 on the first request, one from the wrong environment with MP-119.
 */
export function keyMismatches(key: SigningKey, { organisation, environment }: KeyPurpose): Failure[] {
  const { certificateOrganisation: holder, certificateEnvironment: branch, x5c } = key;
  const failures: Failure[] = [];
  if (organisation !== undefined && holder !== undefined && holder !== organisation) {
    failures.push(fail('organisation', `is ${organisation}, but the certificate belongs to ${holder}`));
  }
  // With a kid the certificate is not presented, and where its key is registered is Digdir's to know.
  if (environment !== undefined && branch !== undefined && branch !== environment && x5c !== undefined) {
    failures.push(fail('key', `holds a ${NAMES[branch]} certificate, but the issuer is that of ${NAMES[environment]}`));
  }
  return failures;
}

const NAMES = { test: 'test', prod: 'production' } as const;
const fail = (field: string, reason: string): Failure => ({ field, code: 'MP_CONFIG', reason });
