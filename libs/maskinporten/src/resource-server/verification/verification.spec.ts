import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { rsaKeyPair } from '../../../../../test/support/pool.js';
import type { Consumer } from './consumer.js';
import type { ResourceServerOptions } from './resource-server-options.js';
import { ResourceServer } from './resource-server.js';
import { TokenRefusal } from './token-refusal.js';
import {
  TestClock,
  TestIssuer,
  claimsOf,
  encode,
  organisation,
  published,
  signed,
  signedWithPublicKey,
} from './tokens.fixtures.js';

const KEY = rsaKeyPair().privateKey;
const NEXT = rsaKeyPair().privateKey;
const FOREIGN = rsaKeyPair().privateKey;
const SHORT = rsaKeyPair(1024).privateKey;
const HOUR = 3_600_000;
const AUDIENCE = 'https://api.acme.no';
const UUID = 'a2ed712d-4144-4471-839f-80ae4a68146b';

const issuer = new TestIssuer();
let clock: TestClock;
let servers: ResourceServer[] = [];

beforeAll(() => issuer.start());
afterAll(() => issuer.stop());
const plainJwks = issuer.jwks;
const plainMetadata = issuer.metadata;
beforeEach(() => {
  clock = new TestClock();
  issuer.keys = [published(KEY, 'key-1')];
  issuer.jwks = plainJwks;
  issuer.metadata = plainMetadata;
  issuer.requests.length = 0;
});
afterEach(async () => {
  await Promise.all(servers.map(async (server) => server.close()));
  servers = [];
});

interface Heard {
  readonly states: string[];
}

function serverFor(options: ResourceServerOptions = {}, heard?: Heard): ResourceServer {
  const server = new ResourceServer(
    { issuer: issuer.issuer, ...options },
    { clock, onKeysState: ({ state }) => heard?.states.push(state) },
  );
  servers.push(server);
  return server;
}

const HEADER = { alg: 'RS256', kid: 'key-1' };
const claims = (changes?: Readonly<Record<string, unknown>>): object => claimsOf(issuer.issuer, clock.wall, changes);
/** What Maskinporten would send, but for these changes. */
const token = (changes?: Readonly<Record<string, unknown>>, header: object = {}, key: KeyObject = KEY): string =>
  signed({ ...HEADER, ...header }, claims(changes), key);
const now = (): number => Math.floor(clock.wall / 1000);

