/** Blamed in `failures[].field` when Altinn, not Maskinporten, is where a call failed. */
export const PLATFORM_FIELD = 'ALTINN_PLATFORM_URL';
export const SYSTEM_FIELD = 'ALTINN_SYSTEM_ID';
export const SUBSCRIPTION_FIELD = 'ALTINN_SUBSCRIPTION_KEY';

/**
 * Scopes of Altinn's own APIs. Every call asks for the one it needs and for nothing else, so that a leaked token opens
 * as little as possible (Altinn, scopes; RFC 9700 §2.3).
 */
export const ALTINN_SCOPES = {
  /** Create and delete requests and change requests; look one system user up. */
  requestWrite: 'altinn:authentication/systemuser.request.write',
  /** Read requests and change requests. */
  requestRead: 'altinn:authentication/systemuser.request.read',
  /** Read the system register; list the system users of a system. */
  systemRegister: 'altinn:authentication/systemregister.write',
  /** Ask, as the system user, for which parties it may act. */
  authorizedParties: 'altinn:accessmanagement/authorizedparties',
  /** Ask the PDP. */
  authorize: 'altinn:authorization/authorize',
} as const;

/** Where the API families of the platform begin. */
export const AUTHENTICATION = '/authentication/api/v1';
export const ACCESS_MANAGEMENT = '/accessmanagement/api/v1';
export const AUTHORIZATION = '/authorization/api/v1';
export const RESOURCE_REGISTRY = '/resourceregistry/api/v1';
