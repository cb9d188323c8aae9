// The unit test of an ordinary CommonJS Nest project: ts-jest, without Node's flag for ES modules.
import { generateKeyPairSync } from 'node:crypto';
import 'reflect-metadata';
import { Controller, Get } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { MaskinportenModule, MaskinportenTokenService, Scopes } from 'nestjs-maskinporten';
import { FakeMaskinportenTokenService } from 'nestjs-maskinporten/testing';

@Controller()
class ClaimsController {
  @Get()
  @Scopes('acme:read')
  read(): string {
    return 'read';
  }
}

const pem = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

describe('a controller', () => {
  it('is tested with the fake token service', async () => {
    const options = {
      environment: 'test' as const,
      clientId: 'a-client',
      key: { pem, kid: 'k' },
    };
    const module = await Test.createTestingModule({
      imports: [MaskinportenModule.forRoot(options)],
      controllers: [ClaimsController],
    }).compile();
    expect(module.get(ClaimsController).read()).toBe('read');
    expect(module.get(MaskinportenTokenService).clientId).toBe('a-client');
    await module.close();
  });

  it('gets tokens from it', async () => {
    const token = await new FakeMaskinportenTokenService().getToken('acme:read');
    expect(token.scopes).toEqual(['acme:read']);
  });
});