/** `accepted`, or the code and the reason of the refusal. */
async function verdict(server: ResourceServer, text: string): Promise<string> {
  try {
    await server.verify(text);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const down = (response: ServerResponse): void => {
  response.writeHead(503).end();
};

/** Which options are wrong, and why. */
const reasons = (options: object): Record<string, string> => {
  try {
    serverFor({ ...options });
    return {};
  } catch (error) {
    const { failures } = error as { failures: { field: string; reason: string }[] };
    return Object.fromEntries(failures.map(({ field, reason }) => [field, reason]));
  }
};

type Case = readonly [what: string, token: () => string, verdict: string];

const NO_JWT = 'token_malformed: It is not a signed JWT in compact form.';
const NO_HEADER = 'token_malformed: Its header is not a JSON object.';
const NO_PAYLOAD = 'token_malformed: Its payload is not a JSON object.';
const NO_MATCH = 'token_signature: The signature does not match.';
const UNKNOWN_KEY = 'token_signature: The issuer publishes no key with this kid.';
const NO_ALG = 'token_signature: alg must be RS256, RS384 or RS512.';
const NO_KID = 'token_malformed: kid is not a text of 1 to 128 visible characters.';
const WRONG_TYPE = 'token_malformed: Its header says that it is something else than an access token (typ).';
const CRITICAL = 'token_malformed: Its header demands an extension (crit) that is not supported.';
const NOT_YET = 'token_not_yet_valid: iat or nbf is in the future.';
const EXPIRED = 'token_expired: exp has passed.';
const TOO_LONG = 'token_malformed: It lives longer than 7200 seconds, from iat to exp.';
const NO_LIFE = 'token_malformed: exp is not after iat.';
const NO_SCOPE = 'token_malformed: scope is not a text of scopes.';
const NO_JTI = 'token_malformed: jti is not a text of visible characters.';
const NO_PID = 'token_malformed: pid is not a text of eleven digits.';
const BOUND = 'token_bound: It has cnf, so that it may only be presented with a proof of that key.';
const NO_CONSUMER = 'token_malformed: consumer is not an object with authority and ID.';
const NO_SUPPLIER = 'token_malformed: supplier is not an object with authority and ID.';
const PARTS = 'token_malformed: consumer.ID does not have two to four parts.';
const NO_NUMBER = 'token_malformed: consumer.ID does not hold an organisation number.';
const FOREIGN_CONSUMER = 'consumer_not_allowed: consumer is not an organisation of the Norwegian register.';
const FOREIGN_SUPPLIER = 'consumer_not_allowed: supplier is not an organisation of the Norwegian register.';
const NOT_BEARER = 'token_malformed: token_type is not Bearer.';
const NO_AUDIENCE = 'token_audience: It is for an audience (aud), and this API has none.';
const OTHER_AUDIENCE = 'token_audience: This API is not in aud: ask for the token with its resource.';
const NO_DETAILS = 'token_malformed: authorization_details is not a list of objects.';
const NO_UUID = 'token_malformed: authorization_details does not name one system user by its UUID.';
const NO_OWNER = 'token_malformed: systemuser_org is not an object with authority and ID.';
const wrongIssuer = (): string => `token_issuer: iss must be ${issuer.issuer} – byte for byte, with its slash.`;

const inScheme = (ID: string): Readonly<Record<string, unknown>> => ({
  consumer: { authority: 'iso6523-actorid-upis', ID },
});
const of = (authority: string, ID = '0192:310000019'): Readonly<Record<string, unknown>> => ({
  consumer: { authority, ID },
});
const systemUser = (changes: object = {}): object => ({
  type: 'urn:altinn:systemuser',
  systemuser_id: [UUID],
  systemuser_org: organisation('310000027'),
  system_id: '310000019_payroll',
  ...changes,
});
const details = (...list: unknown[]): Readonly<Record<string, unknown>> => ({ authorization_details: list });

/** RFC 8725 §3, and what a JWS may look like besides. */
const FORMS: readonly Case[] = [
  ['a token of Maskinporten', () => token(), 'accepted'],
  ['RS384', () => token({}, { alg: 'RS384' }), 'token_signature: alg is not the algorithm that this key is for.'],
  ['alg none without a signature', () => `${encode({ alg: 'none', kid: 'key-1' })}.${encode(claims())}.`, NO_ALG],
  ['alg none with one', () => token({}, { alg: 'none' }), NO_ALG],
  ['alg NONE', () => token({}, { alg: 'NONE' }), NO_ALG],
  ['alg rs256', () => token({}, { alg: 'rs256' }), NO_ALG],
  ['alg PS256', () => token({}, { alg: 'PS256' }), NO_ALG],
  ['alg ES256', () => token({}, { alg: 'ES256' }), NO_ALG],
  ['alg HS256 with the public key', () => signedWithPublicKey(HEADER, claims(), KEY), NO_ALG],
  ['no alg', () => token({}, { alg: undefined }), NO_ALG],
  ['a list as alg', () => token({}, { alg: ['RS256'] }), NO_ALG],
  ['the signature of another key', () => token({}, {}, FOREIGN), NO_MATCH],
  ['no signature', () => token().replace(/[^.]+$/, ''), NO_MATCH],
  ['half a signature', () => token().slice(0, -100), NO_MATCH],
  ['changed claims', () => token().replace(/\.[^.]+\./, `.${encode(claims({ scope: 'acme:all' }))}.`), NO_MATCH],
  ['a changed header', () => token().replace(/^[^.]+/, encode({ ...HEADER, x: 1 })), NO_MATCH],
  ['an embedded key', () => token({}, { jwk: published(FOREIGN, 'key-1') }, FOREIGN), NO_MATCH],
  [
    'an embedded key without kid',
    () => token({}, { kid: undefined, jwk: published(FOREIGN, 'x') }, FOREIGN),
    'token_signature: Its header does not name a key (kid).',
  ],
  [
    'jku and x5u',
    () => token({}, { jku: 'https://evil.example/jwk', x5u: 'https://evil.example/x' }, FOREIGN),
    NO_MATCH,
  ],
  ['x5c', () => token({}, { x5c: ['MIIB'] }, FOREIGN), NO_MATCH],
  ['a kid that is not published', () => token({}, { kid: 'key-2' }), UNKNOWN_KEY],
  ['a kid of the prototype', () => token({}, { kid: '__proto__' }), UNKNOWN_KEY],
  ['a kid with a path', () => token({}, { kid: '../../key-1' }), UNKNOWN_KEY],
  ['a kid in other case', () => token({}, { kid: 'KEY-1' }), UNKNOWN_KEY],
  ['an empty kid', () => token({}, { kid: '' }), NO_KID],
  ['a kid with a line break', () => token({}, { kid: 'key-1\n' }), NO_KID],
  ['a kid of 128 characters', () => token({}, { kid: 'k'.repeat(128) }), UNKNOWN_KEY],
  ['a kid of 129', () => token({}, { kid: 'k'.repeat(129) }), NO_KID],
  ['a number as kid', () => token({}, { kid: 1 }), NO_KID],
  ['crit', () => token({}, { crit: ['exp'] }), CRITICAL],
  ['an empty crit', () => token({}, { crit: [] }), CRITICAL],
  ['b64 false', () => token({}, { b64: false, crit: ['b64'] }), CRITICAL],
  ['typ JWT', () => token({}, { typ: 'JWT' }), 'accepted'],
  ['typ at+jwt', () => token({}, { typ: 'at+jwt' }), 'accepted'],
  ['typ application/at+jwt', () => token({}, { typ: 'application/at+jwt' }), 'accepted'],
  ['typ application/jwt', () => token({}, { typ: 'application/JWT' }), 'accepted'],
  ['typ dpop+jwt', () => token({}, { typ: 'dpop+jwt' }), WRONG_TYPE],
  ['typ logout+jwt', () => token({}, { typ: 'logout+jwt' }), WRONG_TYPE],
  ['a number as typ', () => token({}, { typ: 1 }), WRONG_TYPE],
  ['no token', () => '', NO_JWT],
  ['a text', () => 'secret', NO_JWT],
  ['two parts', () => token().split('.').slice(0, 2).join('.'), NO_JWT],
  ['four parts', () => `${token()}.x`, NO_JWT],
  ['five parts (JWE)', () => 'a.b.c.d.e', NO_JWT],
  ['an empty header', () => `.${encode(claims())}.x`, NO_JWT],
  ['an empty payload', () => `${encode(HEADER)}..x`, NO_JWT],
  ['base64 with padding', () => token().replace('.', '=.'), NO_JWT],
  ['a plus', () => `+${token()}`, NO_JWT],
  ['a line break before', () => `\n${token()}`, NO_JWT],
  ['a line break behind', () => `${token()}\n`, NO_JWT],
  [
    '16,384 characters',
    () => signed({ ...HEADER, p: 'x'.repeat(11_000) }, claims(), KEY).padEnd(16_384, 'x'),
    NO_MATCH,
  ],
  ['16,385', () => signed({ ...HEADER, p: 'x'.repeat(11_000) }, claims(), KEY).padEnd(16_385, 'x'), NO_JWT],
  ['a header that is not JSON', () => `${encode('{')}.${encode(claims())}.x`, NO_HEADER],
  ['a header that is a list', () => `${encode([])}.${encode(claims())}.x`, NO_HEADER],
  ['a header that is null', () => `${encode('null')}.${encode(claims())}.x`, NO_HEADER],
  ['a header that is a text', () => `${encode('"RS256"')}.${encode(claims())}.x`, NO_HEADER],
  ['a payload that is not JSON', () => signed(HEADER, 'claims', KEY), NO_PAYLOAD],
  ['a payload that is a list', () => signed(HEADER, [claims()], KEY), NO_PAYLOAD],
  ['a payload that is null', () => signed(HEADER, 'null', KEY), NO_PAYLOAD],
  ['a nested token', () => signed({ ...HEADER, cty: 'JWT' }, token(), KEY), NO_PAYLOAD],
  [
    'a payload that is not UTF-8',
    () => `${encode(HEADER)}.${Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')}.x`,
    NO_PAYLOAD,
  ],
  ['a byte order mark', () => `${encode(HEADER)}.${encode(`\ufeff${JSON.stringify(claims())}`)}.x`, NO_PAYLOAD],
  ['deep nesting', () => `${encode(HEADER)}.${encode('['.repeat(9_000))}.x`, NO_PAYLOAD],
];

const CLAIMS: readonly Case[] = [
  ['T-87: iss without its slash', () => token({ iss: issuer.origin }), 'issuer'],
  ['T-87: iss of the other environment', () => token({ iss: 'https://maskinporten.no/' }), 'issuer'],
  ['T-87: iss that begins alike', () => token({ iss: `${issuer.issuer}.example/` }), 'issuer'],
  ['T-87: iss with userinfo', () => token({ iss: issuer.issuer.replace('//', '//maskinporten.no@') }), 'issuer'],
  ['T-87: iss with a longer path', () => token({ iss: `${issuer.issuer}x/` }), 'issuer'],
  ['T-87: iss in other case', () => token({ iss: issuer.issuer.toUpperCase() }), 'issuer'],
  ['T-87: a list as iss', () => token({ iss: [issuer.issuer] }), 'issuer'],
  ['T-87: no iss', () => token({ iss: undefined }), 'issuer'],
  ['no exp', () => token({ exp: undefined }), 'token_malformed: exp is not a time.'],
  ['a text as exp', () => token({ exp: String(now() + 60) }), 'token_malformed: exp is not a time.'],
  ['null as exp', () => token({ exp: null }), 'token_malformed: exp is not a time.'],
  ['a negative exp', () => token({ exp: -1 }), 'token_malformed: exp is not a time.'],
  [
    'exp beyond numbers',
    () => signed(HEADER, JSON.stringify(claims({ exp: 0 })).replace('"exp":0', '"exp":1e999'), KEY),
    'token_malformed: exp is not a time.',
  ],
  ['no iat', () => token({ iat: undefined }), 'token_malformed: iat is not a time.'],
  ['a text as iat', () => token({ iat: String(now()) }), 'token_malformed: iat is not a time.'],
  ['a text as nbf', () => token({ nbf: String(now()) }), 'token_malformed: nbf is not a time.'],
  ['null as nbf', () => token({ nbf: null }), 'token_malformed: nbf is not a time.'],
  ['exp before iat', () => token({ exp: now() - 1, iat: now() }), NO_LIFE],
  ['exp at iat', () => token({ exp: now(), iat: now() }), NO_LIFE],
  ['a life of 7,200 seconds', () => token({ exp: now() + 7200 }), 'accepted'],
  ['a life of 7,201', () => token({ exp: now() + 7201 }), TOO_LONG],
  ['an exp in milliseconds', () => token({ exp: clock.wall + 120_000 }), TOO_LONG],
  ['exp 9 seconds ago', () => token({ iat: now() - 60, exp: now() - 9 }), 'accepted'],
  ['exp 10 seconds ago', () => token({ iat: now() - 60, exp: now() - 10 }), EXPIRED],
  ['iat in 10 seconds', () => token({ iat: now() + 10 }), 'accepted'],
  ['iat in 11 seconds', () => token({ iat: now() + 11 }), NOT_YET],
  ['nbf in 10 seconds', () => token({ nbf: now() + 10 }), 'accepted'],
  ['nbf in 11 seconds', () => token({ nbf: now() + 11 }), NOT_YET],
  ['nbf long ago', () => token({ nbf: 0 }), 'accepted'],
  ['iat 0', () => token({ iat: 0, exp: 60 }), EXPIRED],
  ['fractions of seconds', () => token({ iat: now() + 0.5, exp: now() + 1.5 }), 'accepted'],
  ['no scope', () => token({ scope: undefined }), NO_SCOPE],
  ['an empty scope', () => token({ scope: '' }), NO_SCOPE],
  ['T-86: a list as scope', () => token({ scope: ['acme:things.read'] }), NO_SCOPE],
  ['T-55: a tab in scope', () => token({ scope: 'acme:a\tacme:b' }), NO_SCOPE],
  ['T-55: a line break in scope', () => token({ scope: 'acme:a\nacme:b' }), NO_SCOPE],
  ['T-55: two spaces', () => token({ scope: 'acme:a  acme:b' }), NO_SCOPE],
  ['T-55: a space before', () => token({ scope: ' acme:a' }), NO_SCOPE],
  ['T-55: a space behind', () => token({ scope: 'acme:a ' }), NO_SCOPE],
  ['a quote in scope', () => token({ scope: 'acme:"a"' }), NO_SCOPE],
  ['no jti', () => token({ jti: undefined }), NO_JTI],
  ['an empty jti', () => token({ jti: '' }), NO_JTI],
  ['a number as jti', () => token({ jti: 1 }), NO_JTI],
  ['a jti with a line break', () => token({ jti: 'a\nb' }), NO_JTI],
  ['a jti of 255 characters', () => token({ jti: 'j'.repeat(255) }), 'accepted'],
  ['a jti of 256', () => token({ jti: 'j'.repeat(256) }), NO_JTI],
  ['no client_id', () => token({ client_id: undefined }), 'accepted'],
  ['a foreign client_orgno', () => token({ client_orgno: '000000000' }), 'accepted'],
  ['no client_amr', () => token({ client_amr: undefined }), 'accepted'],
  ['no token_type', () => token({ token_type: undefined }), 'accepted'],
  ['token_type bearer', () => token({ token_type: 'bearer' }), 'accepted'],
  ['token_type mac', () => token({ token_type: 'mac' }), NOT_BEARER],
  ['a number as token_type', () => token({ token_type: 1 }), NOT_BEARER],
  ['sub', () => token({ sub: 'x' }), 'accepted'],
  ['T-85: cnf with jkt', () => token({ cnf: { jkt: 'x' } }), BOUND],
  ['T-85: cnf with x5t#S256', () => token({ cnf: { 'x5t#S256': 'x' } }), BOUND],
  ['T-85: cnf with an unknown member', () => token({ cnf: { x: 1 } }), BOUND],
  ['T-85: an empty cnf', () => token({ cnf: {} }), BOUND],
  ['T-85: null as cnf', () => token({ cnf: null }), BOUND],
  ['a pid', () => token({ pid: '01819000391' }), 'accepted'],
  ['a number as pid', () => token({ pid: 1819000391 }), NO_PID],
  ['a pid of ten digits', () => token({ pid: '0181900039' }), NO_PID],
  ['a pid of twelve digits', () => token({ pid: '018190003911' }), NO_PID],
  ['null as pid', () => token({ pid: null }), NO_PID],
];

const ORGANISATIONS: readonly Case[] = [
  ['no consumer', () => token({ consumer: undefined }), NO_CONSUMER],
  ['null as consumer', () => token({ consumer: null }), NO_CONSUMER],
  ['a text as consumer', () => token({ consumer: '0192:310000019' }), NO_CONSUMER],
  ['a list as consumer', () => token({ consumer: [organisation('310000019')] }), NO_CONSUMER],
  ['no ID', () => token({ consumer: { authority: 'iso6523-actorid-upis' } }), NO_CONSUMER],
  ['no authority', () => token({ consumer: { ID: '0192:310000019' } }), NO_CONSUMER],
  ['a number as ID', () => token({ consumer: { authority: 'iso6523-actorid-upis', ID: 310000019 } }), NO_CONSUMER],
  [
    'id in lower case',
    () => token({ consumer: { authority: 'iso6523-actorid-upis', id: '0192:310000019' } }),
    'accepted',
  ],
  ['T-88: one part', () => token(inScheme('310000019')), PARTS],
  ['T-88: three parts', () => token(inScheme('0192:310000019:x')), 'accepted'],
  ['T-88: four parts', () => token(inScheme('0192:310000019:ER//310000027:1')), 'accepted'],
  ['T-88: five parts', () => token(inScheme('0192:310000019:a:b:c')), PARTS],
  ['T-88: an empty second part', () => token(inScheme('0192:')), PARTS],
  ['T-88: an empty first part', () => token(inScheme(':310000019')), PARTS],
  ['T-88: an empty third part', () => token(inScheme('0192:310000019:')), PARTS],
  ['a number with a wrong check digit', () => token(inScheme('0192:310000018')), NO_NUMBER],
  ['a number with the prefix twice', () => token(inScheme('0192:0192')), NO_NUMBER],
  ['a number in words', () => token(inScheme('0192:abc')), NO_NUMBER],
  ['T-89: another scheme', () => token(inScheme('9908:310000019')), FOREIGN_CONSUMER],
  ['T-89: a European seal', () => token(of('etsi-en-319-412', 'NTRNO-310000019')), FOREIGN_CONSUMER],
  ['T-89: an unknown authority with digits that are valid', () => token(of('acme')), FOREIGN_CONSUMER],
  ['T-89: the authority in other case', () => token(of('ISO6523-ACTORID-UPIS')), FOREIGN_CONSUMER],
  ['a supplier', () => token({ supplier: organisation('310000027') }), 'accepted'],
  ['a supplier that is not one', () => token({ supplier: '310000027' }), NO_SUPPLIER],
  ['null as supplier', () => token({ supplier: null }), NO_SUPPLIER],
  ['a foreign supplier', () => token({ supplier: { authority: 'acme', ID: '1:2' } }), FOREIGN_SUPPLIER],
];

const DETAILS: readonly Case[] = [
  ['an empty list', () => token(details()), 'accepted'],
  ['a system user', () => token(details(systemUser())), 'accepted'],
  ['an unknown type', () => token(details({ type: 'urn:acme', x: 1 })), 'accepted'],
  ['an object', () => token({ authorization_details: systemUser() }), 'accepted'],
  ['a JSON text', () => token({ authorization_details: JSON.stringify([systemUser()]) }), 'accepted'],
  [
    'a text that is not JSON',
    () => token({ authorization_details: 'x' }),
    'token_malformed: authorization_details is not JSON.',
  ],
  ['a number', () => token({ authorization_details: 1 }), NO_DETAILS],
  ['null', () => token({ authorization_details: null }), NO_DETAILS],
  ['a list of texts', () => token(details('x')), NO_DETAILS],
  ['a list of lists', () => token(details([systemUser()])), NO_DETAILS],
  [
    'two system users',
    () => token(details(systemUser(), systemUser())),
    'token_malformed: authorization_details names more than one system user.',
  ],
  ['a system user without id', () => token(details(systemUser({ systemuser_id: undefined }))), NO_UUID],
  ['a system user with no ids', () => token(details(systemUser({ systemuser_id: [] }))), NO_UUID],
  ['a system user with two ids', () => token(details(systemUser({ systemuser_id: [UUID, UUID] }))), NO_UUID],
  ['a system user with a number', () => token(details(systemUser({ systemuser_id: 1 }))), NO_UUID],
  [
    'a system user with something before its id',
    () => token(details(systemUser({ systemuser_id: `x${UUID}` }))),
    NO_UUID,
  ],
  [
    'a system user with something behind its id',
    () => token(details(systemUser({ systemuser_id: `${UUID}x` }))),
    NO_UUID,
  ],
  ['a system user of nobody', () => token(details(systemUser({ systemuser_org: undefined }))), NO_OWNER],
  [
    'a system user of a foreigner',
    () => token(details(systemUser({ systemuser_org: { authority: 'acme', ID: '1:2' } }))),
    'token_malformed: systemuser_org is not a Norwegian organisation.',
  ],
  ['a consent that cannot be read', () => token(details({ type: 'urn:altinn:consent' })), 'accepted'],
];

describe('T-58, S-16: the form of a token (RFC 8725)', () => {
  it.each(FORMS)('%s', async (_, make, expected) => {
    expect(await verdict(serverFor(), make())).toBe(expected);
  });

  it.each(['RS256', 'RS384', 'RS512'])('%s with a key that is published without alg', async (alg) => {
    issuer.keys = [published(KEY, 'key-1', { alg: undefined })];
    expect(await verdict(serverFor(), token({}, { alg }))).toBe('accepted');
    expect(await verdict(serverFor(), token({}, { alg }, FOREIGN))).toBe(NO_MATCH);
  });
});

describe('the claims of a token', () => {
  it.each(CLAIMS)('%s', async (_, make, expected) => {
    expect(await verdict(serverFor(), make())).toBe(expected === 'issuer' ? wrongIssuer() : expected);
  });

  it.each(ORGANISATIONS)('%s', async (_, make, expected) => {
    expect(await verdict(serverFor(), make())).toBe(expected);
  });

  it.each(DETAILS)('authorization_details: %s', async (_, make, expected) => {
    expect(await verdict(serverFor(), make())).toBe(expected);
  });

  it.each([
    [undefined, undefined, 'accepted'],
    [undefined, 'unspecified', 'accepted'],
    [undefined, ['unspecified'], 'accepted'],
    [undefined, AUDIENCE, NO_AUDIENCE],
    [undefined, [], NO_AUDIENCE],
    [undefined, null, NO_AUDIENCE],
    [undefined, ['unspecified', AUDIENCE], NO_AUDIENCE],
    [AUDIENCE, undefined, OTHER_AUDIENCE],
    [AUDIENCE, 'unspecified', OTHER_AUDIENCE],
    [AUDIENCE, [], OTHER_AUDIENCE],
    [AUDIENCE, null, OTHER_AUDIENCE],
    [AUDIENCE, `${AUDIENCE}/`, OTHER_AUDIENCE],
    [AUDIENCE, AUDIENCE.toUpperCase(), OTHER_AUDIENCE],
    [AUDIENCE, [1, AUDIENCE], OTHER_AUDIENCE],
    [AUDIENCE, { x: AUDIENCE }, OTHER_AUDIENCE],
    [AUDIENCE, AUDIENCE, 'accepted'],
    [AUDIENCE, ['https://other.example', AUDIENCE], 'accepted'],
    [[AUDIENCE, 'https://two.acme.no'], 'https://two.acme.no', 'accepted'],
    [[AUDIENCE, 'https://two.acme.no'], 'https://three.acme.no', OTHER_AUDIENCE],
  ])('option audience %p, aud %p: %s', async (audience, aud, expected) => {
    expect(await verdict(serverFor({ audience }), token({ aud }))).toBe(expected);
  });

  it('obey the options for time', async () => {
    const server = serverFor({ clockToleranceSeconds: 0, maxLifetimeSeconds: 60 });
    expect(await verdict(server, token({ exp: now() + 61 }))).toBe(
      'token_malformed: It lives longer than 60 seconds, from iat to exp.',
    );
    expect(await verdict(server, token({ iat: now() - 30, exp: now() }))).toBe(EXPIRED);
    expect(await verdict(server, token({ iat: now() + 1, exp: now() + 2 }))).toBe(NOT_YET);
    expect(await verdict(server, token({ exp: now() + 60 }))).toBe('accepted');
  });

  it('become a consumer that nobody can change for others', async () => {
    const server = serverFor();
    const text = token({
      ...details(systemUser({ externalRef: 'a' }), { type: 'urn:acme' }),
      supplier: organisation('310000027'),
      delegation_source: 'https://tt02.altinn.no/',
      scope: 'acme:b acme:a acme:b',
      aud: 'unspecified',
      pid: '01819000391',
    });
    const expected = {
      organisation: '310000019',
      supplier: '310000027',
      delegationSource: 'https://tt02.altinn.no/',
      clientId: '0c1f0a52-6a0e-4b56-9d5c-3a7a52b9b6a1',
      scopes: ['acme:b', 'acme:a'],
      jti: 'p3c1F0cJmS8n2x0rYk5a9w7QeVbTzUuHh1dLgK4oXyM',
      expiresAt: new Date((now() + 120) * 1000),
      pid: '01819000391',
      systemUser: { id: UUID, organisation: '310000027', systemId: '310000019_payroll', externalRef: 'a' },
    };
    const first = await server.verify(text);
    expect(first).toEqual(expected);
    first.expiresAt.setTime(0);
    expect(() => Object.assign(first, { organisation: 'x' })).toThrow(TypeError);
    expect(() => (first.scopes as string[]).push('acme:all')).toThrow(TypeError);
    expect(() => Object.assign(first.systemUser ?? {}, { id: 'x' })).toThrow(TypeError);
    expect(await server.verify(text)).toEqual(expected);
  });

  it('leave out what the token does not say', async () => {
    const bare = {
      organisation: '310000019',
      clientId: '',
      scopes: ['acme:a'],
      jti: 'j',
      expiresAt: new Date((now() + 120) * 1000),
    };
    const consumer = await serverFor().verify(
      token({
        client_id: 1,
        delegation_source: 1,
        scope: 'acme:a',
        jti: 'j',
        ...details(systemUser({ system_id: 1, externalRef: 1 })),
      }),
    );
    expect(consumer).toEqual({ ...bare, systemUser: { id: UUID, organisation: '310000027' } });
    expect(Object.keys(await serverFor().verify(token({ client_id: 1, scope: 'acme:a', jti: 'j' })))).toEqual(
      Object.keys(bare),
    );
    expect((await serverFor({ audience: AUDIENCE }).verify(token({ aud: AUDIENCE }))).audience).toEqual([AUDIENCE]);
  });

  it('T-66: nothing comes from a polluted prototype', async () => {
    const members = {
      cnf: {},
      kid: 'key-1',
      consumer: organisation('310000019'),
      pid: '01819000391',
      metaData: { a: 'b' },
    };
    for (const [name, value] of Object.entries(members)) {
      Reflect.defineProperty(Object.prototype, name, { value, configurable: true, enumerable: false });
    }
    try {
      const consumer = await serverFor().verify(token());
      expect('pid' in consumer && Object.hasOwn(consumer, 'pid')).toBe(false);
      expect(await verdict(serverFor(), token({ consumer: undefined }))).toBe(NO_CONSUMER);
      expect(await verdict(serverFor(), token({}, { kid: undefined }))).toMatch(/^token_signature/);
    } finally {
      for (const name of Object.keys(members)) Reflect.deleteProperty(Object.prototype, name);
    }
  });

  it('whatever is sent, it is a refusal and never a fault', async () => {
    const server = serverFor();
    const part = fc.oneof(
      fc.string(),
      fc.json().map(encode),
      fc.constant(encode(HEADER)),
      fc.constant(encode(claims())),
    );
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        expect(await verdict(server, text)).toMatch(/^token_(malformed|signature|issuer): /);
      }),
    );
    const claim = fc.constantFrom(
      'iss',
      'exp',
      'iat',
      'nbf',
      'scope',
      'consumer',
      'supplier',
      'jti',
      'aud',
      'pid',
      'authorization_details',
      'token_type',
    );
    await fc.assert(
      fc.asyncProperty(claim, fc.jsonValue(), async (name, value) => {
        expect(await verdict(server, token({ [name]: value }))).toMatch(
          /^(accepted$|token_\w+: |consumer_not_allowed: )/,
        );
      }),
    );
  });
});

