import { decodeJwt } from 'jose';
import type { MaskinportenToken, TokenEvent, TokenServiceStatus } from '../../tokens/index.js';
import type { Cli } from '../cli.js';
import type { SignedGrant } from './recorded-grants.js';

export interface TokenReport {
  readonly token: MaskinportenToken;
  readonly grants: readonly SignedGrant[];
  readonly events: readonly TokenEvent[];
  readonly issuer: Pick<TokenServiceStatus, 'issuer' | 'clock'>;
  /** Print the token itself. */
  readonly show: boolean;
}

type Claims = Readonly<Record<string, unknown>>;

/** The report as JSON. */
export function tokenDocument(report: TokenReport): object {
  const { token, grants, issuer, show } = report;
  const claims = claimsOf(token);
  return {
    issuer: issuer.issuer.identifier,
    scopes: token.scopes,
    expiresAt: token.expiresAt.toISOString(),
    lifetimeSeconds: lifetimeOf(report, claims),
    claims: claims ?? null,
    jti: token.jti,
    ...(token.kid === undefined ? {} : { kid: token.kid }),
    sent: grants.map(({ header, claims: sent }) => ({ header, claims: sent })),
    clockOffsetMs: issuer.clock.offsetMs ?? null,
    ...(show ? { token: token.value } : {}),
  };
}

/** The report for people. */
export function tokenLines(cli: Cli, report: TokenReport): string[] {
  const { token, grants, issuer, show } = report;
  const claims = claimsOf(token);
  const lifetime = lifetimeOf(report, claims);
  const last = grants.at(-1);
  const until = token.expiresAt.toISOString();
  return [
    `${cli.style('green', '✔')} ${cli.style('bold', token.scopes.join(' '))}`,
    `  ${cli.text({ en: 'issuer', nb: 'utsteder' }).padEnd(10)}${issuer.issuer.identifier}`,
    `  ${cli.text({ en: 'life', nb: 'levetid' }).padEnd(10)}${
      lifetime === undefined
        ? cli.text({ en: `until ${until}`, nb: `til ${until}` })
        : cli.text({ en: `${lifetime} s, until ${until}`, nb: `${lifetime} s, til ${until}` })
    }`,
    '',
    cli.style('bold', cli.text({ en: 'Claims of the token', nb: 'Claims i tokenet' })),
    ...(claims === undefined
      ? [cli.text({ en: '  not a JWT', nb: '  ikke en JWT' })]
      : Object.entries(claims).map(([name, value]) => claimLine(name, value))),
    '',
    ...(last === undefined ? [] : sentLines(cli, last)),
    ...(show ? ['', token.value] : []),
  ];
}

/** What was signed and sent, without the signature. */
export function sentLines(cli: Cli, { header, claims }: SignedGrant): string[] {
  return [
    cli.style(
      'bold',
      cli.text({ en: 'What was sent (the grant, without its signature)', nb: 'Det som ble sendt (uten signaturen)' }),
    ),
    ...Object.entries(header).map(([name, value]) => claimLine(name, name === 'x5c' ? x5cOf(cli, value) : value)),
    ...Object.entries(claims).map(([name, value]) => claimLine(name, value)),
  ];
}

const x5cOf = (cli: Cli, value: unknown): string => {
  const count = Array.isArray(value) ? value.length : 0;
  return cli.text({ en: `${count} certificates`, nb: `${count} sertifikater` });
};

export function claimLine(name: string, value: unknown): string {
  const isTime = ['iat', 'exp', 'nbf'].includes(name) && typeof value === 'number' && Math.abs(value) < 8.64e12;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const shown = isTime ? `${text} (${new Date(value * 1000).toISOString()})` : text;
  // It came from the network and goes to a terminal, where control characters would act.
  return `  ${name.replaceAll(/\p{Cc}/gu, '?').padEnd(22)}${shown.replaceAll(/\p{Cc}/gu, '?')}`;
}

function claimsOf({ value }: MaskinportenToken): Claims | undefined {
  try {
    return decodeJwt(value);
  } catch {
    return undefined;
  }
}

/** What the server promised, else what the token says. */
function lifetimeOf({ token, events }: TokenReport, claims: Claims | undefined): number | undefined {
  const promised = events.findLast((event) => event.type === 'token-obtained' && event.jti === token.jti);
  if (promised?.type === 'token-obtained' && promised.expiresInSeconds !== undefined) return promised.expiresInSeconds;
  const { iat, exp } = claims ?? {};
  return typeof iat === 'number' && typeof exp === 'number' ? exp - iat : undefined;
}
