import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import axios from 'axios';
import * as audit from '../audit-postgres/index.js';
import * as awsKms from '../aws-kms/index.js';
import * as health from '../health/index.js';
import * as main from '../index.js';
import { ScriptedTokens, scriptedToken } from '../outbound/outbound.fixtures.js';
import * as pkcs11 from '../pkcs11/index.js';
import * as testing from '../testing/index.js';

/** What was read from an options object that did not have it: there, a polluted `Object.prototype` would answer. */
const inherited: string[] = [];
/** Asked by the language and by everybody who looks at an object. */
const OF_EVERY_OBJECT = new Set<PropertyKey>([...Object.getOwnPropertyNames(Object.prototype), 'then', 'toJSON']);

/** An options object behind which everything that is read beyond its own members is noted. */
function watched<T extends object>(members: T): T {
  const prototype = new Proxy(Object.prototype, {
    get(target, name, receiver): unknown {
      if (typeof name === 'string' && !OF_EVERY_OBJECT.has(name)) inherited.push(name);
      return Reflect.get(target, name, receiver);
    },
    has(target, name): boolean {
      if (typeof name === 'string' && !OF_EVERY_OBJECT.has(name)) inherited.push(name);
      return Reflect.has(target, name);
    },
  });
  return Object.assign(Object.create(prototype) as T, members);
}

const ORIGIN = 'https://api.example.no';
const organisation = '310000027';
const tokens = (): ScriptedTokens => new ScriptedTokens([]).cache(scriptedToken('token'));
const request = (): main.TokenRequest => watched({ scopes: 'acme:read', systemUser: watched({ organisation }) });
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const client = (): main.TokenServiceConfig =>
  watched({
    clientId: 'c',
    environment: 'test' as const,
    key: watched({ pem, kid: 'k' }),
    tokens: watched({}),
    retry: watched({}),
    http: watched({}),
  });
async function* none(): AsyncGenerator<never> {}
const store = (): never => ({ records: none, checkpoints: none }) as never;
const notSent = async (): Promise<never> => Promise.reject(new Error('not sent'));
const defaults = (): main.InstanceDefaults =>
  watched({ scopes: 'acme:read', destinations: [watched({ origin: ORIGIN, pathPrefix: '/v1' })] });
const noAnswer = async (): Promise<Response> => Promise.resolve(new Response(null, { status: 204 }));
const moduleOptions = (): object => watched({ imports: [], useFactory: () => ({}) });
const systemUsers = (): main.SystemUserService =>
  new main.SystemUserService({ altinn: {} as never, systemId: '310000019_system', strategy: 'pdp' });

