import type { X509Certificate } from 'node:crypto';
import { certificateHolder } from '../../certificates/index.js';
import type { FindingLevel } from '../../findings/index.js';
import { daysLeft, expiryTier, type CredentialEnd, type InspectedKey } from '../../keys/index.js';
import { isSigningAlgorithm } from '../../key-files/index.js';
import type { Text } from '../language.js';
import { isUploadableKid } from './public-jwk.js';
import type { KeyInput } from './key-input.js';

export type FindingState = Exclude<FindingLevel, 'skipped'>;

/** One thing that was looked at. */
export interface KeyFinding {
  /** Stable name, for scripts. */
  readonly id: string;
  readonly state: FindingState;
  readonly text: Text;
}

export const worstOf = (states: readonly FindingState[]): FindingState =>
  (['failed', 'warning'] as const).find((state) => states.includes(state)) ?? 'good';

export interface KeyCircumstances {
  readonly kid: string | undefined;
  readonly ends: readonly CredentialEnd[];
  readonly nowMs: number;
}

const MIN_BITS = 2048;
const RECOMMENDED_BITS = 3072;

/** What is right and wrong with a key as such, wherever it is to be used. */
export function keyFindings(key: InspectedKey, circumstances: KeyCircumstances): KeyFinding[] {
  const [leaf] = key.chain;
  return [
    kindFinding(key),
    ...(key.problem === undefined ? [] : [finding('loadable', 'failed', same(key.problem))]),
    ...jwkFindings(key),
    ...(leaf === undefined ? [] : certificateFindings(leaf, key, circumstances)),
    ...circumstances.ends.map((end) => endFinding(end, circumstances.nowMs)),
  ];
}

function kindFinding({ publicKey }: InspectedKey): KeyFinding {
  const kind = publicKey.asymmetricKeyType ?? 'unknown';
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (kind !== 'rsa') {
    return finding('key-kind', 'failed', {
      en: `is ${kind.toUpperCase()}: Maskinporten takes plain RSA keys only`,
      nb: `er ${kind.toUpperCase()}: Maskinporten tar bare vanlige RSA-nøkler`,
    });
  }
  if (bits < MIN_BITS) {
    return finding('key-size', 'failed', {
      en: `RSA of ${bits} bits is too small: at least ${MIN_BITS} are required`,
      nb: `RSA på ${bits} bit er for lite: minst ${MIN_BITS} kreves`,
    });
  }
  if (bits < RECOMMENDED_BITS) {
    return finding('key-size', 'warning', {
      en: `RSA of ${bits} bits works; ${RECOMMENDED_BITS} are recommended for the next key`,
      nb: `RSA på ${bits} bit virker; ${RECOMMENDED_BITS} anbefales for neste nøkkel`,
    });
  }
  return finding('key-size', 'good', { en: `RSA of ${bits} bits`, nb: `RSA på ${bits} bit` });
}

/** Self-service refuses a JWK without these (Digdir, client keys). */
function jwkFindings({ jwk, isPrivate }: InspectedKey): KeyFinding[] {
  if (jwk === undefined) return [];
  const { use, alg, kid } = jwk;
  const missing = isPrivate ? 'warning' : 'failed';
  return [
    use === undefined
      ? finding('jwk-use', missing, absent('use', 'sig'))
      : finding('jwk-use', use === 'sig' ? 'good' : 'failed', {
          en: use === 'sig' ? 'use is sig' : `use is ${use}: such a key is not for signing, it has to be sig`,
          nb: use === 'sig' ? 'use er sig' : `use er ${use}: en slik nøkkel er ikke til signering, den må være sig`,
        }),
    alg === undefined
      ? finding('jwk-alg', missing, absent('alg', 'RS256'))
      : finding('jwk-alg', isSigningAlgorithm(alg) ? 'good' : 'failed', {
          en: isSigningAlgorithm(alg) ? `alg is ${alg}` : `alg is ${alg}: Maskinporten takes RS256, RS384 and RS512`,
          nb: isSigningAlgorithm(alg) ? `alg er ${alg}` : `alg er ${alg}: Maskinporten tar RS256, RS384 og RS512`,
        }),
    ...(kid === undefined
      ? [finding('jwk-kid', missing, absent('kid', 'a name of its own'))]
      : [
          isUploadableKid(kid)
            ? finding('jwk-kid', 'good', { en: `kid is ${kid}`, nb: `kid er ${kid}` })
            : finding('jwk-kid', 'warning', {
                en: `kid ${kid} has characters that self-service refuses (letters, digits, ".", "_" and "-" only)`,
                nb: `kid ${kid} har tegn som selvbetjeningen avviser (bare bokstaver, sifre, ".", "_" og "-")`,
              }),
        ]),
  ];
}

const absent = (name: string, value: string): Text => ({
  en: `${name} is missing, and self-service requires it: ${value}`,
  nb: `${name} mangler, og selvbetjeningen krever det: ${value}`,
});

