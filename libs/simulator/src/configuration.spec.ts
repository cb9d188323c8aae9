import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { rsaKeyPair } from '../../../test/support/pool.js';
import { KEY, TestClock, VENDOR, makeClient, makeKey } from './grants.fixtures.js';
import { type ClientJwk, ConfigurationError, type Simulator, type SimulatorConfig, startSimulator } from './index.js';

const wrong: readonly (readonly [name: string, config: unknown, ...fields: string[]])[] = [
  ['a list instead of an object', [], ''],
  ['an unknown member', { client: [] }, 'client'],
  ['a member that is no list', { clients: {} }, 'clients'],
  ['an offset that is a text', { clockOffsetSeconds: '1' }, 'clockOffsetSeconds'],
  ['an offset of a century', { clockOffsetSeconds: 4e9 }, 'clockOffsetSeconds'],
  ['a client that is a text', { clients: ['a'] }, 'clients[0]'],
  ['a client without members', { clients: [{}] }, 'clients[0].clientId', 'clients[0].orgno'],
  ['a misspelt member of a client', { clients: [{ ...makeClient(), scope: 'x' }] }, 'clients[0].scope'],
  ['an orgno that fails modulus 11', { clients: [makeClient({ orgno: '310000010' })] }, 'clients[0].orgno'],
  ['a scope with white space', { clients: [makeClient({ scopes: ['a', 'b c'] })] }, 'clients[0].scopes[1]'],
  ['a lifetime of one second', { clients: [makeClient({ tokenLifetime: 1 })] }, 'clients[0].tokenLifetime'],
  ['a lifetime with a fraction', { clients: [makeClient({ tokenLifetime: 2.5 })] }, 'clients[0].tokenLifetime'],
  ['active as a text', { clients: [{ ...makeClient(), active: 'yes' }] }, 'clients[0].active'],
  [
    'a certificate client without roots',
    { clients: [{ clientId: 'a', orgno: VENDOR, certificate: true }] },
    'clients[0].trustedRoots',
  ],
  ['a root that is no certificate', { clients: [makeClient({ trustedRoots: ['x'] })] }, 'clients[0].trustedRoots[0]'],
  ['a scope without name', { scopes: [{}] }, 'scopes[0].name'],
  ['a negative atMaxAge', { scopes: [{ name: 'a', atMaxAge: -1 }] }, 'scopes[0].atMaxAge'],
  ['ungranted without scope', { ungranted: [{ orgno: VENDOR }] }, 'ungranted[0].scope'],
  [
    'a delegation of nobody',
    { delegations: [{ consumer: 'x', supplier: VENDOR, scope: 'a' }] },
    'delegations[0].consumer',
  ],
  ['a system without vendor', { systems: [{ id: 'a' }] }, 'systems[0].vendor'],
  [
    'a right without resource',
    { systems: [{ id: 'a', vendor: VENDOR, rights: [{}] }] },
    'systems[0].rights[0].resource',
  ],
  [
    'an unknown user type',
    { systemUsers: [{ systemId: 'a', orgno: VENDOR, userType: 'x' }] },
    'systemUsers[0].userType',
  ],
  [
    'an externalRef with white space',
    { systemUsers: [{ systemId: 'a', orgno: VENDOR, externalRef: 'a b' }] },
    'systemUsers[0].externalRef',
  ],
  [
    'clients of a standard system user',
    { systemUsers: [{ systemId: 'a', orgno: VENDOR, clients: [VENDOR] }] },
    'systemUsers[0].clients',
  ],
  ['a consent from nobody', { consents: [{ id: 'a', from: 'x' }] }, 'consents[0].from'],
  ['a fault without path', { faults: [{ status: 500 }] }, 'faults[0].path'],
  ['a fault with an impossible status', { faults: [{ path: '/token', status: 42 }] }, 'faults[0].status'],
  ['a fault at the operator', { faults: [{ path: '/token', server: 'operator' }] }, 'faults[0].server'],
  ['a fault with a split header', { faults: [{ path: '/', headers: { a: 'b\r\nc: d' } }] }, 'faults[0].headers.a'],
  [
    'faults wrong in two places',
    { faults: [{ path: '/', times: 0 }, { path: 'x' }] },
    'faults[0].times',
    'faults[1].path',
  ],
];

const key = (changes: object): unknown => ({
  clients: [{ ...makeClient(), jwks: { keys: [{ ...KEY.jwk, ...changes }] } }],
});
const keysNamed = (...kids: string[]): ClientJwk[] => kids.map((kid) => Object.assign({}, KEY.jwk, { kid }));
const at = (member: string): string => `clients[0].jwks.keys[0].${member}`;
const wrongKeys: readonly (readonly [name: string, config: unknown, ...fields: string[]])[] = [
  ['no alg', key({ alg: undefined }), at('alg')],
  ['an alg that is not RSA', key({ alg: 'ES256' }), at('alg')],
  ['no use', key({ use: undefined }), at('use')],
  ['use enc', key({ use: 'enc' }), at('use')],
  ['no kid', key({ kid: undefined }), at('kid')],
  ['a kid with white space', key({ kid: 'a b' }), at('kid')],
  ['another kty', key({ kty: 'EC' }), at('kty')],
  ['no modulus', key({ n: undefined }), at('n')],
  ['a modulus of 1024 bits', key(makeKey('x', 1024).jwk), at('n')],
  ['exp more than a year ahead', key({ exp: 1_795_000_000 + 366 * 24 * 3600 }), at('exp')],
  ['a certificate that is none', key({ x5c: ['AAAA'] }), at('x5c[0]')],
  ['a private key', key({ d: 'x' }), 'clients[0].jwks.keys[0]'],
  [
    'six keys',
    { clients: [makeClient({ jwks: { keys: keysNamed('1', '2', '3', '4', '5', '6') } })] },
    'clients[0].jwks.keys',
  ],
  ['one kid twice', { clients: [makeClient({ jwks: { keys: [KEY.jwk, KEY.jwk] } })] }, 'clients[0].jwks.keys[1].kid'],
];

