import { authorizationDetails, type InboundConsent, type InboundSystemUser } from './authorization-details.js';
import { organisationOf } from './organisation-id.js';
import { malformed, TokenRefusal } from './token-refusal.js';

/** What a token says, once its signature is verified. Times in milliseconds since the epoch. */
export interface TokenFacts {
  readonly organisation: string;
  readonly supplier?: string;
  readonly delegationSource?: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly audience?: readonly string[];
  readonly jti: string;
  readonly expiresAtMs: number;
  readonly pid?: string;
  readonly systemUser?: InboundSystemUser;
  readonly consent?: InboundConsent;
}

export interface ClaimRules {
  /** One of them must be in `aud`; empty: a token for somebody in particular is not for us (RFC 7519 §4.1.3). */
  readonly audiences: ReadonlySet<string>;
  readonly clockToleranceMs: number;
  readonly maxLifetimeMs: number;
}

type Claims = Readonly<Record<string, unknown>>;

/** RFC 6749 §3.3: scope tokens with one space between (T-55). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
const JTI = /^[\x21-\x7e]{1,255}$/;
/** What Maskinporten once wrote into `aud` of tokens for nobody in particular. */
const UNSPECIFIED = 'unspecified';

/**
 * Reads and judges the claims of a verified token, all but its issuer. `client_id` and `client_orgno` decide nothing
 * (Digdir, scopes).
 *
 * @throws TokenRefusal
 */
export function readClaims(claims: Claims, rules: ClaimRules, nowMs: number): TokenFacts {
  if (Object.hasOwn(claims, 'cnf')) {
    throw new TokenRefusal('token_bound', 'It has cnf, so that it may only be presented with a proof of that key.');
  }
  if (!isBearer(claims['token_type'])) throw malformed('token_type is not Bearer.');
  const expiresAtMs = judgeTimes(claims, rules, nowMs);
  const audience = judgeAudience(claims['aud'], rules.audiences);
  const { scope, jti, pid, client_id: clientId, supplier, delegation_source: delegationSource } = claims;
  if (typeof scope !== 'string' || !SCOPE.test(scope)) throw malformed('scope is not a text of scopes.');
  if (typeof jti !== 'string' || !JTI.test(jti)) throw malformed('jti is not a text of visible characters.');
  if (pid !== undefined && !(typeof pid === 'string' && /^\d{11}$/.test(pid))) {
    throw malformed('pid is not a text of eleven digits.');
  }
  const supplied = supplier === undefined ? undefined : norwegian(supplier, 'supplier');
  const { systemUser, consent } = authorizationDetails(claims['authorization_details']);
  return Object.freeze({
    organisation: norwegian(claims['consumer'], 'consumer'),
    ...(supplied === undefined ? {} : { supplier: supplied }),
    ...(typeof delegationSource === 'string' ? { delegationSource } : {}),
    clientId: typeof clientId === 'string' ? clientId : '',
    scopes: Object.freeze([...new Set(scope.split(' '))]),
    ...(audience.length === 0 ? {} : { audience }),
    jti,
    expiresAtMs,
    ...(pid === undefined ? {} : { pid }),
    ...(systemUser === undefined ? {} : { systemUser }),
    ...(consent === undefined ? {} : { consent }),
  });
}

const isBearer = (type: unknown): boolean =>
  type === undefined || (typeof type === 'string' && type.toLowerCase() === 'bearer');

/** @returns when it expires */
function judgeTimes({ exp, iat, nbf = iat }: Claims, rules: ClaimRules, nowMs: number): number {
  const { clockToleranceMs, maxLifetimeMs } = rules;
  const [expiresAtMs, issuedAtMs, startsAtMs] = [instant(exp, 'exp'), instant(iat, 'iat'), instant(nbf, 'nbf')];
  if (expiresAtMs <= issuedAtMs) throw malformed('exp is not after iat.');
  if (expiresAtMs - issuedAtMs > maxLifetimeMs) {
    throw malformed(`It lives longer than ${maxLifetimeMs / 1000} seconds, from iat to exp.`);
  }
  if (nowMs - clockToleranceMs >= expiresAtMs) throw new TokenRefusal('token_expired', 'exp has passed.');
  if (Math.max(issuedAtMs, startsAtMs) > nowMs + clockToleranceMs) {
    throw new TokenRefusal('token_not_yet_valid', 'iat or nbf is in the future.');
  }
  return expiresAtMs;
}

/** NumericDate (RFC 7519 §2); a text is not one. */
function instant(value: unknown, claim: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw malformed(`${claim} is not a time.`);
  return value * 1000;
}

function judgeAudience(aud: unknown, accepted: ReadonlySet<string>): readonly string[] {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : aud === undefined ? [] : [aud];
  const audience = list.filter((each) => each !== UNSPECIFIED);
  const isAbsent = audience.length === 0 && (aud === undefined || list.length > 0);
  if (accepted.size === 0) {
    if (isAbsent) return [];
    throw new TokenRefusal('token_audience', 'It is for an audience (aud), and this API has none.');
  }
  if (!audience.every((each) => typeof each === 'string') || !audience.some((each) => accepted.has(each))) {
    throw new TokenRefusal('token_audience', 'This API is not in aud: ask for the token with its resource.');
  }
  return Object.freeze(audience);
}

function norwegian(value: unknown, claim: string): string {
  const organisation = organisationOf(value, claim);
  if (organisation !== undefined) return organisation;
  throw new TokenRefusal('consumer_not_allowed', `${claim} is not an organisation of the Norwegian register.`);
}
