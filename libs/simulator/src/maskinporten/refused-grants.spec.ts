import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Claims,
  CUSTOMER,
  GrantBench,
  type GrantChanges,
  KEY,
  OTHER,
  SCOPE,
  SECOND_SCOPE,
  VENDOR,
  makeClient,
  makeKey,
  sign,
} from '../grants.fixtures.js';
import { type ExpectedRefusal, expectRefusal } from '../refusals.fixtures.js';

const AUTHENTICATION = 'Invalid assertion. Client authentication failed.';
const foreignKey = makeKey('key-1');
const agedKey = makeKey('aged');
const slowKey = makeKey('slow');

type Case = readonly [name: string, changes: (bench: GrantBench) => GrantChanges, expected: ExpectedRefusal];

const malformed = (check: string): ExpectedRefusal => ({
  error: 'invalid_request',
  text: /^Invalid assertion\. Invalid parameter value\./,
  code: 'MP-011',
  check,
});
const undocumented = (name: string): ExpectedRefusal => ({
  error: 'invalid_request',
  // A claim that the real service has been seen to take names the switch.
  text: `Invalid assertion. Unknown claim "${name}"${
    ['nbf', 'sub'].includes(name) ? `. The simulator lets it pass with "tolerate": ["${name}"].` : ''
  }`,
  check: 'claims.documented',
});
const audience: ExpectedRefusal = {
  error: 'invalid_grant',
  text: `${AUTHENTICATION} Invalid JWT claim aud`,
  code: 'MP-110',
  check: 'claims.aud',
};
const client: ExpectedRefusal = {
  error: 'invalid_grant',
  text: /^Invalid assertion\. Client authentication failed\. Client (?:not found|is not active)$/,
  code: 'MP-100',
  check: 'client.known',
};
const unknownKid: ExpectedRefusal = {
  error: 'invalid_grant',
  text: `${AUTHENTICATION} Unknown key identifier (kid) for client`,
  check: 'key.known',
};
const signature: ExpectedRefusal = {
  error: 'invalid_grant',
  text: `${AUTHENTICATION} Invalid JWT signature`,
  code: 'MP-124',
  check: 'signature',
};
const lifetime: ExpectedRefusal = {
  error: 'invalid_grant',
  text: /^Invalid assertion\. The lifetime of the JWT/,
  check: 'time.lifetime',
};
const target: ExpectedRefusal = {
  error: 'invalid_target',
  text: 'The resource must be an absolute URI without fragment',
  check: 'resource',
};
const combination: ExpectedRefusal = {
  error: 'invalid_request',
  text: 'Validation of JWT claim failed: The combination consumer_org in claim and delegation scope on client is invalid',
  check: 'consumer_org',
};

const claims =
  (changes: Claims): (() => GrantChanges) =>
  () => ({ claims: changes });
const timed =
  (iat: number, exp: number) =>
  (bench: GrantBench): GrantChanges => ({
    claims: { iat: bench.clock.seconds + iat, exp: bench.clock.seconds + exp },
  });

