/** The listeners of the simulator, each on a port of its own so that their origins differ as in reality. */
export const ROLES = ['maskinporten', 'platform', 'api', 'operator', 'self-service'] as const;
export type Role = (typeof ROLES)[number];
