import { Controller, Get, Injectable, Logger, type ExecutionContext, type INestApplication } from '@nestjs/common';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { organisationNumber, TEST_KEY } from '../altinn/altinn-client.fixtures.js';
import {
  CurrentSystemUser,
  MaskinportenModule,
  RequireSystemUser,
  Scopes,
  SystemUserGuard,
  VerifiedDelegation,
  fromParam,
} from '../index.js';
import { RESOURCE } from './system-user.fixtures.js';

const CUSTOMER = organisationNumber(1);
const CLIENT = organisationNumber(2);

/** What a controller calls; a unit test gives it something else. */
abstract class Claims {
  abstract of(organisation: string, party: string): unknown;
}

@Controller('organisations/:orgno')
@Scopes('acme:read')
class ClaimsController {
  constructor(private readonly claims: Claims) {}

  @Get('claims')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE })
  list(@CurrentSystemUser() { organisation, party }: VerifiedDelegation): unknown {
    return this.claims.of(organisation, party);
  }

  @Get('clients/:client')
  @RequireSystemUser({
    organisation: fromParam('orgno'),
    party: fromParam('client'),
    resource: RESOURCE,
    action: 'write',
  })
  client(@CurrentSystemUser() delegation: VerifiedDelegation): unknown {
    return delegation;
  }
}

describe('unit tests of guarded controllers: overrideGuard(SystemUserGuard) is enough', () => {
  let app: INestApplication | undefined;
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  const start = async (builder: TestingModuleBuilder): Promise<(path: string) => request.Test> => {
    const module = await builder.compile();
    Logger.overrideLogger(false);
    app = module.createNestApplication();
    await app.init();
    const server = app.getHttpServer() as Parameters<typeof request>[0];
    return (path) => request(server).get(`/organisations/${path}`);
  };
  const claims = { provide: Claims, useValue: { of: (...numbers: string[]) => numbers } };
  const builder = (imports: NonNullable<Parameters<typeof Test.createTestingModule>[0]['imports']> = []) =>
    Test.createTestingModule({ imports, controllers: [ClaimsController], providers: [claims] });
  const allow = { canActivate: () => true };
  const withModule = [
    MaskinportenModule.forRoot({
      issuer: 'https://issuer.test/',
      clientId: 'client-1',
      key: { pem: TEST_KEY, kid: 'a' },
    }),
  ];

  it.each([
    ['without the module', []],
    ['with it, and nothing about Altinn or callers', withModule],
  ])('%s the handler gets what its decorator says', async (_what, imports) => {
    const get = await start(builder(imports).overrideGuard(SystemUserGuard).useValue(allow));
    await get(`0192:${CUSTOMER}/claims`).expect(200, [CUSTOMER, CUSTOMER]);
    const { body } = await get(`${CUSTOMER}/clients/${CLIENT}`).expect(200);
    expect(body).toMatchObject({
      organisation: CUSTOMER,
      party: CLIENT,
      resource: RESOURCE,
      action: 'write',
      client: 'default',
      systemUser: { organisation: CUSTOMER, userType: 'agent' },
    });
  });

  it('the test’s own guard decides', async () => {
    @Injectable()
    class OnlyClaims {
      canActivate(context: ExecutionContext): boolean {
        return context.switchToHttp().getRequest<{ url: string }>().url.endsWith('/claims');
      }
    }
    const get = await start(builder().overrideGuard(SystemUserGuard).useClass(OnlyClaims));
    await get(`${CUSTOMER}/claims`).expect(200);
    expect((await get(`${CUSTOMER}/clients/${CLIENT}`)).status).toBe(403);
  });

  it('a factory does as well', async () => {
    const get = await start(
      builder()
        .overrideGuard(SystemUserGuard)
        .useFactory({ factory: () => allow }),
    );
    expect((await get(`${CUSTOMER}/claims`)).status).toBe(200);
  });

  it('a provider under the guard’s name replaces nothing', async () => {
    const module = Test.createTestingModule({
      controllers: [ClaimsController],
      providers: [claims, { provide: SystemUserGuard, useValue: allow }],
    });
    await expect(module.compile()).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'MaskinportenModule' }],
    });
  });
});