const cases: readonly Case[] = [
  // Header
  [
    'alg PS256',
    () => ({ header: { alg: 'PS256' } }),
    { error: 'invalid_grant', text: 'Invalid assertion. Invalid JWT header alg', check: 'header.alg' },
  ],
  ['typ client-authentication+jwt', () => ({ header: { typ: 'client-authentication+jwt' } }), malformed('header.typ')],
  ['jwk in the header', () => ({ header: { jwk: KEY.jwk } }), malformed('header.parameters')],
  ['jku in the header', () => ({ header: { jku: 'https://evil.example/jwks' } }), malformed('header.parameters')],
  ['x5u in the header', () => ({ header: { x5u: 'https://evil.example/pem' } }), malformed('header.parameters')],

  // Claims that are not documented
  ...['nbf', 'sub', 'client_id', 'consumer_orgno', 'foo'].map((name): Case => [
    `claim ${name}`,
    claims({ [name]: 'x' }),
    undocumented(name),
  ]),
  [
    'consumer_org together with iss_onbehalfof',
    claims({ consumer_org: CUSTOMER, iss_onbehalfof: 'x' }),
    malformed('claims.iss_onbehalfof'),
  ],
  ['iss_onbehalfof', claims({ iss_onbehalfof: 'x' }), malformed('claims.iss_onbehalfof')],

  // aud
  ['no aud', claims({ aud: undefined }), audience],
  ['aud without the slash', ({ simulator }) => ({ claims: { aud: simulator.issuer.slice(0, -1) } }), audience],
  ['aud in a list', ({ simulator }) => ({ claims: { aud: [simulator.issuer] } }), audience],
  ['the token endpoint as aud', ({ simulator }) => ({ claims: { aud: simulator.tokenEndpoint } }), audience],
  ['aud of another environment', claims({ aud: 'https://maskinporten.no/' }), audience],

  // jti
  ['no jti', claims({ jti: undefined }), malformed('claims.jti')],
  ['an empty jti', claims({ jti: '' }), malformed('claims.jti')],
  ['a jti that is a number', claims({ jti: 7 }), malformed('claims.jti')],

  // iss
  ['no iss', claims({ iss: undefined }), client],
  ['an unknown client', claims({ iss: 'client-9' }), client],
  ['a client that is not active', claims({ iss: 'inactive' }), client],
  ['iss in a list', claims({ iss: ['client-1'] }), client],

  // Keys
  ['an unknown kid', () => ({ header: { kid: 'key-9' } }), unknownKid],
  ['a kid of another client', () => ({ header: { kid: 'aged' } }), unknownKid],
  [
    'no kid',
    () => ({ header: { kid: undefined } }),
    {
      error: 'invalid_grant',
      text: 'Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided',
      check: 'key.known',
    },
  ],
  [
    'a key posted just now at a slow client',
    () => ({ claims: { iss: 'slow' }, header: { kid: 'slow' }, key: slowKey.privateKey }),
    unknownKid,
  ],
  [
    'an expired key',
    () => ({ claims: { iss: 'aged' }, header: { kid: 'aged' }, key: agedKey.privateKey }),
    { error: 'invalid_grant', text: `${AUTHENTICATION} Expired key`, code: 'MP-121', check: 'key.in_date' },
  ],
  ['a signature by another key', () => ({ key: foreignKey.privateKey }), signature],

  // Time
  ['no iat', claims({ iat: undefined }), malformed('time.integers')],
  ['no exp', claims({ exp: undefined }), malformed('time.integers')],
  ['iat with a fraction', timed(0.5, 60), malformed('time.integers')],
  ['exp as a text', claims({ exp: '1795000060' }), malformed('time.integers')],
  ['a life of 121 s', timed(0, 121), lifetime],
  ['a life of 121 s although exp is only 112 s ahead', timed(-9, 112), lifetime],
  ['exp at iat', timed(5, 5), lifetime],
  ['exp before iat', timed(9, 5), lifetime],
  [
    'exp now',
    timed(-9, 0),
    { error: 'invalid_grant', text: 'Invalid assertion. JWT is expired', code: 'MP-130', check: 'time.not_expired' },
  ],
  [
    'exp past',
    timed(-60, -1),
    { error: 'invalid_grant', text: 'Invalid assertion. JWT is expired', code: 'MP-130', check: 'time.not_expired' },
  ],
  [
    'iat 10 s ahead',
    timed(10, 60),
    { error: 'invalid_grant', text: 'Invalid assertion. Issue time is after now', check: 'time.issued_now' },
  ],
  [
    'iat 10 s old',
    timed(-10, 60),
    { error: 'invalid_grant', text: 'Invalid assertion. Issue time is too long ago', check: 'time.issued_now' },
  ],

  // Scopes
  ['no scope', claims({ scope: undefined }), malformed('scope.syntax')],
  ['an empty scope', claims({ scope: ' ' }), malformed('scope.syntax')],
  ['scope as a list', claims({ scope: [SCOPE] }), malformed('scope.syntax')],
  ['a scope with a quotation mark', claims({ scope: 'acme:"x"' }), malformed('scope.syntax')],
  [
    'a scope that is not registered on the client',
    claims({ scope: `${SCOPE} acme:other` }),
    {
      error: 'invalid_scope',
      text: 'Token request contains invalid scopes for client, acme:other',
      code: 'MP-200',
      check: 'scope.registered',
    },
  ],
  [
    'a scope in other letters',
    claims({ scope: SCOPE.toUpperCase() }),
    {
      error: 'invalid_scope',
      text: /^Token request contains invalid scopes/,
      code: 'MP-200',
      check: 'scope.registered',
    },
  ],
  [
    'a scope that is not active',
    claims({ scope: 'acme:inactive' }),
    {
      error: 'invalid_scope',
      text: 'Token request contains invalid scopes for client, acme:inactive',
      code: 'MP-200',
      check: 'scope.registered',
    },
  ],
  [
    'a scope for other integrations',
    claims({ scope: 'acme:login' }),
    {
      error: 'invalid_scope',
      text: 'Token request contains scopes not allowed for maskinporten',
      code: 'MP-201',
      check: 'scope.integration_type',
    },
  ],
  [
    'a scope that the organisation was not granted',
    claims({ scope: 'acme:ungranted' }),
    {
      status: 403,
      error: 'forbidden',
      text: 'Consumer has not been granted access to the scope acme:ungranted',
      code: 'MP-250',
      check: 'scope.granted',
    },
  ],
  [
    'a scope that the consumer was not granted',
    claims({ scope: SECOND_SCOPE, consumer_org: OTHER }),
    {
      status: 403,
      error: 'forbidden',
      text: `Consumer has not been granted access to the scope ${SECOND_SCOPE}`,
      code: 'MP-250',
      check: 'scope.granted',
    },
  ],

  // consumer_org
  [
    'a consumer that has not delegated',
    claims({ consumer_org: OTHER }),
    {
      status: 403,
      error: 'forbidden',
      text: `Consumer ${OTHER} has not delegated access to the scope ${SCOPE} to supplier ${VENDOR}.`,
      code: 'MP-251',
      check: 'scope.delegated',
    },
  ],
  [
    'a consumer that has delegated one of two scopes',
    claims({ consumer_org: CUSTOMER, scope: `${SCOPE} ${SECOND_SCOPE}` }),
    {
      status: 403,
      error: 'forbidden',
      text: new RegExp(`${SECOND_SCOPE} to supplier`),
      code: 'MP-251',
      check: 'scope.delegated',
    },
  ],
  ['the own organisation as consumer', claims({ consumer_org: VENDOR }), combination],
  [
    'consumer_org with a scope that cannot be delegated',
    claims({ consumer_org: CUSTOMER, scope: 'acme:personal' }),
    combination,
  ],
  ['consumer_org with a prefix', claims({ consumer_org: `0192:${CUSTOMER}` }), malformed('consumer_org')],
  ['consumer_org as a number', claims({ consumer_org: Number(CUSTOMER) }), malformed('consumer_org')],
  ['consumer_org that fails modulus 11', claims({ consumer_org: '310000010' }), malformed('consumer_org')],

  // resource, pid
  ['a relative resource', claims({ resource: ['/api'] }), target],
  ['a resource with a fragment', claims({ resource: ['https://api.example.no/#a'] }), target],
  ['a resource with white space', claims({ resource: ['https://api.example.no/a b'] }), target],
  ['one bad resource of two', claims({ resource: ['https://api.example.no/', 'x'] }), target],
  ['no resource in the list', claims({ resource: [] }), target],
  ['a resource that is a number', claims({ resource: 7 }), target],
  ['a pid with a wrong control digit', claims({ pid: '01819000392' }), malformed('pid')],
  ['a pid with a thirteenth month', claims({ pid: '01139000391' }), malformed('pid')],
  ['a pid of ten digits', claims({ pid: '0181900039' }), malformed('pid')],
  ['a pid that is a number', claims({ pid: 1_819_000_391 }), malformed('pid')],
];

