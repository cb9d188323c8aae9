// Longer than 250 lines because a token is one thing to read: what can be wished for, what it becomes, and each way to spoil it.
import { createHmac, randomBytes, randomUUID, sign } from 'node:crypto';
import {
  type Reader,
  anyRecord,
  integer,
  list,
  oneOf,
  optional,
  organisationIdentifier,
  organisationNumber,
  record,
  refuse,
  scopeName,
  text,
  withDefault,
} from '../kernel/index.js';
import { DELEGATION_SOURCE } from './issue-token.js';
import type { MaskinportenState } from './maskinporten-state.js';
import { CONSENT, SYSTEM_USER } from './rules/index.js';
import type { SigningKey } from './signing-keys.js';

/** An organisation number, or an identifier that goes into the token as it is, such as a sub-unit's or a foreign one. */
export type PartyInput = string | { authority: string; ID: string; [member: string]: unknown };

/** What a token should say that nobody asked for with a grant. */
export interface IssueTokenInput {
  /** The organisation that is entitled: claim `consumer`. */
  consumer: PartyInput;
  /** The organisation that calls on the consumer's behalf: claim `supplier`, with `delegation_source`. */
  supplier?: PartyInput | undefined;
  scopes: readonly string[];
  /** Claim `aud`, as after a grant with `resource`. Default: none. */
  audience?: string | readonly string[] | undefined;
  /**
   * The system user that acts: the id of one that the simulator knows, or its owner. What is left out is taken from a
   * known system user of that owner, or made up.
   */
  systemUser?: string | { orgno: string; id?: string; systemId?: string; externalRef?: string } | undefined;
  /** The consent: the id of one that the simulator knows, or who gave it and to what. `to` is the consumer by default. */
  consent?:
    | string
    | {
        from: string;
        id?: string;
        to?: PartyInput;
        validTo?: string;
        consented?: string;
        consentRights?: Record<string, unknown>[];
      }
    | undefined;
  /** Person number that the token is restricted to. */
  pid?: string | undefined;
  /** Default: a client of the calling organisation, or a made-up one. */
  clientId?: string | undefined;
  /** Default 120. */
  expiresInSeconds?: number | undefined;
  /** Spoils the token in one way, for tests of an API that has to refuse it. */
  tamper?: Tamper | undefined;
}

/** The ways to spoil a token, one fault each. The README says what an API should answer. */
const TAMPERS = [
  'signature',
  'unknown-kid',
  'no-kid',
  'alg-none',
  'alg-hs256',
  'crit',
  'cut-off',
  'issuer',
  'issuer-slash',
  'expired',
  'not-yet',
  'no-exp',
  'no-iat',
  'too-long',
  'audience',
  'bound',
  'no-consumer',
  'no-jti',
  'no-scope',
] as const;

export type Tamper = (typeof TAMPERS)[number];

type Members = Readonly<Record<string, unknown>>;

/** Claims or header of a spoiled token. `undefined` removes a member. */
const CHANGED_CLAIMS: Partial<Record<Tamper, (claims: { iat: number; exp: number; iss: string }) => Members>> = {
  issuer: () => ({ iss: 'https://maskinporten.example/' }),
  'issuer-slash': ({ iss }) => ({ iss: iss.replace(/\/$/, '') }),
  // Far enough from now for every tolerance of clocks.
  expired: ({ iat, exp }) => ({ iat: iat - (exp - iat) - 600, exp: iat - 600 }),
  'not-yet': ({ iat, exp }) => ({ iat: iat + 600, exp: exp + 600 }),
  'no-exp': () => ({ exp: undefined }),
  'no-iat': () => ({ iat: undefined }),
  'too-long': ({ iat }) => ({ exp: iat + 30 * 86_400 }),
  audience: () => ({ aud: 'https://another-api.example' }),
  bound: () => ({ cnf: { jkt: randomBytes(32).toString('base64url') } }),
  'no-consumer': () => ({ consumer: undefined }),
  'no-jti': () => ({ jti: undefined }),
  'no-scope': () => ({ scope: undefined }),
};

