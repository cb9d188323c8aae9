import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type LoggedCheck, logEntryOf } from '../kernel/index.js';
import { errorPageRoutes } from './error-page.js';
import { examineGrant } from './examine-grant.js';
import { decodeGrant } from './grant.js';
import { issueToken } from './issue-token.js';
import type { MaskinportenState } from './maskinporten-state.js';
import { malformed } from './refusal.js';
import { DETAIL_TYPES } from './rules/index.js';
import { readTokenRequest } from './token-request.js';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json;charset=UTF-8';

interface EndpointRefusal {
  readonly status: number;
  readonly error: string;
  readonly description: string;
  readonly mpCode?: string;
}

/** Metadata, keys and the token endpoint (Digdir, well-known; Digdir, token). */
export function maskinportenRoutes(app: FastifyInstance, state: MaskinportenState): void {
  app.get('/.well-known/oauth-authorization-server', (_request, reply) => {
    const { issuer, tokenEndpoint } = state.world.urls();
    return reply.type(JSON_TYPE).send(
      JSON.stringify({
        authorization_details_types_supported: DETAIL_TYPES,
        grant_types_supported: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
        issuer,
        jwks_uri: `${issuer}jwk`,
        token_endpoint: tokenEndpoint,
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
        token_endpoint_auth_signing_alg_values_supported: ['RS256', 'RS384', 'RS512'],
      }),
    );
  });
  app.get('/jwk', async (_request, reply) =>
    reply.type(JSON_TYPE).send(JSON.stringify(await state.signingKeys.jwks())),
  );
  errorPageRoutes(app, state);
  app.register((scope, _options, done) => {
    tokenRoutes(scope, state);
    done();
  });
}

function tokenRoutes(app: FastifyInstance, state: MaskinportenState): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, refusal: EndpointRefusal): FastifyReply => {
    const traceId = randomBytes(16).toString('hex');
    const { status, error, description, mpCode } = refusal;
    const entry = logEntryOf(request);
    entry.kind = 'grant';
    entry.refusal = { error, errorDescription: description, ...(mpCode && { mpCode }), traceId };
    return answer(reply, status, {
      error,
      error_description: `${description} (trace_id: ${traceId})`,
      ...(mpCode && { error_uri: `${state.world.urls().issuer}errors/${mpCode}` }),
    });
  };

  // Forms only: a JSON body is refused with 415, which the error handler words as an OAuth error.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: unknown, request, reply) => {
    const status =
      error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
    const description = status >= 500 ? 'The simulator failed' : httpDescription(status);
    return refuse(request, reply, { status, error: status >= 500 ? 'server_error' : 'invalid_request', description });
  });
  app.route({
    url: '/token',
    method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    onRequest: async (request, reply) =>
      refuse(request, reply.header('allow', 'POST'), {
        status: 405,
        error: 'invalid_request',
        description: 'The token endpoint takes POST only',
      }),
    handler: (_request, reply) => reply,
  });
  app.post('/token', async (request, reply) => {
    const entry = logEntryOf(request);
    entry.kind = 'grant';
    const form = readTokenRequest(request.body, request.url.split('?')[1] ?? '', state.tolerate);
    const noteForm = (check: LoggedCheck): void => {
      entry.checks = [...entry.checks, check];
    };
    if (!form.ok) {
      noteForm({ check: 'request', ok: false, detail: form.description });
      return refuse(request, reply, { status: 400, error: form.error, description: form.description });
    }
    noteForm({ check: 'request', ok: true, ...(form.remark !== undefined && { detail: form.remark }) });
    const grant = decodeGrant(form.assertion, state.world.clock.nowSeconds());
    if (grant === undefined) {
      const refusal = malformed('The assertion is not a JWT');
      noteForm({ check: 'assertion', ok: false, detail: refusal.description });
      return refuse(request, reply, refusal);
    }
    noteForm({ check: 'assertion', ok: true });
    entry.header = grant.header;
    entry.claims = grant.claims;
    const { checks, refusal } = await examineGrant(grant, state);
    entry.checks = [...entry.checks, ...checks];
    if (grant.client !== undefined) entry.clientId = grant.client.clientId;
    if (refusal !== undefined) return refuse(request, reply, refusal);
    const { jti, body } = await issueToken(grant, state);
    entry.tokenJti = jti;
    return answer(reply, 200, body);
  });
}

function httpDescription(status: number): string {
  if (status === 415) return `The body must be ${FORM}`;
  if (status === 413) return 'The body is too large';
  return 'The request is not valid HTTP';
}

/** RFC 6749 §5.1: token answers are never stored by caches. */
function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
    .type(JSON_TYPE)
    .send(JSON.stringify(body));
}