describe('a grant is refused for', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    const more = ['acme:inactive', 'acme:login', 'acme:ungranted', 'acme:personal'];
    bench = await GrantBench.start({
      clients: [
        makeClient({ scopes: [SCOPE, SECOND_SCOPE, ...more] }),
        makeClient({ clientId: 'inactive', active: false }),
        makeClient({ clientId: 'aged', jwks: { keys: [{ ...agedKey.jwk, exp: 1_794_999_999 }] } }),
        makeClient({ clientId: 'slow', jwks: { keys: [slowKey.jwk] }, keyActivationSeconds: 120 }),
      ],
      scopes: [
        { name: 'acme:inactive', active: false },
        { name: 'acme:login', integrationTypes: ['idporten'] },
        { name: 'acme:personal', delegable: false },
      ],
      ungranted: [
        { orgno: VENDOR, scope: 'acme:ungranted' },
        { orgno: OTHER, scope: SECOND_SCOPE },
      ],
      delegations: [{ consumer: CUSTOMER, supplier: VENDOR, scope: SCOPE }],
    });
  });
  afterAll(() => bench.close());

  it.each(cases)('%s', async (_name, changes, expected) => {
    expectRefusal(bench, await bench.grant(changes(bench)), expected);
  });

  it('alg none', async () => {
    const [, body] = (await bench.assertion()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: 'key-1' })).toString('base64url');
    const reply = await bench.send(`${header}.${body}.`);
    expectRefusal(bench, reply, { error: 'invalid_grant', text: /alg$/, check: 'header.alg' });
  });

  it('alg HS256 with the public key as secret', async () => {
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'key-1' })).toString('base64url');
    const [, body] = (await bench.assertion()).split('.');
    const mac = createHmac('sha256', JSON.stringify(KEY.jwk)).update(`${header}.${body}`).digest('base64url');
    const reply = await bench.send(`${header}.${body}.${mac}`);
    expectRefusal(bench, reply, { error: 'invalid_grant', text: /alg$/, check: 'header.alg' });
  });

  it('alg ES256', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const reply = await bench.grant({ header: { alg: 'ES256' }, key: privateKey });
    expectRefusal(bench, reply, { error: 'invalid_grant', text: /alg$/, check: 'header.alg' });
  });

  it('crit in the header', async () => {
    // jose does not sign what it does not understand, so the header is changed afterwards; form comes before signature.
    const [, body, mac] = (await bench.assertion()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'key-1', crit: ['x'], x: 1 })).toString('base64url');
    expectRefusal(bench, await bench.send(`${header}.${body}.${mac}`), malformed('header.parameters'));
  });

  it('a signature that was moved from another grant', async () => {
    const [header, body] = (await bench.assertion()).split('.');
    const [, , other] = (await bench.assertion()).split('.');
    expectRefusal(bench, await bench.send(`${header}.${body}.${other}`), signature);
  });

  it('a header that says RS512 over an RS256 signature', async () => {
    const [, body, mac] = (await bench.assertion()).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'RS512', kid: 'key-1' })).toString('base64url');
    expectRefusal(bench, await bench.send(`${header}.${body}.${mac}`), signature);
  });

  it('the first of several faults, and the log names them all', async () => {
    const reply = await bench.grant({ claims: { aud: 'x', scope: 'acme:other', pid: '1' } });
    expectRefusal(bench, reply, audience);
    const failed = bench.simulator.log.at(-1)?.checks.filter(({ ok }) => ok === false);
    expect(failed?.map(({ check }) => check)).toEqual(['claims.aud', 'pid', 'scope.registered']);
  });

  it('an unknown client, and the log says which checks were not reached', async () => {
    await bench.grant({ claims: { iss: 'nobody' } });
    const skipped = bench.simulator.log.at(-1)?.checks.filter(({ ok }) => ok === undefined);
    expect(skipped?.map(({ check }) => check)).toEqual(expect.arrayContaining(['key.known', 'signature', 'unused']));
  });

  describe('being used before, MP-012:', () => {
    const used: ExpectedRefusal = {
      error: 'invalid_grant',
      text: 'Invalid assertion. Grant is used before',
      code: 'MP-012',
      check: 'unused',
    };

    it('the same assertion', async () => {
      const assertion = await bench.assertion();
      expect(await bench.send(assertion)).toMatchObject({ status: 200 });
      expectRefusal(bench, await bench.send(assertion), used);
    });

    it('the same jti in a new assertion', async () => {
      expect(await bench.grant({ claims: { jti: 'once' } })).toMatchObject({ status: 200 });
      expectRefusal(bench, await bench.grant({ claims: { jti: 'once', scope: SECOND_SCOPE } }), used);
    });

    it('of two at once, one', async () => {
      const assertion = await bench.assertion();
      const replies = await Promise.all([1, 2, 3, 4].map(() => bench.send(assertion)));
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(replies.filter(({ json }) => String(json['error_uri']).endsWith('MP-012'))).toHaveLength(3);
    });

    it('also when the first was refused for its scope', async () => {
      const assertion = await bench.assertion({ claims: { scope: 'acme:other' } });
      expect(await bench.send(assertion)).toMatchObject({ json: { error: 'invalid_scope' } });
      expectRefusal(bench, await bench.send(assertion), used);
    });

    it('but not when somebody else signed that jti', async () => {
      const wrong = await bench.grant({ claims: { jti: 'mine' }, key: foreignKey.privateKey });
      expect(wrong.status).toBe(400);
      expect(await bench.grant({ claims: { jti: 'mine' } })).toMatchObject({ status: 200 });
    });
  });
});

