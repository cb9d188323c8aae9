import type { FastifyInstance } from 'fastify';
import {
  type AltinnState,
  emptyAnswer,
  hasScope,
  identify,
  note,
  partiesOf,
  partyUuidOf,
  resourceIdOf,
} from '../altinn/index.js';
import { isOrganisationNumber, sendProblem } from '../kernel/index.js';
import { TokenFailure } from '../maskinporten/index.js';

const SCOPE = 'digdir:dialogporten';
const PARTY = 'urn:altinn:organization:identifier-no:';

/** Dialogporten (Altinn, Dialogporten): who may see nothing gets an empty list, and no error. */
export function dialogportenRoutes(app: FastifyInstance, altinn: AltinnState): void {
  app.get<{ Querystring: { party?: string } }>('/dialogporten/api/v1/enduser/dialogs', async (request, reply) => {
    const caller = await identify(request, altinn);
    if (caller instanceof TokenFailure || caller.kind !== 'maskinporten') return emptyAnswer(reply, 401);
    if (!hasScope(request, caller, [SCOPE])) return emptyAnswer(reply, 403);
    const { party = '' } = request.query;
    const orgno = party.startsWith(PARTY) ? party.slice(PARTY.length) : '';
    if (!isOrganisationNumber(orgno)) return sendProblem(reply, 400, 'Bad request', { detail: `party: ${PARTY}…` });
    const user = caller.systemUserId === undefined ? undefined : altinn.systemUsers.get(caller.systemUserId);
    const visible = user !== undefined && partiesOf(user, altinn).includes(orgno);
    const resources =
      user === undefined || !visible
        ? []
        : [
            ...user.rights.map(({ resource }) => resourceIdOf(resource) ?? ''),
            ...user.accessPackages.flatMap((urn) => altinn.accessPackage(urn)?.resources ?? []),
          ];
    note(request, 'right.present', resources.length > 0, `${resources.length} resources for ${orgno}`);
    const items = [...new Set(resources)].map((resource) => ({
      id: partyUuidOf(`${orgno} ${resource}`),
      party,
      serviceResource: `urn:altinn:resource:${resource}`,
      status: 'NotApplicable',
      content: { title: { value: [{ value: `Melding om ${resource}`, languageCode: 'nb' }] } },
    }));
    return reply.send({ items, hasNextPage: false, continuationToken: null, orderBy: 'createdat_desc' });
  });
}
