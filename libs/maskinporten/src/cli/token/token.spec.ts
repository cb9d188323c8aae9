import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import { startTestSimulator } from '../../testing/simulator.fixtures.js';
import { makeKey, TestAuthority } from '../../keys/keys.fixtures.js';
import { runInProcess, type CliRun } from '../cli.fixtures.js';

const ORGNO = '310000019';
const CUSTOMER = '310000027';
const SCOPES = ['acme:read', 'acme:write', 'acme:delegated', 'altinn:instances.read'];
const key = makeKey();
const stranger = makeKey();
const root = new TestAuthority('/C=NO/O=Test/CN=Test Root');
const leaf = root.issue({ subject: `/C=NO/O=ACME AS/CN=ACME AS/organizationIdentifier=NTRNO-${ORGNO}` });

let simulator: Simulator;
let env: Record<string, string>;
beforeAll(async () => {
  const jwks = {
    keys: [{ kty: 'RSA', use: 'sig', alg: 'RS256', kid: 'my-kid', n: String(key.jwk.n), e: String(key.jwk.e) }],
  };
  simulator = await startTestSimulator({
    port: 0,
    config: {
      clients: [
        { clientId: 'acme', orgno: ORGNO, jwks, scopes: SCOPES },
        { clientId: 'acme-seal', orgno: ORGNO, scopes: SCOPES, certificate: true, trustedRoots: [root.certificate] },
      ],
      scopes: [{ name: 'acme:delegated', delegable: true }],
      ungranted: [{ orgno: ORGNO, scope: 'acme:write' }],
      systems: [{ id: `${ORGNO}_books`, vendor: ORGNO, clientIds: ['acme'], rights: [] }],
      systemUsers: [{ systemId: `${ORGNO}_books`, orgno: CUSTOMER, externalRef: 'ref-1', rights: [] }],
    },
  });
  env = {
    MASKINPORTEN_ISSUER: simulator.issuer,
    MASKINPORTEN_CLIENT_ID: 'acme',
    MASKINPORTEN_KID: 'my-kid',
    MASKINPORTEN_PRIVATE_KEY: key.pem,
    ALTINN_PLATFORM_URL: simulator.platformUrl,
  };
});
afterAll(async () => simulator.close());

const ask = async (
  args: readonly string[],
  changes: Readonly<Record<string, string | undefined>> = {},
): Promise<CliRun> => runInProcess(['token', ...args], { env: { ...env, ...changes } });
const isToken = /ey[\w-]+\.[\w-]+\.[\w-]+/;