function certificateFindings(
  leaf: X509Certificate,
  { chain, usage }: InspectedKey,
  { kid, nowMs }: KeyCircumstances,
): KeyFinding[] {
  // With a kid the certificate is not presented, so nothing about it stops anything.
  const serious: FindingState = kid === undefined ? 'failed' : 'warning';
  const holder = certificateHolder(leaf);
  const selfSigned = leaf.checkIssued(leaf);
  const starts = new Date(leaf.validFrom);
  return [
    ...(starts.getTime() > nowMs
      ? [
          finding('certificate-start', serious, {
            en: `the certificate is not valid before ${starts.toISOString()}`,
            nb: `sertifikatet er ikke gyldig før ${starts.toISOString()}`,
          }),
        ]
      : []),
    chain.length > 1 || selfSigned
      ? finding('chain', 'good', { en: `chain of ${chain.length}`, nb: `kjede på ${chain.length}` })
      : finding('chain', 'warning', {
          en: 'the chain is incomplete: the certificate of its issuer is missing; add it, leaf first',
          nb: 'kjeden er ufullstendig: sertifikatet til utstederen mangler; legg det til, eget sertifikat først',
        }),
    holder?.scheme === 'NTRNO'
      ? finding('organisation', 'good', { en: `organisation ${holder.id}`, nb: `organisasjon ${holder.id}` })
      : finding('organisation', 'warning', organisationText(holder)),
    ...(usage?.signs === false
      ? [
          finding('certificate-usage', serious, {
            en: 'the certificate is not for signatures that prove identity (keyUsage lacks digitalSignature)',
            nb: 'sertifikatet er ikke for signaturer som beviser identitet (keyUsage mangler digitalSignature)',
          }),
        ]
      : []),
  ];
}

function organisationText(holder: ReturnType<typeof certificateHolder>): Text {
  if (holder === undefined) {
    return {
      en: 'no organisation number in the certificate: an enterprise certificate has one (OID 2.5.4.97 or 2.5.4.5)',
      nb: 'ikke noe organisasjonsnummer i sertifikatet: et virksomhetssertifikat har det (OID 2.5.4.97 eller 2.5.4.5)',
    };
  }
  const name = `${holder.scheme}${holder.country ?? ''} ${holder.id}`;
  return {
    en: `the holder is ${name}, which is not a Norwegian organisation`,
    nb: `innehaveren er ${name}, som ikke er en norsk organisasjon`,
  };
}

function endFinding({ what, endsAt, counts }: CredentialEnd, nowMs: number): KeyFinding {
  const days = daysLeft(endsAt, nowMs);
  const tier = expiryTier(days);
  const worst = tier === 'expired' ? 'failed' : tier === 'up' ? 'good' : 'warning';
  const state = worst === 'failed' && !counts ? 'warning' : worst;
  const date = endsAt.toISOString();
  const subject: Text =
    what === 'certificate'
      ? { en: 'the certificate', nb: 'sertifikatet' }
      : { en: 'the registration of the key (one year)', nb: 'registreringen av nøkkelen (ett år)' };
  return finding(what, state, {
    en:
      tier === 'expired'
        ? `${subject.en} ended at ${date}`
        : `${subject.en} ends at ${date}, in ${days} ${days === 1 ? 'day' : 'days'}`,
    nb:
      tier === 'expired'
        ? `${subject.nb} gikk ut ${date}`
        : `${subject.nb} går ut ${date}, om ${days} ${days === 1 ? 'dag' : 'dager'}`,
  });
}

/** What is wrong with a file as a whole. */
export function keyFileFindings({ readableByOthers, inspection }: KeyInput): KeyFinding[] {
  const isSecret = inspection.keys.some(({ isPrivate }) => isPrivate);
  const strangers = inspection.keys.filter(({ isPrivate, chain }) => isPrivate && chain.length === 0);
  return [
    ...(readableByOthers && isSecret
      ? [
          finding('file-permissions', 'warning', {
            en: 'everybody on this machine may read the private key: set its mode to 0400',
            nb: 'alle på maskinen kan lese den private nøkkelen: sett rettighetene til 0400',
          }),
        ]
      : []),
    ...(inspection.repaired
      ? [
          finding('line-breaks', 'warning', {
            en: 'the line breaks of the PEM are damaged; the library repairs them, other programs may not',
            nb: 'linjeskiftene i PEM-filen er ødelagt; biblioteket reparerer dem, andre programmer gjør det kanskje ikke',
          }),
        ]
      : []),
    ...(strangers.length > 0 && inspection.certificates.length > 0 && isSecret
      ? [
          finding('certificate-of-another-key', strangers.length === inspection.keys.length ? 'failed' : 'warning', {
            en: 'a private key and a certificate in it do not belong together',
            nb: 'en privat nøkkel og et sertifikat i filen hører ikke sammen',
          }),
        ]
      : []),
  ];
}

const finding = (id: string, state: FindingState, text: Text): KeyFinding => ({ id, state, text });
const same = (text: string): Text => ({ en: text, nb: text });