/** A call of everything public that takes options; what it comes to does not matter, only what it reads. */
const CASES: Readonly<Record<string, () => unknown>> = {
  'MaskinportenModule.forRoot': () => main.MaskinportenModule.forRoot(client() as main.MaskinportenOptions),
  'MaskinportenModule.forRootAsync': () => main.MaskinportenModule.forRootAsync(moduleOptions()),
  'MaskinportenHttpModule.register': () => main.MaskinportenHttpModule.register(watched({ maskinporten: defaults() })),
  'MaskinportenHttpModule.registerAsync': () => main.MaskinportenHttpModule.registerAsync(moduleOptions()),
  'MaskinportenTelemetryModule.forRoot': () => main.MaskinportenTelemetryModule.forRoot(watched({})),
  'MaskinportenAuditModule.forRoot': () => main.MaskinportenAuditModule.forRoot(watched({ store: store() })),
  'MaskinportenAuditModule.forRootAsync': () => main.MaskinportenAuditModule.forRootAsync(moduleOptions()),
  'MaskinportenHealthModule.forRoot': () => health.MaskinportenHealthModule.forRoot(watched({})),
  createTokenService: async () => (await main.createTokenService(client())).close(),
  MaskinportenTokenService: async () => {
    const service = await main.createTokenService(client());
    const signal = AbortSignal.abort();
    await service.getToken(request(), watched({ signal })).catch(() => undefined);
    await service.renew(scriptedToken('x'), watched({ signal })).catch(() => undefined);
    await service.close();
  },
  normaliseTokenRequest: () => main.normaliseTokenRequest(request(), watched({})),
  attachMaskinporten: async () => {
    const instance = axios.create();
    main.attachMaskinporten(instance, tokens(), defaults());
    await instance.get(`${ORIGIN}/v1`, { adapter: notSent, maskinporten: request() }).catch(() => undefined);
    await instance
      .get(`${ORIGIN}/v1`, { adapter: notSent, maskinporten: watched({ replayUnsafe: false }) })
      .catch(() => undefined);
  },
  maskinportenFetch: async () => {
    const call = main.maskinportenFetch(tokens(), watched({ ...defaults(), fetch: noAnswer }));
    await call(`${ORIGIN}/v1`, watched({ method: 'POST', maskinporten: request() }));
    await call(`${ORIGIN}/v1`, watched({ headers: { authorization: 'Key 1' } }));
  },
  Scopes: () => main.Scopes(request()),
  MaskinportenScopes: () => main.MaskinportenScopes(request()),
  MaskinportenContext: () => main.MaskinportenContext.run(request(), () => undefined),
  MaskinportenFanOut: async () => {
    const clients = { get: () => ({ name: 'default', tokens: tokens() }) } as unknown as ConstructorParameters<
      typeof main.MaskinportenFanOut
    >[0];
    const options = watched({ request: () => request(), concurrency: 1 });
    for await (const _ of new main.MaskinportenFanOut(clients).run(['a'], options, () => Promise.resolve())) break;
  },
  RequestContext: () => new main.RequestContext(watched({ requestId: 'r' })),
  RequireSystemUser: () =>
    main.RequireSystemUser(watched({ organisation: main.fromParam('o'), resource: 'r', action: 'read' })),
  SystemUserService: async () => {
    const service = systemUsers();
    for (const ask of [
      async () => service.findSystemUser(watched({ organisation })),
      async () => service.checkRight(watched({ organisation, resource: 'r' })),
      async () => service.createRequest(watched({ organisation, resources: ['r'] })),
      async () => service.createChangeRequest(watched({ systemUserId: 'u' })),
      async () => service.waitForRequest('id', watched({})),
      async () => Promise.resolve(service.forget(watched({ organisation }))),
    ]) {
      await ask().catch(() => undefined);
    }
  },
  AuditLog: () => new main.AuditLog(watched({ store: store(), checkpointEvery: watched({}) })),
  verifyAuditLog: async () => main.verifyAuditLog(store(), watched({})),
  MaskinportenHealthIndicator: () =>
    new health.MaskinportenHealthIndicator(
      {} as never,
      { clients: () => new Map(), contributions: () => new Map() } as never,
    ).check('k', watched({})),
  FakeMaskinportenTokenService: async () =>
    new testing.FakeMaskinportenTokenService(watched({})).getToken(request(), watched({})),
  simulatorOptions: async () =>
    testing.simulatorOptions(watched({ operatorUrl: 'http://127.0.0.1:9' }) as never, watched({ scopes: ['a:b'] })),
  issueToken: async () =>
    testing.issueToken(
      watched({ operatorUrl: 'http://127.0.0.1:9' }),
      watched({ consumer: '310000019', scopes: ['a:b'] }),
    ),
  PostgresAuditStore: async () =>
    new audit.PostgresAuditStore(watched({ connectionString: 'postgresql://127.0.0.1:9/x' })).close(),
  migrateAuditDatabase: async () =>
    audit.migrateAuditDatabase(watched({ connectionString: 'postgresql://127.0.0.1:9/x' })),
  awsKmsSigner: async () => awsKms.awsKmsSigner(watched({ keyId: 'not a key' })),
  pkcs11Signer: async () => pkcs11.pkcs11Signer(watched({ library: '/none.so', token: watched({}), key: watched({}) })),
};

/** Public, and without options: values, abstract classes, what Nest or this library constructs, single values. */
const WITHOUT_OPTIONS = new Set(
  `AUTH_CODES DELEGATION_CODES ERROR_CODES GENESIS INSTRUMENTS
   SEALED_MEMBERS CallerPolicy CallObservers DelegationDecisions MaskinportenExceptionFilter
   MaskinportenHttpService MaskinportenScopesInterceptor MaskinportenToken SystemUserGuard VerifiedDelegation
   MaskinportenProbes CheckpointSigner CheckpointVerifier HealthContributors canonicalText
   hashOf problemDocument InjectMaskinporten InjectSystemUsers CurrentSystemUser
   fromBody fromParam getMaskinportenToken getSystemUserServiceToken isAltinnError
   isDelegationError isMaskinportenError parseOrganisationNumber guardedBy Unguarded problemStatus openAuditStore
   openPgliteAuditStore redact`.split(/\s+/),
);

describe('T-66, T-77: everything public reads own members of its options only', () => {
  it.each(Object.entries(CASES))('%s', async (_name, run) => {
    inherited.length = 0;
    try {
      await run();
    } catch {
      // What it comes to is tested elsewhere.
    }
    expect(inherited).toEqual([]);
  });

  it('nothing that is exported is left out', () => {
    const exported = [main, health, testing, audit, awsKms, pkcs11].flatMap((room) => Object.keys(room));
    const covered = new Set(Object.keys(CASES).map((name) => name.split('.')[0]));
    const left = exported.filter((name) => !covered.has(name) && !WITHOUT_OPTIONS.has(name) && !name.endsWith('Error'));
    expect(left).toEqual([]);
  });

  it('what reads more is found', () => {
    inherited.length = 0;
    const { proxy } = watched<{ proxy?: string }>({});
    expect([proxy, 'ca' in watched({}), inherited]).toEqual([undefined, false, ['proxy', 'ca']]);
  });
});