describe('consents', () => {
  const RIGHT = {
    action: ['consent'],
    resource: [{ type: 'urn:altinn:resource', value: 'income' }],
    metadata: { year: '2026' },
  };
  const consent = (changes: object = {}): Readonly<Record<string, unknown>> =>
    details({
      type: 'urn:altinn:consent',
      id: UUID,
      from: 'urn:altinn:person:identifier-no:01819000391',
      to: organisation('310000019'),
      consented: '2026-11-01T10:00:00+01:00',
      validTo: '2027-01-31T00:00:00+01:00',
      consentRights: [RIGHT],
      ...changes,
    });
  const read = async (changes?: object): Promise<Consumer['consent']> =>
    (await serverFor().verify(token(consent(changes)))).consent;
  const whole = {
    id: UUID,
    from: 'urn:altinn:person:identifier-no:01819000391',
    to: '310000019',
    consented: '2026-11-01T10:00:00+01:00',
    validTo: new Date('2027-01-30T23:00:00Z'),
    rights: [{ actions: ['consent'], resources: RIGHT.resource, metadata: { year: '2026' } }],
  };

  it('are read as Maskinporten and Altinn write them', async () => {
    expect(await read()).toEqual(whole);
    const { metadata, ...rest } = RIGHT;
    expect(await read({ consentRights: [{ ...rest, metaData: metadata }] })).toEqual(whole);
    expect(await read({ to: { authority: 'iso6523-actorid-upis', id: '0192:310000019' } })).toEqual(whole);
    expect(await read({ id: UUID.toUpperCase() })).toEqual(whole);
    expect(await read({ consentRights: [{ ...RIGHT, action: 'consent' }] })).toEqual(whole);
    expect(await read({ consented: undefined })).toEqual({ ...whole, consented: undefined });
    expect(Object.hasOwn((await read({ consented: undefined })) ?? {}, 'consented')).toBe(false);
    const from = 'urn:altinn:organization:identifier-no:310000027';
    expect(await read({ from })).toEqual({ ...whole, from });
    for (const without of [{ ...rest }, { ...rest, metadata: null }]) {
      expect(await read({ consentRights: [without] })).toMatchObject({ rights: [{ metadata: {} }] });
    }
    for (const validTo of ['2027-01-30T23:00:00Z', '2027-01-30T23:00:00.0000000Z']) {
      expect((await read({ validTo }))?.validTo).toEqual(whole.validTo);
    }
  });

  it.each([
    ['id', undefined],
    ['id', `${UUID}x`],
    ['from', undefined],
    ['from', '01819000391'],
    ['from', 'urn:altinn:person:identifier-no:1'],
    ['from', 'x urn:altinn:person:identifier-no:01819000391'],
    ['from', 'urn:altinn:person:identifier-no:018190003911'],
    ['to', undefined],
    ['to', { authority: 'acme', ID: '1:2' }],
    ['to', 'urn:altinn:organization:identifier-no:310000019'],
    ['validTo', undefined],
    ['validTo', 1],
    ['validTo', 'soon'],
    ['validTo', '2027-01-31'],
    ['validTo', '2027-01-31T00:00:00'],
    ['validTo', '2027-13-31T00:00:00Z'],
    ['validTo', 'on 2027-01-31T00:00:00Z'],
    ['validTo', '2027-01-31T00:00:00Z or later'],
    ['consentRights', undefined],
    ['consentRights', RIGHT],
    ['consentRights', ['x']],
    ['consentRights', [RIGHT, null]],
    ['consentRights', [{ ...RIGHT, action: undefined }]],
    ['consentRights', [{ ...RIGHT, action: ['consent', 1] }]],
    ['consentRights', [{ ...RIGHT, resource: 'income' }]],
    ['consentRights', [{ ...RIGHT, resource: ['income'] }]],
    ['consentRights', [{ ...RIGHT, resource: [{ type: 'urn:altinn:resource' }] }]],
    ['consentRights', [{ ...RIGHT, resource: [{ value: 'income' }] }]],
    ['consentRights', [{ ...RIGHT, metadata: 'x' }]],
    ['consentRights', [{ ...RIGHT, metadata: { year: 2026 } }]],
  ])('%s %j is no consent', async (name, value) => {
    expect(await read({ [name]: value })).toBeUndefined();
  });

  it('two are as good as nothing', async () => {
    const [one] = consent()['authorization_details'] as [object];
    expect((await serverFor().verify(token(details(one, one)))).consent).toBeUndefined();
  });

  it('are the same for everybody, whatever one handler does with them', async () => {
    const server = serverFor();
    const text = token(consent());
    const { consent: first } = await server.verify(text);
    first?.validTo.setTime(0);
    expect(() => Object.assign(first?.rights[0]?.metadata ?? {}, { year: '2025' })).toThrow(TypeError);
    expect(() => Object.assign(first?.rights[0]?.resources[0] ?? {}, { value: 'x' })).toThrow(TypeError);
    expect(() => Object.assign(first?.rights ?? {}, [1])).toThrow(TypeError);
    expect(() => Object.assign(first ?? {}, { from: 'x' })).toThrow(TypeError);
    expect((await server.verify(text)).consent).toEqual(whole);
  });
});