describe('a rule of time is kept at its edge:', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.simulator.operator.reset());

  it.each([
    ['a life of 120 s', timed(0, 120)],
    ['iat 9 s ahead', timed(9, 60)],
    ['iat 9 s old', timed(-9, 60)],
    ['exp in one second', timed(-9, 1)],
  ])('%s is accepted', async (_name, changes) => {
    expect(await bench.grant(changes(bench))).toMatchObject({ status: 200 });
  });

  it('a key is good to the second before its exp, one year after posting', async () => {
    const year = 365 * 24 * 3600;
    bench.clock.advance(year - 1);
    expect(await bench.grant()).toMatchObject({ status: 200 });
    bench.clock.advance(1);
    expect(await bench.grant()).toMatchObject({ status: 400, json: { error_uri: expect.stringMatching(/MP-121$/) } });
    bench.simulator.operator.clients.add(makeClient());
    expect(await bench.grant()).toMatchObject({ status: 200 });
  });

  it('a posted key is known once its time has come', async () => {
    bench.simulator.operator.clients.add(makeClient({ keyActivationSeconds: 120 }));
    bench.clock.advance(119);
    expect(await bench.grant()).toMatchObject({ status: 400 });
    bench.clock.advance(1);
    expect(await bench.grant()).toMatchObject({ status: 200 });
  });

  it('the clock offset moves validation, and the grant of the machine is then too old', async () => {
    bench.simulator.operator.clock.setOffset(30);
    const reply = await bench.grant();
    expect(reply.json['error_description']).toContain('Issue time is too long ago');
    expect(reply.headers.get('date')).toBe(new Date(bench.clock.nowMs + 30_000).toUTCString());
    const moved = await bench.grant({ claims: { iat: bench.clock.seconds + 30, exp: bench.clock.seconds + 90 } });
    expect(moved).toMatchObject({ status: 200 });
  });

  it('a grant signed by hand is what the client says it is', async () => {
    const payload = JSON.stringify(bench.claims());
    expect(await bench.send(await sign(payload, { alg: 'RS256', kid: 'key-1' }, KEY.privateKey))).toMatchObject({
      status: 200,
    });
  });
});
