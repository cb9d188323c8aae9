import type { Right, System } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import type { AuthCode } from './problems.js';
import { resourceIdOf } from './registry.js';

export interface Objection {
  readonly code: AuthCode;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Rights must be the system's own, by resource and, where the system names one, by action. */
export function rightsObjection(rights: readonly Right[], system: System, altinn: AltinnState): Objection | undefined {
  const known = rights.every((wanted) => {
    const id = resourceIdOf(wanted.resource);
    const onSystem = system.rights.some(
      (own) => resourceIdOf(own.resource) === id && (own.action === undefined || own.action === wanted.action),
    );
    return id !== undefined && onSystem && altinn.resource(id)?.delegable !== false;
  });
  return known ? undefined : { code: 'AUTH-00001' };
}

/** Packages must be the system's own, and of the kind that this type of system user can have. */
export function packagesObjection(
  urns: readonly string[],
  system: System,
  userType: 'standard' | 'agent',
  altinn: AltinnState,
): Objection | undefined {
  const foreign = urns.filter((urn) => !system.accessPackages.includes(urn));
  if (foreign.length > 0) return { code: 'AUTH-00063', extensions: { NotFoundPackages: foreign.join(', ') } };
  const unfit = urns.filter((urn) => {
    const found = altinn.accessPackage(urn);
    return userType === 'agent' ? found?.delegableToClients === false : found?.assignable === false;
  });
  if (unfit.length === 0) return undefined;
  return {
    code: userType === 'agent' ? 'AUTH-00065' : 'AUTH-00064',
    extensions: { NotDelegablePackages: unfit.join(', ') },
  };
}

function location(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** Scheme, host and path are compared; the query is the vendor's own. */
export function redirectObjection(redirectUrl: string | undefined, system: System): Objection | undefined {
  if (redirectUrl === undefined) return undefined;
  if (system.allowedRedirectUrls.length === 0) return { code: 'AUTH-00026' };
  const wanted = location(redirectUrl);
  const allowed = wanted !== undefined && system.allowedRedirectUrls.some((own) => location(own) === wanted);
  return allowed ? undefined : { code: 'AUTH-00021' };
}