describe('remembered verifications', () => {
  it('end with the token', async () => {
    const server = serverFor();
    const accept = async (text: string): Promise<string> => verdict(server, text);
    const text = token();
    expect(await accept(text)).toBe('accepted');
    clock.pass(129_999);
    expect(await accept(text)).toBe('accepted');
    clock.pass(1);
    expect(await accept(text)).toBe(EXPIRED);
  });

  it('end with the key: a key that was withdrawn opens nothing', async () => {
    const server = serverFor();
    const accept = async (text: string): Promise<string> => verdict(server, text);
    const text = token({ exp: now() + 7200 });
    expect(await accept(text)).toBe('accepted');
    issuer.keys = [published(NEXT, 'key-2')];
    expect(await accept(text)).toBe('accepted');
    clock.pass(HOUR / 2);
    // Starts the refresh, and is answered meanwhile.
    expect(await accept(text)).toBe('accepted');
    expect(await accept(token({}, { kid: 'key-2' }, NEXT))).toBe('accepted');
    expect(await accept(text)).toBe(UNKNOWN_KEY);
  });

  it('end with a key that got another meaning under the same kid', async () => {
    const server = serverFor();
    const accept = async (text: string): Promise<string> => verdict(server, text);
    const text = token({ exp: now() + 7200 });
    expect(await accept(text)).toBe('accepted');
    issuer.keys = [published(NEXT, 'key-1')];
    clock.pass(HOUR / 2);
    expect(await accept(token({}, { kid: 'unknown' }))).toBe(UNKNOWN_KEY);
    expect(await accept(text)).toBe(NO_MATCH);
  });

  it('are used as long as the keys stay the same', async () => {
    const server = serverFor();
    const text = token({ exp: now() + 7200 });
    const known = await server.verify(text);
    clock.pass(HOUR / 2);
    expect(await verdict(server, token({}, { kid: 'unknown' }))).toBe(UNKNOWN_KEY);
    expect(issuer.fetches).toBe(2);
    expect((await server.verify(text)).scopes).toBe(known.scopes);
  });

  it('do not take one token for another', async () => {
    const server = serverFor();
    const texts = ['310000019', '310000027'].map((orgno) => token({ consumer: organisation(orgno) }));
    const seen = await Promise.all(
      Array.from({ length: 500 }, async (_, index) => (await server.verify(texts[index % 2] ?? '')).organisation),
    );
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? '310000019' : '310000027')));
  });
});

