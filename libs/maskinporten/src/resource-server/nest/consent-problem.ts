import type { ExecutionContext } from '@nestjs/common';
import { parseOrganisationNumber } from '../../grants/index.js';
import type { ConsentRight } from '../verification/authorization-details.js';
import type { Consumer } from '../verification/consumer.js';
import type { ConsentRequirement } from './requirements.js';

const RESOURCE = 'urn:altinn:resource';
const PERSON = 'urn:altinn:person:identifier-no:';
const ORGANISATION = 'urn:altinn:organization:identifier-no:';

/**
 * Why the consent of a token does not cover a call (Digdir and Altinn: `from`, `to`, `validTo`, rights); undefined when it
 * does. The sentences name nobody.
 */
export async function consentProblem(
  { organisation, consent }: Consumer,
  { resource, action, metadata = {}, from }: ConsentRequirement,
  context: ExecutionContext,
): Promise<string | undefined> {
  if (consent === undefined) return 'The token carries no consent that can be read.';
  if (consent.to !== organisation) return 'The consent was given to another organisation.';
  if (consent.validTo.getTime() <= Date.now()) return 'The consent has ended.';
  if (consent.from !== giverOf(await from(context)))
    return 'The consent was given by somebody else than the call is about.';
  const rights = consent.rights.filter((right) => covers(right, resource, action));
  if (rights.length === 0) return 'The consent is for something else.';
  const expected = await Promise.all(
    Object.entries(metadata).map(
      async ([name, value]) => [name, typeof value === 'string' ? value : await value(context)] as const,
    ),
  );
  const matches = rights.some((right) =>
    expected.every(([name, value]) => Object.hasOwn(right.metadata, name) && right.metadata[name] === value),
  );
  return matches ? undefined : 'The consent is for other metadata than the call.';
}

const covers = ({ resources, actions }: ConsentRight, resource: string, action: string | undefined): boolean =>
  resources.some(({ type, value }) => type === RESOURCE && value === resource) &&
  (action === undefined || actions.includes(action));

/** As a consent names its giver; undefined for what names nobody. */
function giverOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (/^\d{11}$/.test(value)) return `${PERSON}${value}`;
  const organisation = parseOrganisationNumber(value);
  return organisation === undefined ? value : `${ORGANISATION}${organisation}`;
}
