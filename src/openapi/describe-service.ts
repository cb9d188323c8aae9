import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { PROBLEM_SCHEMA } from './problem-schema.js';

const SECURITY = 'api-key';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type ResponseObject = NonNullable<NonNullable<OpenAPIObject['components']>['responses']>[string];

/** Without a key, and without problem documents of their own. */
const OPEN = /^\/(?:health|metrics)(?:\/|$)/;

/** Puts the description of the service at `/docs`, as a page and (`/docs-json`, `/docs-yaml`) as OpenAPI. */
export function describeService(app: INestApplication): void {
  // The page's files want one more package on Fastify; the description itself does not.
  const ui = app.getHttpAdapter().getType() === 'express';
  SwaggerModule.setup('docs', app, () => openApi(app), { ui });
}

function openApi(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Maskinporten service')
    .setDescription('Calls Norwegian public APIs in your name, and in the name of customers that have approved it.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'API key' }, SECURITY)
    .build();
  return withProblems(SwaggerModule.createDocument(app, config));
}

/** The guard and the filters are global, and so is what they answer. */
function withProblems(document: OpenAPIObject): OpenAPIObject {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM_SCHEMA },
  };
  for (const [path, item] of Object.entries(document.paths)) {
    if (OPEN.test(path)) continue;
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      operation.security = [{ [SECURITY]: [] }];
      operation.responses = {
        ...operation.responses,
        401: problemResponse('No API key, or one that is not known'),
        ...(path.includes('{orgno}')
          ? { 403: problemResponse('Not allowed for this organisation; code says why, and what helps') }
          : {}),
        default: problemResponse('Anything else that went wrong'),
      };
    }
  }
  return document;
}

const problemResponse = (description: string): ResponseObject => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});