describe('token', () => {
  it('tells the claims, the life and what was sent, as it was signed', async () => {
    const run = await ask(['--scope', 'acme:read', '--json']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.document).toEqual({
      issuer: simulator.issuer,
      scopes: ['acme:read'],
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      lifetimeSeconds: expect.any(Number),
      claims: expect.objectContaining({ iss: simulator.issuer, client_id: 'acme', scope: 'acme:read' }),
      jti: expect.any(String),
      kid: 'my-kid',
      sent: [
        {
          header: { alg: 'RS256', kid: 'my-kid' },
          claims: {
            aud: simulator.issuer,
            iss: 'acme',
            scope: 'acme:read',
            iat: expect.any(Number),
            exp: expect.any(Number),
            jti: (run.document as { jti: string }).jti,
          },
        },
      ],
      clockOffsetMs: expect.anything(),
    });
  });

  it('tells it to people, in both languages', async () => {
    const { stdout } = await ask(['--scope', 'acme:read']);
    expect(stdout).toMatch(/^✔ acme:read\n/);
    expect(stdout).toMatch(/life +1[12]\d s, until \d{4}-/);
    expect(stdout).toMatch(/aud +http:\/\/127\.0\.0\.1:\d+\/\n/);
    expect(stdout).toMatch(/iat +\d+ \(\d{4}-\d{2}-\d{2}T/);
    expect((await ask(['--scope', 'acme:read', '--lang', 'nb'])).stdout).toContain('Det som ble sendt');
  });

  it('T-08: prints the token only with --show, and a usable grant never', async () => {
    for (const args of [[], ['--json']]) {
      const hidden = await ask(['--scope', 'acme:read', ...args]);
      expect(hidden.stdout + hidden.stderr).not.toMatch(isToken);
    }
    const shown = await ask(['--scope', 'acme:read', '--show']);
    expect(shown.stdout.trim().split('\n').at(-1)).toMatch(isToken);
    const { token, claims } = (await ask(['--scope', 'acme:read', '--show', '--json'])).document as {
      token: string;
      claims: object;
    };
    expect(JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString())).toEqual(claims);
    const refused = await ask(['--scope', 'acme:unknown']);
    expect(refused.stdout + refused.stderr).not.toMatch(isToken);
  });

  it.each([
    [['--scope', 'acme:read', '--scope', 'altinn:instances.read']],
    [['--scope', 'acme:read altinn:instances.read']],
  ])('asks for several scopes: %j', async (args) => {
    const run = await ask([...args, '--json']);
    expect(run.document).toMatchObject({ claims: { scope: 'acme:read altinn:instances.read' } });
  });

  it('asks on behalf of a system user, and for an audience', async () => {
    const user = await ask(['--scope', 'acme:read', '--system-user', CUSTOMER, '--external-ref', 'ref-1', '--json']);
    expect(user.document).toMatchObject({
      claims: { authorization_details: [{ type: 'urn:altinn:systemuser' }] },
      sent: [
        { claims: { authorization_details: [{ systemuser_org: { ID: `0192:${CUSTOMER}` }, externalRef: 'ref-1' }] } },
      ],
    });
    const bound = await ask(['--scope', 'acme:read', '--resource', 'https://api.example.no/', '--json']);
    expect(bound.document).toMatchObject({ sent: [{ claims: { resource: ['https://api.example.no/'] } }] });
  });

  it('swaps the token at Altinn', async () => {
    const run = await ask(['--scope', 'altinn:instances.read', '--exchange', 'altinn', '--json']);
    expect(run.document).toMatchObject({ claims: { iss: expect.not.stringMatching(simulator.issuer) } });
    const none = await ask(['--scope', 'a', '--exchange', 'altinn'], { ALTINN_PLATFORM_URL: '' });
    expect(none).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('ALTINN_PLATFORM_URL is missing') });
  });

  it('presents a certificate when there is no kid', async () => {
    const run = await ask(['--scope', 'acme:read', '--json'], {
      MASKINPORTEN_CLIENT_ID: 'acme-seal',
      MASKINPORTEN_KID: undefined,
      MASKINPORTEN_PRIVATE_KEY: leaf.key.pem + leaf.certificate + root.certificate,
    });
    expect(run.document).toMatchObject({
      sent: [{ header: { alg: 'RS256', x5c: [expect.any(String), expect.any(String)] } }],
    });
  });

  it.each([
    ['F-58: a scope the client does not have', ['--scope', 'acme:unknown'], {}, 'MP_SCOPE', 'you'],
    ['a scope that is not granted', ['--scope', 'acme:write'], {}, 'MP_NOT_GRANTED', 'api-owner'],
    [
      'F-54: another private key',
      ['--scope', 'acme:read'],
      { MASKINPORTEN_PRIVATE_KEY: stranger.pem },
      'MP_SIGNATURE',
      'you',
    ],
    [
      'F-50: an unknown client',
      ['--scope', 'acme:read'],
      { MASKINPORTEN_CLIENT_ID: 'nobody' },
      'MP_CLIENT_UNKNOWN',
      'you',
    ],
    ['no delegation', ['--scope', 'acme:delegated', '--consumer-org', CUSTOMER], {}, 'MP_NOT_DELEGATED', 'customer'],
    ['no system user', ['--scope', 'acme:read', '--system-user', '310000035'], {}, 'MP_SYSTEMUSER_MISSING', 'customer'],
    ['a number that is none', ['--scope', 'acme:read', '--consumer-org', '123'], {}, 'MP_REQUEST', 'you'],
  ])('%s: cause, fix and who must act', async (_, args, changes, code, actBy) => {
    const { document, exitCode } = await ask([...args, '--json'], changes);
    expect(exitCode).toBe(1);
    expect(document).toMatchObject({ error: { code, actBy } });
    const { stdout, stderr } = await ask([...args, '--lang', 'nb'], changes);
    expect(stdout).toBe('');
    expect(stderr).toContain(`Feilet (${code}`);
    expect(stderr).toMatch(/Årsak: +\S/);
    expect(stderr).toMatch(/Løsning: +\S/);
    expect(stderr).toMatch(/Hvem: +(du|API-eieren|kunden)/);
  });

  it('tells what was sent also when it was refused', async () => {
    const { stderr } = await ask(['--scope', 'acme:unknown']);
    expect(stderr).toMatch(/scope +acme:unknown/);
    expect(stderr).toMatch(/kid +my-kid/);
  });

  it('names every setting that is missing, and the variable of one that is wrong', async () => {
    const { exitCode, stderr } = await runInProcess(['token', '--scope', 'a']);
    expect(exitCode).toBe(2);
    for (const name of ['ENVIRONMENT', 'CLIENT_ID', 'PRIVATE_KEY_FILE'])
      expect(stderr).toContain(`MASKINPORTEN_${name} `);
    expect((await runInProcess(['token', '--scope', 'a', '--lang', 'nb'])).stderr).toContain(
      'MASKINPORTEN_CLIENT_ID mangler',
    );
    const wrong = await ask(['--scope', 'a', '--json'], { MASKINPORTEN_PRIVATE_KEY: 'nonsense!' });
    expect(wrong.document).toMatchObject({
      error: {
        code: 'MP_CONFIG',
        failures: [{ field: 'MASKINPORTEN_PRIVATE_KEY', reason: expect.stringContaining('neither PEM') }],
      },
    });
    expect((await ask([])).exitCode).toBe(2);
    expect((await ask(['--scope', 'a', '--external-ref', 'x'])).exitCode).toBe(2);
  });

  it('understands the names that NAIS injects', async () => {
    const run = await runInProcess(['token', '--scope', 'acme:read', '--json'], {
      env: {
        MASKINPORTEN_CLIENT_ID: 'acme',
        MASKINPORTEN_CLIENT_JWK: JSON.stringify({ ...key.jwk, kid: 'my-kid' }),
        MASKINPORTEN_WELL_KNOWN_URL: `${simulator.issuer}.well-known/oauth-authorization-server`,
        MASKINPORTEN_SCOPES: 'acme:read',
      },
    });
    expect(run.document).toMatchObject({ kid: 'my-kid' });
  });

  it('keeps production and test apart before anything is sent', async () => {
    const run = await ask(['--scope', 'a', '--json'], {
      MASKINPORTEN_ISSUER: 'https://test.maskinporten.no/',
      MASKINPORTEN_ENVIRONMENT: 'prod',
    });
    expect(run.document).toMatchObject({
      error: { code: 'MP_CONFIG', failures: [{ reason: expect.stringContaining('prod') }] },
    });
  });
});
