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
