import { DELEGATION_CODES } from 'nestjs-maskinporten';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

const TEXT = { type: 'string' };

/** What answers say about themselves. */
export const META_SCHEMA = {
  type: 'object',
  required: ['requestId', 'rulebookVersion', 'downstream'],
  properties: {
    requestId: { ...TEXT, format: 'uuid', description: 'As in the header X-Request-Id' },
    rulebookVersion: { ...TEXT, description: 'Version of the rules by which the service decided' },
    downstream: {
      type: 'array',
      description: 'Calls with a token that were made for this answer and have ended, in the order in which they ended',
      items: {
        type: 'object',
        required: ['method', 'host', 'path', 'scopes', 'durationMs'],
        properties: {
          method: TEXT,
          host: TEXT,
          path: { ...TEXT, description: 'Ids and numbers are {id}; there is never a query' },
          status: { type: 'integer', description: 'Absent when there was no answer' },
          errorCode: { ...TEXT, description: 'Why there was no answer' },
          scopes: { type: 'array', items: TEXT },
          onBehalfOf: { ...TEXT, description: 'Organisation number; absent when the call was in our own name' },
          tokenJti: { ...TEXT, description: 'jti of the grant that the token came from' },
          durationMs: { type: 'integer' },
        },
      },
    },
  },
};

/** What every refusal and failure looks like (RFC 9457). */
export const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: TEXT,
    title: TEXT,
    status: { type: 'integer' },
    detail: TEXT,
    code: {
      ...TEXT,
      description: `What to act on. For organisations: ${Object.keys(DELEGATION_CODES).join(', ')}; an MP_ code when Maskinporten refused; SERVER_ERROR from status 500 on.`,
    },
    hint: {
      type: 'object',
      description: 'A sentence for the customer',
      properties: { en: TEXT, nb: TEXT },
    },
    _meta: { allOf: [{ $ref: '#/components/schemas/Meta' }], description: 'Present when the caller is known' },
    organisation: TEXT,
    confirmUrl: { ...TEXT, format: 'uri', description: 'Where the customer approves the waiting request' },
    failures: {
      type: 'array',
      items: { type: 'object', properties: { field: TEXT, code: TEXT, reason: TEXT } },
    },
  },
};

const SECURITY = 'api-key';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
type ResponseObject = NonNullable<NonNullable<OpenAPIObject['components']>['responses']>[string];
type ResponsesObject = Readonly<Record<string, ResponseObject | undefined>>;

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
  return withGlobalAnswers(SwaggerModule.createDocument(app, config));
}

/** The guard, the filters and the envelope are global, and so is what they make of answers. */
function withGlobalAnswers(document: OpenAPIObject): OpenAPIObject {
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Meta: META_SCHEMA, Problem: PROBLEM_SCHEMA },
  };
  for (const [path, item] of Object.entries(document.paths)) {
    if (OPEN.test(path)) continue;
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      operation.security = [{ [SECURITY]: [] }];
      operation.responses = {
        ...enveloped(operation.responses),
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

/** Handlers return what stands in `data`. Answers that are no JSON have no envelope. */
function enveloped(responses: ResponsesObject): Record<string, ResponseObject> {
  return Object.fromEntries(
    Object.entries(responses).flatMap(([status, response]): [string, ResponseObject][] => {
      if (response === undefined) return [];
      if (!status.startsWith('2') || '$ref' in response) return [[status, response]];
      const { 'application/json': json, ...others } = response.content ?? {};
      const schema = {
        type: 'object',
        required: ['data', '_meta'],
        properties: { data: json?.schema ?? {}, _meta: { $ref: '#/components/schemas/Meta' } },
      };
      const headers = { ...response.headers, 'X-Request-Id': REQUEST_ID_HEADER };
      return [[status, { ...response, headers, content: { 'application/json': { schema }, ...others } }]];
    }),
  );
}

const REQUEST_ID_HEADER = { description: 'Names the request', schema: { type: 'string', format: 'uuid' } };

const problemResponse = (description: string): ResponseObject => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});