describe('a configuration is refused for', () => {
  let simulator: Simulator;
  const clock = new TestClock();

  beforeAll(async () => {
    simulator = await startSimulator({ clock: clock.source });
  });
  afterAll(() => simulator.close());

  const fieldsOf = async (config: unknown): Promise<readonly string[]> => {
    try {
      const started = await startSimulator({ clock: clock.source, config: config as SimulatorConfig });
      await started.close();
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      expect(error.problems.every(({ reason }) => reason.length > 5)).toBe(true);
      return error.problems.map(({ field }) => field);
    }
  };

  it.each(wrong)('%s', async (_name, config, ...fields) => {
    expect(await fieldsOf(config)).toEqual(fields);
  });

  it.each(wrongKeys)('a key with %s', async (_name, config, ...fields) => {
    expect(await fieldsOf(config)).toEqual(fields);
  });

  it('a key that is posted as PEM', async () => {
    const pem = rsaKeyPair().publicKey.export({ format: 'pem', type: 'spki' });
    expect(await fieldsOf({ clients: [{ ...makeClient(), jwks: { keys: [pem] } }] })).toEqual([
      'clients[0].jwks.keys[0]',
    ]);
  });

  it('nothing when it is empty, or has five keys', async () => {
    expect(await fieldsOf({})).toEqual([]);
    const keys = keysNamed('1', '2', '3', '4', '5');
    expect(await fieldsOf({ clients: [makeClient({ jwks: { keys } })] })).toEqual([]);
  });

  it('a wrong member sent through the operator handle, which then changes nothing', () => {
    const add = () => simulator.operator.clients.add([makeClient({ clientId: 'good' }), makeClient({ orgno: '1' })]);
    expect(add).toThrow('clients[1].orgno: must be an organisation number');
    expect(simulator.operator.clients.list()).toEqual([]);
  });
});

describe('a configuration is read so that', () => {
  let simulator: Simulator;
  const clock = new TestClock();
  const config: SimulatorConfig = {
    systems: [
      {
        id: 'sys',
        vendor: `0192:${VENDOR}`,
        rights: ['res-1'],
        accessPackages: ['lonn', { urn: 'urn:altinn:accesspackage:skatt' }],
      },
    ],
    systemUsers: [{ systemId: 'sys', orgno: VENDOR }],
    clockOffsetSeconds: -5,
  };

  beforeAll(async () => {
    simulator = await startSimulator({ clock: clock.source, config });
  });
  afterAll(() => simulator.close());
  beforeEach(() => simulator.operator.reset());

  it('numbers lose their prefix, rights and packages take the form of Altinn', () => {
    expect(simulator.operator.systems.get('sys')).toMatchObject({
      vendor: VENDOR,
      rights: [{ resource: [{ id: 'urn:altinn:resource', value: 'res-1' }] }],
      accessPackages: ['urn:altinn:accesspackage:lonn', 'urn:altinn:accesspackage:skatt'],
    });
  });

  it('a system user without externalRef has the number of its owner, and an id', () => {
    expect(simulator.operator.systemUsers.list()).toMatchObject([
      { externalRef: VENDOR, userType: 'standard', id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    ]);
  });

  it('the clock is where it says, and a reset brings everything back', async () => {
    expect(simulator.operator.clock.nowMs()).toBe(clock.nowMs - 5000);
    simulator.operator.clock.setOffset(60);
    simulator.operator.clients.add(makeClient());
    simulator.operator.systems.clear();
    simulator.operator.faults.add({ path: '/jwk', status: 500 });
    simulator.operator.revoke('x');
    await fetch(`${simulator.apiUrl}/whoami`);
    expect(simulator.log).toHaveLength(1);
    config.clockOffsetSeconds = 99;
    simulator.operator.reset();
    expect(simulator.operator.clock.offsetSeconds).toBe(-5);
    expect(simulator.operator.clients.list()).toEqual([]);
    expect(simulator.operator.systems.list()).toHaveLength(1);
    expect(simulator.operator.faults.list()).toEqual([]);
    expect(simulator.operator.revokedTokens.list()).toEqual([]);
    expect(simulator.log).toHaveLength(0);
  });

  it('the ports after the given one are used when they are free', async () => {
    const base = Number(new URL(simulator.issuer).port);
    await expect(startSimulator({ port: base })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const second = await startSimulator({ port: base - 1 }).catch(() => undefined);
    // base − 1 may belong to another process; when it does not, the taken port after it is skipped.
    const platformPort = second && Number(new URL(second.platformUrl).port);
    await second?.close();
    expect(platformPort).not.toBe(base);
  });
});
