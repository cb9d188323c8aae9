import { DELEGATION_CODES } from 'nestjs-maskinporten';

const TEXT = { type: 'string' };

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
