import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import { jwkThumbprint, KeyFailure } from '../key-files/index.js';
import { createError } from '../errors/index.js';
import { certificateEnvironment, certificateOrganisation, endOf, orderChain, startOf } from '../certificates/index.js';
import type { KeyWarningListener } from './load-key-options.js';
import type { SigningKey } from './signing-key.js';

/** What is public about a key and the way it is presented: everything of a `SigningKey` but the signing. */
export type KeyFacts = Omit<SigningKey, 'alg' | 'gate' | 'sign'>;

export interface KeyFactsInput {
  readonly kid: string | undefined;
  readonly publicKey: KeyObject | undefined;
  readonly certificates: readonly X509Certificate[];
  readonly registeredAt: Date | undefined;
  readonly activeFrom: Date | undefined;
  /** How failures name the certificates' setting: `certificateChain`, `certificateFile`, `pem` … */
  readonly certificateMember: string;
  /** `key`, `key[1]` … */
  readonly field: string;
  /** Undefined for an issuer of one's own. */
  readonly issuerEnvironment: 'test' | 'prod' | undefined;
  readonly nowMs: number;
  readonly onWarning: KeyWarningListener;
}

/**
 * Chooses between `kid` and `x5c` (Digdir, JWT grant) and checks the certificate against the key and the clock.
 *
 * @throws KeyFailure when neither is there, or the certificate belongs to another key.
 * @throws SigningCredentialError (`MP_CERTIFICATE_EXPIRED`, `MP_CERTIFICATE`) when the certificate would be presented
 *   and is out of its time. With a `kid` that is only a warning: the registered key is what counts.
 */
export async function keyFacts(input: KeyFactsInput): Promise<KeyFacts> {
  const { kid, publicKey, certificates, registeredAt, activeFrom } = input;
  const chain =
    certificates.length === 0 || publicKey === undefined
      ? undefined
      : orderChain(certificates, publicKey, input.certificateMember);
  if (kid === undefined && chain === undefined) {
    const reason = 'is missing: give the kid of the registered key, or an enterprise certificate chain';
    throw new KeyFailure('kid', reason, 'kid-missing');
  }
  const thumbprint = publicKey === undefined ? undefined : await jwkThumbprint(publicKey);
  const leaf = chain?.[0];
  if (leaf !== undefined) checkValidity(leaf, input);
  const organisation = leaf === undefined ? undefined : certificateOrganisation(leaf);
  const environment = chain === undefined ? undefined : certificateEnvironment(chain);
  if (kid !== undefined && environment !== undefined) warnOfEnvironment(environment, input);
  return {
    identity: identityOf(kid, leaf, thumbprint),
    ...(kid === undefined ? {} : { kid }),
    ...(kid === undefined && chain !== undefined
      ? { x5c: Object.freeze(chain.map(({ raw }) => raw.toString('base64'))) }
      : {}),
    ...(thumbprint === undefined ? {} : { thumbprint }),
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(registeredAt === undefined ? {} : { registeredAt }),
    ...(activeFrom === undefined ? {} : { activeFrom }),
    ...(leaf === undefined ? {} : { certificateNotBefore: startOf(leaf), certificateNotAfter: endOf(leaf) }),
    ...(organisation === undefined ? {} : { certificateOrganisation: organisation }),
    ...(environment === undefined ? {} : { certificateEnvironment: environment }),
  };
}

/**
 * With a `kid` the certificate is not presented, and where its key is registered is Digdir's to know. It is still a sign
 * that a key of one environment was given to the client of the other.
 */
function warnOfEnvironment(environment: 'test' | 'prod', input: KeyFactsInput): void {
  const { issuerEnvironment: issuer, onWarning } = input;
  if (issuer === undefined || issuer === environment) return;
  onWarning({
    code: 'certificate-environment',
    field: `${input.field}.${input.certificateMember}`,
    message: `The certificate is a ${ENVIRONMENT_NAMES[environment]} certificate, but the issuer is that of ${ENVIRONMENT_NAMES[issuer]}; it is not sent, because the key has a kid.`,
  });
}

const ENVIRONMENT_NAMES = { test: 'test', prod: 'production' } as const;

/** The same key under another kid, or under a renewed certificate, is another identity: its tokens are not shared. */
function identityOf(
  kid: string | undefined,
  leaf: X509Certificate | undefined,
  thumbprint: string | undefined,
): string {
  if (kid !== undefined) return `kid:${thumbprint ?? '-'}:${kid}`;
  const digest = createHash('sha256')
    .update(leaf?.raw ?? '')
    .digest('base64url');
  return `x5c:${thumbprint ?? '-'}:${digest}`;
}

function checkValidity(leaf: X509Certificate, input: KeyFactsInput): void {
  const expired = endOf(leaf).getTime() <= input.nowMs;
  const early = startOf(leaf).getTime() > input.nowMs;
  if (!expired && !early) return;
  const moment = (expired ? endOf(leaf) : startOf(leaf)).toISOString();
  const message = expired ? `The certificate expired at ${moment}.` : `The certificate is not valid before ${moment}.`;
  const field = `${input.field}.${input.certificateMember}`;
  if (input.kid !== undefined) {
    input.onWarning({ code: expired ? 'certificate-expired' : 'certificate-not-yet-valid', field, message });
    return;
  }
  throw createError(expired ? 'MP_CERTIFICATE_EXPIRED' : 'MP_CERTIFICATE', { message, field });
}