const CHANGED_HEADER: Partial<Record<Tamper, Members>> = {
  'unknown-kid': { kid: 'a-key-that-is-not-published' },
  'no-kid': { kid: undefined },
  'alg-none': { alg: 'none' },
  'alg-hs256': { alg: 'HS256' },
  crit: { crit: ['urn:example:extension'], 'urn:example:extension': true },
};

const party: Reader<{ readonly authority: string; readonly ID: string }> = (value, field) => {
  if (typeof value === 'string') return organisationIdentifier(organisationNumber(value, field));
  const { authority, ID: id, ...more } = anyRecord(value, field);
  return { ...more, authority: text()(authority, `${field}.authority`), ID: text()(id, `${field}.ID`) };
};

const time = text(/^\d{4}-\d\d-\d\dT/, 'an ISO 8601 time');
const uuid = text(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'a UUID');
const systemUser = record({
  orgno: organisationNumber,
  id: optional(uuid),
  systemId: optional(text()),
  externalRef: optional(text()),
});
const consent = record({
  from: text(),
  id: optional(uuid),
  to: optional(party),
  validTo: optional(time),
  consented: optional(time),
  consentRights: optional(list(anyRecord)),
});

function stringOr<T>(reader: Reader<T>): Reader<string | T> {
  return (value, field) => (typeof value === 'string' ? text()(value, field) : reader(value, field));
}

const readInput = record({
  consumer: party,
  supplier: optional(party),
  scopes: list(scopeName),
  audience: optional(stringOr(list(text()))),
  systemUser: optional(stringOr(systemUser)),
  consent: optional(stringOr(consent)),
  pid: optional(text(/^\d{11}$/, 'eleven digits')),
  clientId: optional(text()),
  expiresInSeconds: withDefault(integer(1, 86_400), 120),
  tamper: optional(oneOf(...TAMPERS)),
});
type Input = ReturnType<typeof readInput>;

export interface TokenWithoutGrant {
  readonly token: string;
  readonly expiresInSeconds: number;
  readonly scope: string;
}

/**
 * Signs a token as Maskinporten would after a grant, for those who test an API and have neither client nor key.
 * @throws ConfigurationError naming each wrong member.
 */
export async function issueTokenWithoutGrant(input: unknown, state: MaskinportenState): Promise<TokenWithoutGrant> {
  const wanted = readInput(input, '');
  if (wanted.systemUser !== undefined && wanted.consent !== undefined) {
    refuse('consent', 'cannot be combined with systemUser: a token has one entry in authorization_details');
  }
  const claims = claimsOf(wanted, state);
  const key = await state.signingKeys.current();
  const { expiresInSeconds, scopes, tamper } = wanted;
  return { token: spoiled(claims, key, tamper), expiresInSeconds, scope: scopes.join(' ') };
}

function claimsOf(wanted: Input, state: MaskinportenState) {
  const { consumer, supplier, audience, pid, expiresInSeconds, scopes } = wanted;
  const iat = Math.floor(state.world.clock.nowSeconds());
  const details = detailsOf(wanted, state, iat);
  return {
    ...(audience !== undefined && { aud: audience }),
    ...(details !== undefined && { authorization_details: [details] }),
    scope: scopes.join(' '),
    iss: state.world.urls().issuer,
    client_amr: 'private_key_jwt',
    token_type: 'Bearer',
    exp: iat + expiresInSeconds,
    iat,
    client_id: wanted.clientId ?? clientOf(supplier ?? consumer, state),
    jti: randomBytes(32).toString('base64url'),
    ...(pid !== undefined && { pid }),
    consumer,
    ...(supplier !== undefined && { supplier, delegation_source: DELEGATION_SOURCE }),
  };
}

