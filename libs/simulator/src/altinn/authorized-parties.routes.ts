import type { FastifyInstance } from 'fastify';
import type { SystemUser } from '../maskinporten/index.js';
import type { AltinnState } from './altinn-state.js';
import { authenticate, note } from './caller.js';
import { partyIdOf, partyUuidOf } from './organisations.js';
import { resourceIdOf } from './registry.js';
import { actsFor, hasRight, rootsOf } from './rights.js';
import { AUTHORIZED_PARTIES } from './scopes.js';

interface Filter {
  readonly packages: boolean;
  readonly resources: boolean;
  readonly subunits: boolean;
  /** `undefined`: no filter. */
  readonly anyOfResourceIds: readonly string[] | undefined;
  readonly partyFilter: readonly string[];
}

function readFilter(query: URLSearchParams): Filter {
  const isTrue = (name: string): boolean => query.get(name)?.toLowerCase() === 'true';
  return {
    packages: isTrue('includeAccessPackages'),
    resources: isTrue('includeResources'),
    // `auto` acts as `true` for a system user (Altinn, access management).
    subunits: query.get('includeSubParties')?.toLowerCase() !== 'false',
    anyOfResourceIds: query.has('anyOfResourceIds') ? query.getAll('anyOfResourceIds') : undefined,
    partyFilter: query.getAll('partyFilter').map((uuid) => uuid.toLowerCase()),
  };
}

function partyView(orgno: string, user: SystemUser, filter: Filter, altinn: AltinnState): object {
  const code = altinn.settings.current.packageForm === 'code';
  const packages = user.accessPackages.map((urn) => (code ? urn.slice(urn.lastIndexOf(':') + 1) : urn));
  // Directly delegated resources only: what a package opens is not listed here, though it counts above.
  const resources = [...new Set(user.rights.map(({ resource }) => resourceIdOf(resource) ?? ''))];
  const parent = altinn.organisations.get(orgno)?.parent;
  return {
    partyUuid: partyUuidOf(orgno),
    name: altinn.organisations.nameOf(orgno),
    organizationNumber: orgno,
    parentId: parent !== undefined && actsFor(user, parent, altinn) ? partyUuidOf(parent) : null,
    personId: null,
    dateOfBirth: null,
    partyId: partyIdOf(orgno),
    emailId: null,
    type: 'Organization',
    unitType: parent === undefined ? 'AS' : 'BEDR',
    isDeleted: false,
    onlyHierarchyElementWithNoAccess: false,
    authorizedAccessPackages: filter.packages ? packages : [],
    authorizedResources: filter.resources ? resources : [],
    authorizedRoles: [],
    authorizedInstances: [],
    subunits: filter.subunits
      ? altinn.organisations.subunitsOf(orgno).map((unit) => partyView(unit, user, filter, altinn))
      : [],
  };
}

/** For whom may the system user of the token use a resource? (Altinn, access management) */
export function authorizedPartiesRoutes(app: FastifyInstance, altinn: AltinnState): void {
  app.get('/accessmanagement/api/v1/enduser/authorizedparties', async (request, reply) => {
    const caller = await authenticate(request, reply, altinn, { scopes: AUTHORIZED_PARTIES, token: 'altinn' });
    if (caller === undefined) return reply;
    note(request, 'token.system_user', caller.systemUserId !== undefined, caller.systemUserId);
    if (caller.systemUserId === undefined) return reply.code(401).type('text/plain').send('Unknown user type');
    const filter = readFilter(new URLSearchParams(request.url.split('?')[1] ?? ''));
    // Live: a token that outlives its system user sees nothing.
    const user = altinn.systemUsers.get(caller.systemUserId);
    note(request, 'system_user.live', user !== undefined, user?.id ?? `${caller.systemUserId} is deleted`);
    const roots = user === undefined ? [] : rootsOf(user);
    const data = roots
      .filter(() => {
        // Unknown ids are ignored, which looks the same as no right to them.
        const wanted = filter.anyOfResourceIds;
        return user !== undefined && (wanted?.some((id) => hasRight(user, id, undefined, altinn)) ?? true);
      })
      .filter((orgno) => filter.partyFilter.length === 0 || filter.partyFilter.includes(partyUuidOf(orgno)))
      .map((orgno) => user && partyView(orgno, user, filter, altinn));
    if (filter.anyOfResourceIds !== undefined) {
      note(request, 'right.present', data.length > 0, filter.anyOfResourceIds.join(' or '));
    }
    return reply.send(
      altinn.settings.current.nestedData ? { links: { next: null }, data: [data] } : { links: {}, data },
    );
  });
}
