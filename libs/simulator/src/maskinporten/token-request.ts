import { type Tolerances, switchHint, tolerated } from './tolerance.js';

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface FormRefusal {
  readonly error: 'invalid_request' | 'unsupported_grant_type';
  readonly description: string;
}

export type TokenRequestForm =
  | { readonly ok: true; readonly assertion: string; readonly remark: string | undefined }
  | ({ readonly ok: false } & FormRefusal);

const refuse = (description: string, error: FormRefusal['error'] = 'invalid_request'): TokenRequestForm => ({
  ok: false,
  error,
  description,
});

/**
 * Reads the form of a token request. Parameters may not repeat, and unknown ones are ignored (RFC 6749 §3.2); the
 * assertion may not be in the query, where servers log it, unless a switch allows that.
 */
export function readTokenRequest(body: unknown, query: string, tolerate: Tolerances): TokenRequestForm {
  const inQuery = new URLSearchParams(query);
  const moved = inQuery.has('assertion') || inQuery.has('grant_type');
  if (moved && tolerate.get('query-parameters') === undefined) {
    return refuse(`Parameters must be sent in the body of the request.${switchHint('query-parameters')}`);
  }
  const inBody = new URLSearchParams(typeof body === 'string' ? body : '');
  const form = new URLSearchParams([...inBody, ...(moved ? inQuery : [])]);
  const names = [...form.keys()];
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated !== undefined) return refuse('A parameter is repeated');
  const grantType = form.get('grant_type');
  if (grantType === null || grantType === '') return refuse('Missing parameter grant_type');
  if (grantType !== GRANT_TYPE) return refuse('The grant type is not supported', 'unsupported_grant_type');
  const assertion = form.get('assertion');
  if (assertion === null || assertion === '') return refuse('Missing parameter assertion');
  const ignored = names.filter((name) => name !== 'grant_type' && name !== 'assertion');
  const remarks = [
    ...(moved ? [tolerated('query-parameters')] : []),
    ...(ignored.length > 0 ? [`ignored parameters: ${ignored.join(' ')}`] : []),
  ];
  return { ok: true, assertion, remark: remarks.join('; ') || undefined };
}
