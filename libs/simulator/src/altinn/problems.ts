import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logEntryOf } from '../kernel/index.js';

/** Business errors that a vendor meets (Altinn, source of authentication). The titles are in our words; clients read the code. */
const AUTH = {
  'AUTH-00000': [400, 'The organisation is not known in the register.'],
  'AUTH-00001': [400, 'One or more rights are not found on the system, or cannot be delegated.'],
  'AUTH-00004': [400, 'The customer already has a system user on this system.'],
  'AUTH-00010': [404, 'The Id does not refer to a Request in our system.'],
  'AUTH-00011': [404, 'The Id does not refer to a Registered System.'],
  'AUTH-00015': [404, 'The system user is not found.'],
  'AUTH-00021': [400, 'The redirect URI is not among those of the system.'],
  'AUTH-00023': [401, 'The token does not name the organisation of a vendor.'],
  'AUTH-00025': [400, 'The request is not a request for an agent system user.'],
  'AUTH-00026': [400, 'The system has no redirect URI.'],
  'AUTH-00058': [400, 'A request for an agent needs at least one access package.'],
  'AUTH-00059': [400, 'A request needs a right or an access package.'],
  'AUTH-00061': [409, 'The change request is no longer new. Use another correlation id.'],
  'AUTH-00063': [400, 'One or more access packages are not on the system.'],
  'AUTH-00064': [400, 'One or more access packages cannot be given to a standard system user.'],
  'AUTH-00065': [400, 'One or more access packages are not meant for clients.'],
} as const satisfies Record<string, readonly [number, string]>;

export type AuthCode = keyof typeof AUTH;

/** W3C trace id, as ASP.NET writes it. */
function traceId(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
}

function send(
  request: FastifyRequest,
  reply: FastifyReply,
  document: Readonly<Record<string, unknown>> & { readonly status: number; readonly title: string },
): FastifyReply {
  const entry = logEntryOf(request);
  const trace = traceId();
  const code = typeof document['code'] === 'string' ? document['code'] : document.title;
  entry.refusal = { error: code, errorDescription: document.title, traceId: trace };
  return reply
    .code(document.status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...document, traceId: trace }));
}

/** A business error in Altinn's envelope; extension members go to the top level. */
export function authProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  code: AuthCode,
  extensions: Readonly<Record<string, unknown>> = {},
): FastifyReply {
  const [status, title] = AUTH[code];
  return send(request, reply, { type: `urn:altinn:error:${code}`, title, status, code, ...extensions });
}

export interface ValidationProblem {
  /** `AUTH.VLD-…` */
  readonly code: string;
  readonly title: string;
  readonly paths: readonly string[];
}

export function validationProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  validationErrors: readonly ValidationProblem[],
): FastifyReply {
  return send(request, reply, {
    type: 'urn:altinn:error:STD-00000',
    title: 'One or more validation errors occurred.',
    status: 400,
    code: 'STD-00000',
    validationErrors,
  });
}

/** The framework's own 400, which has no Altinn code. */
export function missingInput(
  request: FastifyRequest,
  reply: FastifyReply,
  errors: Readonly<Record<string, readonly string[]>>,
): FastifyReply {
  return send(request, reply, {
    type: 'https://tools.ietf.org/html/rfc9110#section-15.5.1',
    title: 'One or more validation errors occurred.',
    status: 400,
    errors,
  });
}

/** The framework's own 404, which has no Altinn code. */
export function plainNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(request, reply, {
    type: 'https://tools.ietf.org/html/rfc9110#section-15.5.5',
    title: 'Not Found',
    status: 404,
  });
}
