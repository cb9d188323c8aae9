import { X509Certificate } from 'node:crypto';
import type { EnvironmentName } from '../../issuer/index.js';
import type { SigningKey } from '../../keys/index.js';
import { keyMismatches } from '../../tokens/index.js';
import type { Check } from '../examination.js';
import { NAMES, otherEnvironment } from '../environment-names.js';
import {
  failed,
  good,
  skipped,
  warning,
  words,
  type Complaint,
  type Finding,
  type Topic,
} from '../../findings/index.js';

export const CERTIFICATE: Topic = {
  id: 'certificate',
  title: words('Enterprise certificate', 'Virksomhetssertifikat'),
};

const FIELD = 'MASKINPORTEN_PRIVATE_KEY';
/** Roots need not be sent (RFC 7515 §4.1.6); all Norwegian ones have it in their name. */
const ROOT_NAME = /\bRoot\b/i;

/** What a key is presented for. */
export interface CertificatePurpose {
  readonly organisation: string | undefined;
  readonly environment: EnvironmentName | undefined;
}

/** Is the certificate of the right organisation and environment, and is its chain whole? */
export function checkCertificate(key: SigningKey, purpose: CertificatePurpose): readonly Finding[] {
  const { kid, x5c, certificateOrganisation, certificateEnvironment } = key;
  if (x5c === undefined && key.certificateNotAfter === undefined) {
    return [
      skipped(
        CERTIFICATE,
        words(
          'No certificate is used: the key is named by its kid.',
          'Det brukes ikke sertifikat: nøkkelen navngis med kid.',
        ),
      ),
    ];
  }
  const wrong = keyMismatches(key, purpose);
  const findings: Finding[] = [];
  const { environment } = purpose;
  if (environment !== undefined && wrong.some(({ field }) => field === 'key')) {
    findings.push(failed(CERTIFICATE, wrongEnvironment(environment)));
  }
  // With a kid it is not sent, and the key may be registered in either environment; it is a sign of a mix-up all the same.
  if (environment !== undefined && kid !== undefined && (certificateEnvironment ?? environment) !== environment) {
    findings.push(warning(CERTIFICATE, wrongEnvironment(environment)));
  }
  if (wrong.some(({ field }) => field === 'organisation')) {
    findings.push(failed(CERTIFICATE, wrongOrganisation(certificateOrganisation, purpose.organisation)));
  }
  if (x5c !== undefined && isIncomplete(x5c)) findings.push(warning(CERTIFICATE, INCOMPLETE_CHAIN));
  if (findings.length > 0) return findings;
  const of = certificateOrganisation === undefined ? '' : ` ${certificateOrganisation}`;
  const branch = certificateEnvironment === undefined ? undefined : NAMES[certificateEnvironment];
  const sent = kid === undefined ? x5c?.length : undefined;
  return [
    good(
      CERTIFICATE,
      words(
        `It belongs to the key${of === '' ? '' : ` and to organisation${of}`}${branch === undefined ? '' : `, for ${branch.en}`}${sent === undefined ? ', and is not sent' : `; ${sent} sent`}.`,
        `Det hører til nøkkelen${of === '' ? '' : ` og til organisasjon${of}`}${branch === undefined ? '' : `, for ${branch.nb}`}${sent === undefined ? ', og sendes ikke' : `; ${sent} sendes`}.`,
      ),
    ),
  ];
}

/** Does the last certificate need an issuer that is neither there nor a root? */
export function isIncomplete(x5c: readonly string[]): boolean {
  const last = x5c.at(-1);
  if (last === undefined) return false;
  const certificate = new X509Certificate(Buffer.from(last, 'base64'));
  return !certificate.checkIssued(certificate) && !ROOT_NAME.test(certificate.issuer);
}

export const INCOMPLETE_CHAIN: Complaint = {
  kind: 'chain',
  cause: words(
    'The chain is not complete: the certificate of the issuing authority is missing.',
    'Kjeden er ikke komplett: sertifikatet til utstederen mangler.',
  ),
  fix: words(
    'Give the intermediate certificate of the issuer together with your own: MASKINPORTEN_CERTIFICATE_FILE with the whole chain, or a PKCS#12 file made with it.',
    'Oppgi mellomsertifikatet fra utstederen sammen med deres eget: MASKINPORTEN_CERTIFICATE_FILE med hele kjeden, eller en PKCS#12-fil laget med den.',
  ),
  field: 'MASKINPORTEN_CERTIFICATE_FILE',
  pitfall: 18,
};

export function wrongEnvironment(environment: EnvironmentName): Complaint {
  const here = NAMES[environment];
  const there = NAMES[otherEnvironment(environment)];
  return {
    kind: environment === 'prod' ? 'test-in-production' : 'production-in-test',
    cause: words(
      `The certificate is for ${there.en}, but the issuer is for ${here.en}.`,
      `Sertifikatet er for ${there.nb}, men utstederen er for ${here.nb}.`,
    ),
    fix: words(
      `Use a certificate for ${here.en}, or set MASKINPORTEN_ENVIRONMENT to ${otherEnvironment(environment)}.`,
      `Bruk et sertifikat for ${here.nb}, eller sett MASKINPORTEN_ENVIRONMENT til ${otherEnvironment(environment)}.`,
    ),
    field: FIELD,
    pitfall: environment === 'prod' ? 13 : 14,
  };
}

/** Without numbers when only Maskinporten knows who owns the client. */
export function wrongOrganisation(holder: string | undefined, owner: string | undefined): Complaint {
  const holds = holder === undefined ? '' : ` (${holder})`;
  const owns = owner === undefined ? '' : ` (${owner})`;
  return {
    kind: 'organisation',
    cause: words(
      `The certificate belongs to another organisation${holds} than the one that owns the client${owns}.`,
      `Sertifikatet tilhører en annen organisasjon${holds} enn den som eier klienten${owns}.`,
    ),
    fix: words(
      'Sign with a certificate of the organisation that owns the client, or register the client under the organisation of the certificate.',
      'Signer med et sertifikat for organisasjonen som eier klienten, eller registrer klienten på organisasjonen i sertifikatet.',
    ),
    field: FIELD,
    pitfall: 17,
  };
}

export const certificate: Check = {
  ...CERTIFICATE,
  needs: ['key'],
  run: async (examination) => {
    const keys = await examination.keys();
    if ('error' in keys) return [];
    const { organisation } = examination.setup;
    return checkCertificate(keys.value.ring.current, { organisation, environment: examination.environment });
  },
};
