import type { X509Certificate } from 'node:crypto';
import { certificateEnvironment, certificateHolder } from '../../certificates/index.js';
import { credentialEnds, daysLeft, expiryTier, type CredentialEnd, type InspectedKey } from '../../keys/index.js';
import type { Cli } from '../cli.js';
import { keyFindings, worstOf, type FindingState, type KeyFinding } from './key-findings.js';
import { keyUsability, type KeyUsability, type Usability } from './key-usability.js';

/** Everything `keys inspect` says of one key. */
export interface KeyReport {
  readonly key: InspectedKey;
  readonly kid: string | undefined;
  readonly ends: readonly CredentialEnd[];
  readonly findings: readonly KeyFinding[];
  readonly usability: KeyUsability;
  readonly state: FindingState;
}

export function keyReport(
  key: InspectedKey,
  given: { readonly kid: string | undefined; readonly registeredAt: Date | undefined; readonly nowMs: number },
): KeyReport {
  const kid = given.kid ?? key.jwk?.kid;
  const [leaf] = key.chain;
  const ends = credentialEnds({
    // A date of registration is that of a registered key, whatever it is called.
    ...(kid === undefined && given.registeredAt === undefined ? {} : { kid: kid ?? key.thumbprint ?? '' }),
    ...(leaf === undefined ? {} : { certificateNotAfter: new Date(leaf.validTo) }),
    ...(given.registeredAt === undefined ? {} : { registeredAt: given.registeredAt }),
  });
  const findings = keyFindings(key, { kid, ends, nowMs: given.nowMs });
  const state = worstOf(findings.map((finding) => finding.state));
  return { key, kid, ends, findings, usability: keyUsability(key, findings), state };
}

/** The report as JSON. */
export function keyDocument(cli: Cli, { key, kid, ends, findings, usability, state }: KeyReport): object {
  const { publicKey, isPrivate, thumbprint, jwk, chain } = key;
  const [leaf] = chain;
  const environment = certificateEnvironment(chain);
  const holder = leaf === undefined ? undefined : certificateHolder(leaf);
  const shown = (one: Usability): object => ({
    usable: one.usable,
    ...(one.reason === undefined ? {} : { reason: cli.text(one.reason) }),
  });
  return {
    state,
    kind: publicKey.asymmetricKeyType,
    bits: publicKey.asymmetricKeyDetails?.modulusLength,
    private: isPrivate,
    kid,
    thumbprint,
    ...(jwk === undefined ? {} : { jwk }),
    certificates: chain.map(certificateDocument),
    ...(holder === undefined ? {} : { organisation: holder }),
    ...(environment === undefined ? {} : { certificateEnvironment: environment }),
    ends: ends.map(({ what, endsAt, counts }) => {
      const days = daysLeft(endsAt, cli.io.now());
      return { what, endsAt: endsAt.toISOString(), daysLeft: days, tier: expiryTier(days), counts };
    }),
    usable: {
      test: { kid: shown(usability.kid), x5c: shown(usability.x5c.test) },
      prod: { kid: shown(usability.kid), x5c: shown(usability.x5c.prod) },
    },
    findings: findings.map(({ id, state: one, text }) => ({ id, state: one, text: cli.text(text) })),
  };
}

function certificateDocument(certificate: X509Certificate): object {
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    serialNumber: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom).toISOString(),
    notAfter: new Date(certificate.validTo).toISOString(),
    fingerprint256: certificate.fingerprint256,
    selfSigned: certificate.checkIssued(certificate),
  };
}

/** OpenSSL writes one attribute a line; a name is shown in a terminal, where control characters would act. */
export const nameOf = (name: string): string =>
  name
    .split('\n')
    .map((part) => part.replaceAll(/\p{Cc}/gu, '?'))
    .join(', ');

const SIGNS: Readonly<Record<FindingState, { readonly sign: string; readonly style: 'green' | 'yellow' | 'red' }>> = {
  good: { sign: '✔', style: 'green' },
  warning: { sign: '!', style: 'yellow' },
  failed: { sign: '✘', style: 'red' },
};

export function findingLine(cli: Cli, { state, text }: KeyFinding): string {
  const { sign, style } = SIGNS[state];
  return `  ${cli.style(style, sign)} ${cli.text(text)}`;
}

/** The report for people. */
export function keyLines(cli: Cli, report: KeyReport): string[] {
  const { key, kid, findings, usability } = report;
  const half = key.isPrivate
    ? cli.text({ en: 'private key', nb: 'privat nøkkel' })
    : cli.text({ en: 'public key', nb: 'offentlig nøkkel' });
  const label = (text: string): string => `  ${cli.style('dim', text.padEnd(12))}`;
  return [
    '',
    cli.style('bold', `${half}${kid === undefined ? '' : `, kid ${kid}`}`),
    ...(key.thumbprint === undefined
      ? []
      : [`${label(cli.text({ en: 'thumbprint', nb: 'avtrykk' }))}${key.thumbprint}`]),
    ...key.chain.map((certificate, index) => {
      const name =
        index === 0
          ? cli.text({ en: 'certificate', nb: 'sertifikat' })
          : cli.text({ en: 'issued by', nb: 'utstedt av' });
      return `${label(name)}${nameOf(certificate.subject)}`;
    }),
    ...findings.map((finding) => findingLine(cli, finding)),
    '',
    cli.style('bold', `  ${cli.text({ en: 'May it sign grants?', nb: 'Kan den signere?' })}`),
    usabilityLine(cli, { en: 'as a registered key (kid)', nb: 'som registrert nøkkel (kid)' }, usability.kid),
    usabilityLine(cli, { en: 'as a certificate (x5c), test', nb: 'som sertifikat (x5c), test' }, usability.x5c.test),
    usabilityLine(
      cli,
      { en: 'as a certificate (x5c), production', nb: 'som sertifikat (x5c), produksjon' },
      usability.x5c.prod,
    ),
  ];
}

function usabilityLine(cli: Cli, what: { en: string; nb: string }, { usable, reason }: Usability): string {
  const name = cli.text(what).padEnd(36);
  if (usable) return `    ${name}${cli.style('green', cli.text({ en: 'yes', nb: 'ja' }))}`;
  return `    ${name}${cli.text({ en: 'no', nb: 'nei' })}${reason === undefined ? '' : `: ${cli.text(reason)}`}`;
}