function clientOf({ ID: id }: { readonly ID: string }, { clients }: MaskinportenState): string {
  return clients.list().find(({ orgno }) => id === `0192:${orgno}`)?.clientId ?? 'simulated-client';
}

function detailsOf(wanted: Input, state: MaskinportenState, iat: number): Members | undefined {
  if (wanted.systemUser !== undefined) return systemUserDetails(wanted, state);
  return wanted.consent === undefined ? undefined : consentDetails(wanted, state, iat);
}

function systemUserDetails({ systemUser: wanted, consumer }: Input, { systemUsers }: MaskinportenState): Members {
  const asked: Partial<ReturnType<typeof systemUser>> = typeof wanted === 'string' ? { id: wanted } : (wanted ?? {});
  const known = systemUsers
    .list()
    .find(
      (user) =>
        (asked.id ?? user.id) === user.id &&
        (asked.orgno ?? user.orgno) === user.orgno &&
        (asked.systemId ?? user.systemId) === user.systemId &&
        (asked.externalRef ?? user.externalRef) === user.externalRef,
    );
  const owner = asked.orgno ?? known?.orgno;
  if (owner === undefined) return refuse('systemUser', 'is not the id of a system user');
  const externalRef = asked.externalRef ?? known?.externalRef;
  return {
    type: SYSTEM_USER,
    systemuser_id: [asked.id ?? known?.id ?? randomUUID()],
    systemuser_org: organisationIdentifier(owner),
    system_id: asked.systemId ?? known?.systemId ?? `${consumer.ID.split(':')[1] ?? ''}_system`,
    ...(externalRef !== undefined && externalRef !== owner && { externalRef }),
  };
}

function consentDetails({ consent: wanted, consumer }: Input, { consents }: MaskinportenState, iat: number): Members {
  const asked: Partial<ReturnType<typeof consent>> = typeof wanted === 'string' ? { id: wanted } : (wanted ?? {});
  const known = consents.get(asked.id ?? '');
  const from = asked.from ?? known?.from;
  if (from === undefined) return refuse('consent', 'is not the id of a consent');
  const at = (seconds: number): string => new Date((iat + seconds) * 1000).toISOString().replace('.000Z', '+00:00');
  const anyRight = { action: ['consent'], resource: [{ type: 'urn:altinn:resource', value: 'simulated-consent' }] };
  return {
    type: CONSENT,
    id: asked.id ?? randomUUID(),
    from,
    to: asked.to ?? consumer,
    consented: asked.consented ?? known?.consented ?? at(-3600),
    validTo: asked.validTo ?? known?.validTo ?? at(86_400),
    consentRights: asked.consentRights ?? known?.consentRights ?? [anyRight],
  };
}

const encode = (members: Members): string => Buffer.from(JSON.stringify(members)).toString('base64url');

function spoiled(claims: ReturnType<typeof claimsOf>, key: SigningKey, tamper: Tamper | undefined): string {
  const change = tamper && CHANGED_CLAIMS[tamper];
  // JSON leaves out what is undefined.
  const payload = encode({ ...claims, ...change?.(claims) });
  const head = encode({ kid: key.kid, alg: 'RS256', ...(tamper && CHANGED_HEADER[tamper]) });
  const input = `${head}.${payload}`;
  if (tamper === 'cut-off') return input;
  return `${input}.${signatureOf(input, key, tamper).toString('base64url')}`;
}

function signatureOf(input: string, { privateKey, publicKey }: SigningKey, tamper: Tamper | undefined): Buffer {
  if (tamper === 'alg-none') return Buffer.alloc(0);
  if (tamper === 'alg-hs256') {
    // The attack: an API that takes the algorithm from the token uses the published key as a shared secret.
    return createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' }))
      .update(input)
      .digest();
  }
  const signature = sign('sha256', Buffer.from(input), privateKey);
  if (tamper === 'signature') signature[0] = (signature[0] ?? 0) ^ 1;
  return signature;
}
