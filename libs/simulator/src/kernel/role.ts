/** The parts of the simulator that answer HTTP. In reality, and with `separateOrigins`, each has an origin of its own. */
export const ROLES = ['maskinporten', 'platform', 'api', 'operator', 'self-service'] as const;
export type Role = (typeof ROLES)[number];

/** Says that the process answers: the same on every listener, reserved, and never in the log. */
export const ALIVE = '/isalive';

const FIRST_SEGMENTS: readonly (readonly [Role, RegExp])[] = [
  ['operator', /^\/(?:$|operator(?:\/|$)|accessmanagement\/ui\/)/],
  ['maskinporten', /^\/(?:token|jwk|\.well-known|errors|isalive)(?:\/|$)/],
  ['platform', /^\/(?:authentication|accessmanagement|authorization|broker|correspondence)\//],
  ['self-service', /^\/(?:api\/v1\/)?(?:clients|scopes)\//],
];

/**
 * Which part answers a path when all share one origin. Judged by the path as it was sent: one that only becomes
 * `/operator/…` when it is decoded is the API's, which has no such route.
 */
export function roleOf(path: string): Role {
  return FIRST_SEGMENTS.find(([, paths]) => paths.test(path))?.[0] ?? 'api';
}

/** Broker and Correspondence are the platform's and the API's; on one origin, faults for either hit them. */
export function sharedRolesOf(path: string): readonly Role[] {
  return /^\/(?:broker|correspondence)\//.test(path) ? ['platform', 'api'] : [roleOf(path)];
}