describe('the keys of the issuer', () => {
  const UNAVAILABLE = 'keys_unavailable: The keys of the issuer could not be fetched.';

  it('are fetched when somebody needs them, once for all', async () => {
    const server = serverFor();
    expect(server.keysStatus).toEqual({ state: 'unknown', keys: 0 });
    const verdicts = await Promise.all(Array.from({ length: 50 }, async () => verdict(server, token())));
    expect(new Set(verdicts)).toEqual(new Set(['accepted']));
    expect(issuer.requests).toEqual(['/.well-known/oauth-authorization-server', '/jwk']);
    expect(server.keysStatus).toEqual({ state: 'up', keys: 1, fetchedAt: new Date(clock.wall) });
  });

  it('are read where jwksUri says, without metadata', async () => {
    expect(await verdict(serverFor({ jwksUri: `${issuer.origin}/jwk` }), token())).toBe('accepted');
    expect(issuer.requests).toEqual(['/jwk']);
  });

  it('are not fetched for a token that no key can help', async () => {
    const server = serverFor();
    for (const text of [
      'x',
      token({ iss: 'https://maskinporten.no/' }),
      token({}, { alg: 'none' }),
      token({}, { kid: '\n' }),
    ]) {
      expect(await verdict(server, text)).not.toBe('accepted');
    }
    expect(issuer.requests).toEqual([]);
  });

  it('F-79: old and new ones work while both are published', async () => {
    const server = serverFor();
    expect(await verdict(server, token())).toBe('accepted');
    issuer.keys = [published(NEXT, 'key-2'), published(KEY, 'key-1')];
    expect(await verdict(server, token({}, { kid: 'key-2' }, NEXT))).toBe('accepted');
    expect(await verdict(server, token({ jti: 'other' }))).toBe('accepted');
    expect(issuer.fetches).toBe(2);
  });

  it('F-75, F-76: 10,000 kids that do not exist cause one fetch per 30 seconds', async () => {
    const server = serverFor();
    const flood = async (count: number): Promise<void> => {
      const verdicts = await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const text = `${encode({ alg: 'RS256', kid: `made-up-${index}` })}.${encode(claims())}.x`;
          return verdict(server, text);
        }),
      );
      expect(new Set(verdicts)).toEqual(new Set([UNKNOWN_KEY]));
    };
    // The keys are fetched for the first of them, and do not hold it. Few at first: the fetch has a deadline, and 10,000
    // tokens at once keep a busy machine's event loop from it.
    await flood(100);
    expect(issuer.fetches).toBe(1);
    await flood(10_000);
    expect(issuer.fetches).toBe(1);
    clock.pass(29_999);
    await flood(100);
    expect(issuer.fetches).toBe(1);
    clock.pass(1);
    await flood(100);
    expect(issuer.fetches).toBe(2);
    issuer.keys = [published(NEXT, 'key-2')];
    expect(await verdict(server, token({}, { kid: 'key-2' }, NEXT))).toBe(UNKNOWN_KEY);
    clock.pass(30_000);
    expect(await verdict(server, token({}, { kid: 'key-2' }, NEXT))).toBe('accepted');
  });

  it('a wall clock that is set back does not stop the looking', async () => {
    const server = serverFor();
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNKNOWN_KEY);
    clock.wall -= HOUR;
    clock.monotonic += 30_000;
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNKNOWN_KEY);
    expect(issuer.fetches).toBe(2);
  });

  it('who looks for a new key while the keys are being fetched waits for that', async () => {
    const server = serverFor();
    expect(await verdict(server, token())).toBe('accepted');
    issuer.keys.push(published(NEXT, 'key-2'));
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        verdict(server, token({ jti: `j${index}` }, { kid: 'key-2' }, NEXT)),
      ),
    );
    expect(new Set(verdicts)).toEqual(new Set(['accepted']));
    expect(issuer.fetches).toBe(2);
  });

  it('F-73: stale keys serve for 24 hours, degraded after one', async () => {
    const heard: Heard = { states: [] };
    const server = serverFor({}, heard);
    const accept = async (): Promise<string> => verdict(server, token());
    expect(await accept()).toBe('accepted');
    issuer.jwks = down;
    const begun = clock.wall;
    const fetchedAt = new Date(begun);
    clock.pass(HOUR / 2 - 1);
    expect(await accept()).toBe('accepted');
    expect(issuer.fetches).toBe(1);
    clock.pass(1);
    expect(await accept()).toBe('accepted');
    // Joins the refresh that was started, and waits for its end.
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNAVAILABLE);
    expect(issuer.fetches).toBe(2);
    const lastError = `${new URL(issuer.origin).host} answered with status 503`;
    expect(server.keysStatus).toEqual({ state: 'up', keys: 1, fetchedAt, lastError });
    clock.pass(HOUR / 2);
    expect(server.keysStatus.state).toBe('up');
    clock.pass(1);
    expect(await accept()).toBe('accepted');
    expect(server.keysStatus).toEqual({ state: 'degraded', keys: 1, fetchedAt, lastError });
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNAVAILABLE);
    // One attempt per 30 seconds, whatever asks for it.
    expect(issuer.fetches).toBe(3);
    clock.wall = begun + 24 * HOUR;
    clock.monotonic += 22 * HOUR;
    expect(await accept()).toBe('accepted');
    clock.pass(1);
    const text = token();
    expect(await verdict(server, text)).toBe(UNAVAILABLE);
    expect(server.keysStatus.state).toBe('unavailable');
    issuer.jwks = plainJwks;
    clock.pass(2_000);
    expect(await verdict(server, text)).toBe('accepted');
    expect(server.keysStatus).toEqual({ state: 'up', keys: 1, fetchedAt: new Date(clock.wall) });
    expect(heard.states).toEqual(['up', 'degraded', 'unavailable', 'up']);
  });

  it('F-73: a remembered token is not older than the keys that it was verified with', async () => {
    const server = serverFor({ maxLifetimeSeconds: 86_400 });
    const text = token({ exp: now() + 86_400 });
    expect(await verdict(server, text)).toBe('accepted');
    issuer.jwks = down;
    clock.pass(24 * HOUR + 1);
    expect(await verdict(server, text)).toBe(UNAVAILABLE);
  });

  it('F-73: keys that stay the same are not degraded, however old they are', async () => {
    const server = serverFor();
    expect(await verdict(server, token())).toBe('accepted');
    clock.pass(2 * HOUR);
    expect(server.keysStatus.state).toBe('up');
  });

  it('F-74: without keys it is 503, never 401, and the issuer is asked again after two seconds', async () => {
    const heard: Heard = { states: [] };
    const server = serverFor({}, heard);
    issuer.metadata = down;
    await expect(server.verify(token())).rejects.toMatchObject({ code: 'keys_unavailable', retryAfterMs: 2_000 });
    clock.pass(500);
    await expect(server.verify(token())).rejects.toMatchObject({ code: 'keys_unavailable', retryAfterMs: 1_500 });
    expect(issuer.requests).toHaveLength(1);
    expect(server.keysStatus).toMatchObject({ state: 'unavailable', keys: 0 });
    clock.pass(1_499);
    expect(await verdict(server, token())).toBe(UNAVAILABLE);
    expect(issuer.requests).toHaveLength(1);
    issuer.metadata = plainMetadata;
    clock.pass(1);
    expect(await verdict(server, token())).toBe('accepted');
    expect(heard.states).toEqual(['unavailable', 'up']);
  });

  it('a kid that is not known is not refused while the issuer is away: 503 says so, with when to come again', async () => {
    const server = serverFor();
    expect(await verdict(server, token())).toBe('accepted');
    issuer.jwks = down;
    for (let times = 0; times < 3; times += 1) {
      await expect(server.verify(token({}, { kid: 'new' }))).rejects.toMatchObject({
        code: 'keys_unavailable',
        retryAfterMs: 30_000,
      });
    }
    expect(issuer.fetches).toBe(2);
    expect(await verdict(server, token())).toBe('accepted');
  });

  it('an address that does not work any more is read from the metadata again', async () => {
    const server = serverFor();
    expect(await verdict(server, token())).toBe('accepted');
    issuer.jwks = down;
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNAVAILABLE);
    clock.pass(30_000);
    issuer.jwks = plainJwks;
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNKNOWN_KEY);
    clock.pass(30_000);
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNKNOWN_KEY);
    const metadata = '/.well-known/oauth-authorization-server';
    expect(issuer.requests).toEqual([metadata, '/jwk', '/jwk', metadata, '/jwk', '/jwk']);
    clock.pass(12 * HOUR);
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNKNOWN_KEY);
    expect(issuer.requests.slice(6)).toEqual([metadata, '/jwk']);
  });

  it.each([
    [
      'another issuer',
      { issuer: 'https://maskinporten.no/' },
      'the metadata of the issuer names another issuer (https://maskinporten.no/)',
    ],
    ['no jwks_uri', { jwks_uri: undefined }, 'the metadata of the issuer has no jwks_uri'],
    ['a jwks_uri that is a number', { jwks_uri: 1 }, 'the metadata of the issuer has no jwks_uri'],
    [
      'keys of another origin',
      { jwks_uri: 'https://evil.example/jwk' },
      'the jwks_uri of the issuer is at another origin: set jwksUri if that is right',
    ],
    [
      'keys over http',
      { jwks_uri: 'http://evil.example/jwk' },
      expect.stringMatching(/^the jwks_uri of the issuer must be https/),
    ],
  ])('F-71, F-72: metadata with %s is not believed', async (_, changes, lastError) => {
    issuer.metadata = (response) =>
      response.end(JSON.stringify({ issuer: issuer.issuer, jwks_uri: `${issuer.origin}/jwk`, ...changes }));
    const server = serverFor();
    expect(await verdict(server, token())).toBe(UNAVAILABLE);
    expect(server.keysStatus.lastError).toEqual(lastError);
    expect(issuer.fetches).toBe(0);
  });

  it.each([
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['a text', '"keys"'],
    ['a list', '[]'],
    ['no keys', '{}'],
    ['keys that are no list', '{"keys":{}}'],
    ['an empty list', '{"keys":[]}'],
    ['a list of others', '{"keys":[null,1,"x",[]]}'],
  ])('a document with %s is a failed fetch, so that known keys stay', async (_, body) => {
    const server = serverFor();
    expect(await verdict(server, token())).toBe('accepted');
    issuer.jwks = (response) => response.end(body);
    expect(await verdict(server, token({}, { kid: 'new' }))).toBe(UNAVAILABLE);
    expect(server.keysStatus.lastError).toBe('the document at jwks_uri holds no usable key');
    expect(await verdict(server, token())).toBe('accepted');
  });

  it.each([404, 302, 204])('a document with status %d is a failed fetch', async (status) => {
    issuer.jwks = (response) => response.writeHead(status, { location: `${issuer.origin}/jwk` }).end();
    expect(await verdict(serverFor(), token())).toBe(UNAVAILABLE);
    expect(issuer.fetches).toBe(1);
  });

  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  it.each<[string, () => object]>([
    ['symmetric', () => ({ kty: 'oct', k: encode('secret'), kid: 'key-1', alg: 'HS256', use: 'sig' })],
    ['for encryption', () => published(KEY, 'key-1', { use: 'enc' })],
    ['for other operations', () => published(KEY, 'key-1', { key_ops: ['encrypt'] })],
    ['for operations that are no list', () => published(KEY, 'key-1', { key_ops: 'verify' })],
    ['of 1024 bits', () => published(SHORT, 'key-1')],
    ['elliptic', () => published(elliptic, 'key-1', { alg: undefined })],
    ['said to be elliptic', () => published(KEY, 'key-1', { kty: 'EC' })],
    ['for another algorithm', () => published(KEY, 'key-1', { alg: 'PS256' })],
    ['for an algorithm that is a number', () => published(KEY, 'key-1', { alg: 1 })],
    ['without kid', () => published(KEY, 'key-1', { kid: undefined })],
    ['with a kid that cannot be printed', () => published(KEY, 'key-1', { kid: 'key-1\n' })],
    ['with a kid that is too long', () => published(KEY, 'key-1', { kid: 'k'.repeat(129) })],
    ['with exponent 1', () => published(KEY, 'key-1', { e: 'AQ' })],
    ['with an even exponent', () => published(KEY, 'key-1', { e: 'AQAA' })],
    ['without exponent', () => published(KEY, 'key-1', { e: undefined })],
    ['without modulus', () => published(KEY, 'key-1', { n: undefined })],
    ['of 8200 bits', () => published(KEY, 'key-1', { n: Buffer.alloc(1025, 0xff).toString('base64url') })],
  ])('F-77: a key %s is ignored', async (_, make) => {
    issuer.keys = [make(), published(NEXT, 'key-2')];
    const server = serverFor();
    expect(await verdict(server, token())).toBe(UNKNOWN_KEY);
    expect(server.keysStatus.keys).toBe(1);
    expect(await verdict(server, token({}, { kid: 'key-2' }, NEXT))).toBe('accepted');
  });

  it('F-77: of two keys with one kid neither is believed, and the same key twice is one', async () => {
    issuer.keys = [
      published(KEY, 'key-1'),
      published(FOREIGN, 'key-1'),
      published(KEY, 'key-1'),
      published(NEXT, 'key-2'),
      published(NEXT, 'key-2'),
    ];
    const server = serverFor();
    expect(await verdict(server, token())).toBe(UNKNOWN_KEY);
    expect(await verdict(server, token({}, {}, FOREIGN))).toBe(UNKNOWN_KEY);
    expect(await verdict(server, token({}, { kid: 'key-2' }, NEXT))).toBe('accepted');
  });

  it.each([
    ['use and alg left out', { use: undefined, alg: undefined }],
    ['key_ops verify', { key_ops: ['verify'] }],
    ['members that nobody knows', { x5c: ['MIIB'], x: 1 }],
  ])('a key with %s works', async (_, changes) => {
    issuer.keys = [published(KEY, 'key-1', changes)];
    expect(await verdict(serverFor(), token())).toBe('accepted');
  });

  it('F-78: a document of 256 KiB is read, a larger one is not', async () => {
    const sized = (bytes: number) => (response: ServerResponse) =>
      response.end(JSON.stringify({ keys: issuer.keys }).padEnd(bytes));
    issuer.jwks = sized(256 * 1024);
    expect(await verdict(serverFor(), token())).toBe('accepted');
    issuer.jwks = sized(256 * 1024 + 1);
    expect(await verdict(serverFor(), token())).toBe(UNAVAILABLE);
    issuer.jwks = plainJwks;
    issuer.metadata = sized(256 * 1024 + 1);
    expect(await verdict(serverFor(), token())).toBe(UNAVAILABLE);
  });

  it('F-78: a document that does not come is given up, and all who wait are answered at once', async () => {
    const asked = new Promise<ServerResponse>((resolve) => {
      issuer.jwks = resolve;
    });
    const server = serverFor();
    const verdicts = Promise.all(Array.from({ length: 20 }, async () => verdict(server, token())));
    const response = await asked;
    // Nobody ends it here: the deadline does.
    await once(response, 'close');
    expect(new Set(await verdicts)).toEqual(new Set([UNAVAILABLE]));
    expect(server.keysStatus.lastError).toMatch(/did not answer within 3000 ms/);
  });
});

