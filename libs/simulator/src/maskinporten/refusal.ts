/** Why a grant is refused, as the token endpoint says it. */
export interface Refusal {
  readonly status: 400 | 403;
  readonly error: string;
  /** Without the trace id, which the endpoint adds. */
  readonly description: string;
  /** Goes into the last segment of `error_uri`. */
  readonly mpCode?: string;
}

const CLIENT_AUTHENTICATION = 'Invalid assertion. Client authentication failed.';

/** `invalid_request`: the assertion itself is not as documented. */
export const malformed = (what: string): Refusal => ({
  status: 400,
  error: 'invalid_request',
  description: `Invalid assertion. Invalid parameter value. ${what}`,
  mpCode: 'MP-011',
});

/** `invalid_grant`: who signed, with what, for whom. */
export const unauthenticated = (what: string, mpCode?: string): Refusal => ({
  status: 400,
  error: 'invalid_grant',
  description: `${CLIENT_AUTHENTICATION} ${what}`,
  ...(mpCode && { mpCode }),
});

/** `invalid_grant` whose text does not speak of client authentication. */
export const invalidGrant = (description: string, mpCode?: string): Refusal => ({
  status: 400,
  error: 'invalid_grant',
  description,
  ...(mpCode && { mpCode }),
});

export const invalidScope = (description: string, mpCode: string): Refusal => ({
  status: 400,
  error: 'invalid_scope',
  description,
  mpCode,
});

export const forbidden = (description: string, mpCode: string): Refusal => ({
  status: 403,
  error: 'forbidden',
  description,
  mpCode,
});

/** RFC 8707 §2. */
export const invalidTarget = (description: string): Refusal => ({ status: 400, error: 'invalid_target', description });

/** The `error` of MP-301 and MP-302 is not published; RFC 9396 §5 defines this one for exactly these faults. */
export const invalidAuthorizationDetails = (description: string, mpCode: string): Refusal => ({
  status: 400,
  error: 'invalid_authorization_details',
  description,
  mpCode,
});

/** Altinn knows no usable system user. The sentence is not published; the code in the text is (Digdir, troubleshooting). */
export const customerConfiguration = (description: string): Refusal => ({
  status: 400,
  error: 'invalid_altinn_customer_configuration',
  description: `${description} (MP-303)`,
  mpCode: 'MP-303',
});
