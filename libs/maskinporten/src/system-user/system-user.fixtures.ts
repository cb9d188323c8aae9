import {
  Body,
  Controller,
  Get,
  Logger,
  Param,
  Post,
  type ExecutionContext,
  type INestApplication,
  type Type,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import request from 'supertest';
import { PATIENT } from '../../../../test/support/patience.js';
import { TEST_KEY } from '../altinn/altinn-client.fixtures.js';
import type { AltinnStandIn } from '../altinn/altinn-stand-in.fixtures.js';
import {
  CallerPolicy,
  CurrentSystemUser,
  MaskinportenHttpModule,
  MaskinportenHttpService,
  MaskinportenModule,
  RequireSystemUser,
  Scopes,
  VerifiedDelegation,
  fromBody,
  fromParam,
  type DelegatedAction,
  type MaskinportenOptions,
} from '../index.js';

export const RESOURCE = 'ske-krav-og-betalinger';

/** Who may act for whom, decided by the test; and what was asked. */
export class TestPolicy extends CallerPolicy {
  answer: (organisation: string) => unknown = () => true;
  readonly asked: { organisation: string; action: DelegatedAction }[] = [];

  override canActFor(_: ExecutionContext, organisation: string, action: DelegatedAction): boolean {
    this.asked.push({ organisation, action });
    return this.answer(organisation) as boolean;
  }
}

export interface Answer {
  readonly organisation: string;
  readonly party: string;
  readonly owner: string | null;
}

/** Tells which organisation the handler was given, and for which the API behind it was given a token. */
@Controller('o/:orgno')
export class ProbeController {
  constructor(private readonly http: MaskinportenHttpService) {}

  @Get('claims')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE })
  async claims(@CurrentSystemUser() delegation: VerifiedDelegation): Promise<Answer> {
    return this.#answer(delegation);
  }

  @Get('fresh')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, fresh: true })
  @Scopes('acme:read')
  async fresh(@CurrentSystemUser() delegation: VerifiedDelegation): Promise<Answer> {
    return this.#answer(delegation);
  }

  @Get('ref/:ref')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), externalRef: fromParam('ref'), resource: RESOURCE })
  async withReference(@CurrentSystemUser() delegation: VerifiedDelegation): Promise<Answer> {
    return this.#answer(delegation);
  }

  @Get('clients/:client')
  @Scopes('acme:read')
  @RequireSystemUser({ organisation: fromParam('orgno'), party: fromParam('client'), resource: RESOURCE })
  async client(@CurrentSystemUser() delegation: VerifiedDelegation): Promise<Answer> {
    return this.#answer(delegation);
  }

  @Post('claims')
  @Scopes('acme:write')
  @RequireSystemUser({ organisation: fromBody('customer.orgno'), resource: RESOURCE, action: 'write' })
  async write(
    @CurrentSystemUser() delegation: VerifiedDelegation,
    @Body() body: Record<string, unknown>,
    @Param() params: Record<string, unknown>,
  ): Promise<Answer> {
    // What a pipe or a careless handler does: the values of the request are no longer what was checked (T-52).
    body['customer'] = { orgno: 'changed' };
    params['orgno'] = 'changed';
    return this.#answer(delegation);
  }

  @Get('asking')
  @RequireSystemUser({ organisation: fromParam('orgno'), resource: RESOURCE, onMissing: 'request' })
  asking(@CurrentSystemUser() { organisation }: VerifiedDelegation): string {
    return organisation;
  }

  async #answer({ organisation, party }: VerifiedDelegation): Promise<Answer> {
    const response = await this.http.axiosRef.get<{ owner: string | null }>('/acme/claims');
    return { organisation, party, owner: response.data.owner };
  }
}

export interface TestApp {
  readonly app: INestApplication;
  readonly policy: TestPolicy;
  readonly get: (path: string) => request.Test;
  readonly post: (path: string, body: object) => request.Test;
  readonly close: () => Promise<void>;
}

/** @param body what the answer has to say or contain */
export async function expectAnswer(
  test: request.Test | undefined,
  status: number,
  body?: string | RegExp | object,
): Promise<request.Response> {
  if (test === undefined) throw new Error('The application has not been started.');
  return body === undefined ? test.expect(status) : test.expect(status, body);
}

export function optionsFor(standIn: AltinnStandIn, altinn: MaskinportenOptions['altinn'] = {}): MaskinportenOptions {
  return {
    issuer: `${standIn.url}/`,
    tokenEndpoint: `${standIn.url}/token`,
    clientId: 'client-1',
    key: { pem: TEST_KEY, kid: 'test' },
    destinations: [standIn.url],
    retry: PATIENT,
    altinn: { platformUrl: standIn.url, systemId: standIn.system.id, ...altinn },
  };
}

export const PDP = (standIn: AltinnStandIn): NonNullable<MaskinportenOptions['altinn']> => ({
  subscriptionKey: standIn.subscriptionKey,
});
export const PARTIES = { rights: 'authorized-parties' } as const;

/** The real module in a real application. */
export async function startApp(
  standIn: AltinnStandIn,
  altinn: MaskinportenOptions['altinn'],
  controllers: Type[] = [ProbeController],
): Promise<TestApp> {
  const policy = new TestPolicy();
  const module = await Test.createTestingModule({
    imports: [
      MaskinportenModule.forRoot(optionsFor(standIn, altinn)),
      MaskinportenHttpModule.register({ baseURL: standIn.url }),
    ],
    controllers,
    providers: [{ provide: CallerPolicy, useValue: policy }],
  }).compile();
  // The test module has brought a logger of its own.
  Logger.overrideLogger(false);
  const app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as Parameters<typeof request>[0];
  return {
    app,
    policy,
    get: (path) => request(server).get(path),
    post: (path, body) => request(server).post(path).send(body),
    close: async () => app.close(),
  };
}