describe('the options of a resource server', () => {
  const texts = 'must be one or more texts of visible characters';
  const prefixes = 'must hold prefixes without colon, such as acme';

  it.each([
    [{ issuer: undefined }, { issuer: 'is missing: set environment to test or prod, or give an issuer' }],
    [{ issuer: 'https://test.maskinporten.no' }, { issuer: expect.stringContaining('byte for byte') }],
    [{ environment: 'dev', issuer: undefined }, { environment: 'must be test or prod' }],
    [{ allowInsecureHosts: 'x' }, { allowInsecureHosts: expect.stringContaining('list of host names') }],
    [{ jwksUri: 'http://keys.example/' }, { jwksUri: expect.stringContaining('must be https') }],
    [{ jwksUri: 1 }, { jwksUri: 'must be an absolute URL' }],
    [
      { issuer: 'https://maskinporten.no/', jwksUri: 'https://test.maskinporten.no/jwk' },
      { jwksUri: 'belongs to test, but the issuer to prod' },
    ],
    [{ audience: '' }, { audience: texts }],
    [{ audience: [] }, { audience: texts }],
    [{ audience: ['https://a.no', 1] }, { audience: texts }],
    [{ audience: 'https://a.no b' }, { audience: texts }],
    [{ audience: 'a'.repeat(2049) }, { audience: texts }],
    [{ scopePrefixes: [] }, { scopePrefixes: texts }],
    [{ scopePrefixes: ['acme:'] }, { scopePrefixes: prefixes }],
    [{ scopePrefixes: ['ac"me'] }, { scopePrefixes: prefixes }],
    [{ clockToleranceSeconds: 61 }, { clockToleranceSeconds: 'must be from 0 to 60' }],
    [{ clockToleranceSeconds: -1 }, { clockToleranceSeconds: 'must be from 0 to 60' }],
    [{ clockToleranceSeconds: '10' }, { clockToleranceSeconds: 'must be from 0 to 60' }],
    [{ clockToleranceSeconds: Number.NaN }, { clockToleranceSeconds: 'must be from 0 to 60' }],
    [{ maxLifetimeSeconds: 0 }, { maxLifetimeSeconds: 'must be from 1 to 86400' }],
    [{ maxLifetimeSeconds: 86_401 }, { maxLifetimeSeconds: 'must be from 1 to 86400' }],
    [
      { issuer: 1, audience: 1, jwksUri: 'x' },
      { issuer: expect.any(String), audience: texts, jwksUri: expect.any(String) },
    ],
  ])('%j is refused', (options, expected) => {
    expect(reasons(options)).toEqual(expected);
  });

  it.each([
    { environment: 'test', issuer: undefined },
    { environment: 'prod', issuer: undefined, jwksUri: 'https://maskinporten.no/jwk' },
    { clockToleranceSeconds: 0, maxLifetimeSeconds: 1 },
    { clockToleranceSeconds: 60, maxLifetimeSeconds: 86_400 },
    { scopePrefixes: ['acme', '310000019'], audience: ['https://a.no'] },
    { http: { proxy: 'environment' } },
  ])('%j is accepted', (options) => {
    expect(reasons(options)).toEqual({});
  });

  it('say what they came to', () => {
    const { settings } = serverFor({ environment: 'test', issuer: undefined, audience: 'https://a.no' });
    expect(settings).toMatchObject({
      issuer: { issuer: 'https://test.maskinporten.no/' },
      clockToleranceMs: 10_000,
      maxLifetimeMs: 7_200_000,
      audiences: new Set(['https://a.no']),
    });
    expect(settings.scopePrefixes).toBeUndefined();
    expect(serverFor({ scopePrefixes: ['acme'], jwksUri: `${issuer.origin}/k` }).settings).toMatchObject({
      scopePrefixes: ['acme'],
      jwksUri: `${issuer.origin}/k`,
    });
  });
});
