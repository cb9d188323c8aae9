import { Controller, Get, Logger, Param, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createError, ERROR_CODES, type ErrorDetails, type MaskinportenErrorCode } from '../errors/index.js';
import { MaskinportenExceptionFilter } from './maskinporten-exception.filter.js';
import { problemDocument, type MaskinportenProblem } from './problem-document.js';

Logger.overrideLogger(false);

const CODES = Object.keys(ERROR_CODES) as MaskinportenErrorCode[];
const details: ErrorDetails = {
  message: 'what happened',
  traceId: 'trace-1',
  mpCode: 'MP-999',
  clientId: 'internal-client',
  kid: 'internal-key',
  description: 'internal description',
  attempts: 3,
};
const MEMBERS = new Set(['type', 'title', 'status', 'detail', 'code', 'failures', 'hint', 'traceId', 'retryAfterMs']);

@Controller()
class FailingController {
  @Get('code/:code')
  fail(@Param('code') code: MaskinportenErrorCode): never {
    throw createError(code, details);
  }

  @Get('later')
  later(): never {
    throw createError('MP_THROTTLED', { message: 'slow down', retryAfterMs: 1_200 });
  }

  @Get('other')
  other(): never {
    throw new Error('not ours');
  }
}

describe.each(['express', 'fastify'] as const)('MaskinportenExceptionFilter on %s', (platform) => {
  let app: INestApplication;
  let origin: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ controllers: [FailingController] }).compile();
    app = platform === 'fastify' ? module.createNestApplication(new FastifyAdapter()) : module.createNestApplication();
    app.useLogger(false);
    app.useGlobalFilters(new MaskinportenExceptionFilter());
    await app.listen(0, '127.0.0.1');
    origin = await app.getUrl();
  });
  afterAll(async () => app?.close());

  it.each(CODES)('S-20: %s is a problem document with the status of the fault matrix', async (code) => {
    const response = await fetch(`${origin}/code/${code}`);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.status).toBe(ERROR_CODES[code].httpStatus);
    const problem = (await response.json()) as MaskinportenProblem;
    expect(problem.status).toBe(response.status);
    expect(problem.code).toBe(response.status >= 500 ? 'SERVER_ERROR' : code);
    expect(problem.failures).toEqual([{ field: ERROR_CODES[code].field, code, reason: 'what happened' }]);
    expect(problem.traceId).toBe('trace-1');
  });

  it('S-20: the document has no members but the described ones, and nothing internal', async () => {
    for (const code of CODES) {
      const text = await (await fetch(`${origin}/code/${code}`)).text();
      expect(Object.keys(JSON.parse(text) as object).filter((member) => !MEMBERS.has(member))).toEqual([]);
      expect(text).not.toMatch(/internal|stack|\.ts|node_modules/);
    }
  });

  it('S-21: says when to come back', async () => {
    const response = await fetch(`${origin}/later`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await response.json()).toMatchObject({ retryAfterMs: 1_200 });
  });

  it('leaves other errors to others', async () => {
    const response = await fetch(`${origin}/other`);
    expect(response.status).toBe(500);
    expect(response.headers.get('content-type')).toContain('application/json');
  });
});

describe('problemDocument', () => {
  it('tells a caller who can act what to do, in both languages', () => {
    const problem = problemDocument(createError('MP_NOT_DELEGATED', details));
    expect(problem).toMatchObject({
      status: 403,
      code: 'MP_NOT_DELEGATED',
      detail: 'what happened',
      hint: { en: expect.any(String), nb: expect.any(String) },
    });
  });

  it('has a title for a caller who is gone', () => {
    expect(problemDocument(createError('MP_ABORTED', { message: 'gone' }))).toMatchObject({
      status: 499,
      title: 'Client Closed Request',
    });
  });

  it('F-10: an answer that was cut short is 502', () => {
    expect(problemDocument(createError('MP_NETWORK', { message: 'cut', status: 200 })).status).toBe(502);
  });
});
