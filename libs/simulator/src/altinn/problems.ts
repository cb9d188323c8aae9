import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { logEntryOf } from '../kernel/index.js';

/** Business errors that a vendor meets (Altinn, source of authentication). Titles are to the letter: some clients match words of them. */
const AUTH = {
  'AUTH-00000': [400, "Can't resolve the Organisation Number from the logged in Reportee PartyId."],
  'AUTH-00001': [400, 'One or more Right not found or not delegable.'],
  'AUTH-00004': [400, 'Failed to create new SystemUser, existing SystemUser tied to the given System-Id.'],
  'AUTH-00010': [404, 'The Id does not refer to a Request in our system.'],
  'AUTH-00011': [404, 'The Id does not refer to a Registered System.'],
  'AUTH-00015': [404, 'The SystemUser was not found.'],
  'AUTH-00021': [400, 'The RedirectUri was not found or not valid.'],
  'AUTH-00023': [401, "Can't resolve the Organisation Number for the Vendor from the Token."],
  'AUTH-00025': [400, 'The request id is valid but its not a valid request for creating an agent system user'],
  'AUTH-00026': [400, 'No redirect uris are set for the system'],
  'AUTH-00058': [400, 'No AccessPackages found, an Agent SystemUser must have at least one'],
  'AUTH-00059': [400, 'No AccessPackages or Single Rights found, a SystemUser must have at least one'],
  'AUTH-00061': [
    409,
    'The Status of the Request is not New. Please generate a new CorrellationId for a new Change Request',
  ],
  'AUTH-00063': [400, 'One or more accesspackage is not found in the referenced system in the System Register.'],
  'AUTH-00064': [
    400,
    'One or more access packages cannot be delegated. Either they are intended for clients or they cannot be delegated further.',
  ],
  'AUTH-00065': [
    400,
    'One or more access packages cannot be delegated because they are not intended for client relationships',
  ],
} as const satisfies Record<string, readonly [number, string]>;

export type AuthCode = keyof typeof AUTH;

/** W3C trace id, as ASP.NET writes it. */
function traceId(): string {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
}

/** A problem document of Altinn's, with its trace id, noted in the log. */
export function sendAltinnProblem(
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
  return sendAltinnProblem(request, reply, { type: `urn:altinn:error:${code}`, title, status, code, ...extensions });
}

export interface ValidationProblem {
  /** `AUTH.VLD-…` */
  readonly code: string;
  readonly title: string;
  readonly paths: readonly string[];
  /** Extension members, such as the ids that were not found. */
  readonly [member: string]: unknown;
}

export function validationProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  validationErrors: readonly ValidationProblem[],
): FastifyReply {
  return sendAltinnProblem(request, reply, {
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
  return sendAltinnProblem(request, reply, {
    type: 'https://tools.ietf.org/html/rfc9110#section-15.5.1',
    title: 'One or more validation errors occurred.',
    status: 400,
    errors,
  });
}

/** The framework's own 404, which has no Altinn code. */
export function plainNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendAltinnProblem(request, reply, {
    type: 'https://tools.ietf.org/html/rfc9110#section-15.5.5',
    title: 'Not Found',
    status: 404,
  });
}

/** A text, as some refusals of the register are. */
export function plainText(request: FastifyRequest, reply: FastifyReply, status: 400 | 404, text: string): FastifyReply {
  logEntryOf(request).refusal = { error: String(status), errorDescription: text };
  return reply.code(status).type('text/plain; charset=utf-8').send(text);
}

/** What becomes of a fault that Altinn's source does not handle. */
export function unhandled(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const title = 'An error occurred while processing your request.';
  return sendAltinnProblem(request, reply, {
    type: 'https://tools.ietf.org/html/rfc9110#section-15.6.1',
    title,
    status: 500,
  });
}
