import {
  isPackageUrn,
  packageCode,
  type AltinnClient,
  type AuthorizedParty,
  type PdpQuestion,
  type Right,
  type SystemUser,
  type SystemUserKey,
} from '../altinn/index.js';
import type { Clock } from '../basics/index.js';
import { AnswerMemory, NEGATIVE_MS, POSITIVE_MS } from './answer-memory.js';
import type { RightQuestion, RightsStrategy } from './right-decision.js';
import { RightsRefusal } from './rights-refusal.js';

/** The answer of one source. `validUntil`: when what it was asked with ends. */
export type RightAnswer =
  | { readonly allowed: true; readonly validUntil?: Date | undefined }
  | {
      readonly allowed: false;
      readonly code: 'right_missing' | 'client_not_delegated';
      /** An agent was asked about its own organisation: the next step is another than for a client. */
      readonly ownOrganisation?: true;
    };

export interface RightContext {
  readonly altinn: AltinnClient;
  readonly systemId: string;
  readonly key: SystemUserKey;
  readonly systemUser: SystemUser;
  readonly signal: AbortSignal;
}

/** @throws MaskinportenError or RightsRefusal (`delegation_unknown`) when there is no answer */
export type RightSource = (context: RightContext, question: RightQuestion) => Promise<RightAnswer>;

/** The policy decision point: party, resource and action. */
const pdpRights: RightSource = async (context, { resource, action, party }) => {
  const { altinn, systemUser, signal } = context;
  const permitted = await askPdp(altinn, { systemUserId: systemUser.id, resource, action, party }, signal);
  return permitted ? { allowed: true } : explainNo(context, party);
};

/** @throws MaskinportenError or RightsRefusal (`delegation_unknown`) when there is no answer */
export async function askPdp(
  { pdp }: Pick<AltinnClient, 'pdp'>,
  question: PdpQuestion,
  signal: AbortSignal,
): Promise<boolean> {
  const decision = await pdp.authorize(question, signal);
  if (decision.outcome !== 'unknown') return decision.outcome === 'permit';
  throw new RightsRefusal('delegation_unknown', { reason: `the PDP gave no decision: ${decision.reason}` });
}

/** The parties the system user may use the resource for: any action. */
const partiesRights: RightSource = async (context, { resource, party }) => {
  const { altinn, key, signal } = context;
  const { parties, tokenExpiresAt } = await altinn.parties.withResource(key, resource, signal);
  const holds = isPackageUrn(resource)
    ? (entry: AuthorizedParty) => entry.accessPackages.includes(packageCode(resource))
    : () => true;
  const found = parties.some((entry) => entry.organisation === party && entry.hasAccess && holds(entry));
  return found ? { allowed: true, validUntil: tokenExpiresAt } : explainNo(context, party);
};

/** What the customer approved, and the changes approved since. Blind to everything the customer changed alone. */
const acceptedRights: RightSource = async ({ altinn, systemId, systemUser, signal }, question) => {
  // The packages of an agent hold for its clients, and no request ever shows "self" (Altinn, access management).
  if (isAboutItself(systemUser, question.party)) return NOT_FOR_ITSELF;
  if (systemUser.userType === 'agent') {
    throw new RightsRefusal('system_user_misconfigured', {
      reason: 'the strategy accepted-request knows nothing about the clients of an agent: use another',
    });
  }
  const approved =
    (await altinn.requests.get('standard', systemUser.id, signal)) ??
    (await altinn.requests.get('agent', systemUser.id, signal)) ??
    // Made by the customer in the portal: it got what the system was registered with.
    (await altinn.register.get(systemId, signal));
  let { rights, packages } = { rights: approved?.rights ?? [], packages: codes(approved?.accessPackages ?? []) };
  const changes = [];
  for await (const change of altinn.requests.listChanges(systemId, signal)) {
    if (change.status === 'Accepted' && change.systemUserId?.toLowerCase() === systemUser.id) changes.push(change);
  }
  for (const change of changes.toSorted((a, b) => timeOf(a.created) - timeOf(b.created))) {
    const unwanted = new Set(codes(change.unwantedAccessPackages));
    rights = rights.filter((right) => !change.unwantedRights.some(sameRight(right))).concat(change.requiredRights);
    packages = packages.concat(codes(change.requiredAccessPackages)).filter((name) => !unwanted.has(name));
  }
  const { resource, action } = question;
  const allowed = isPackageUrn(resource)
    ? packages.includes(packageCode(resource))
    : rights.some((right) => right.resource === resource && (right.action === undefined || right.action === action));
  return allowed ? { allowed } : { allowed, code: 'right_missing' };
};

export const RIGHT_SOURCES: Readonly<Record<RightsStrategy, RightSource>> = {
  pdp: pdpRights,
  'authorized-parties': partiesRights,
  'accepted-request': acceptedRights,
};

/** A right as it was answered, with when it was asked. */
export type TimedRight = RightAnswer & { readonly checkedAt: Date };

/** Answers about rights: a yes for 30 s, or as long as what it was asked with lives, and a no for 2 s. */
export function rightMemory(clock: Clock, maxEntries: number): AnswerMemory<TimedRight> {
  return new AnswerMemory({
    clock,
    maxEntries,
    lifetime: (answer) => {
      if (!answer.allowed) return { forMs: NEGATIVE_MS, negative: true };
      const leftMs = answer.validUntil === undefined ? Infinity : answer.validUntil.getTime() - clock.wallMs();
      return { forMs: Math.max(Math.min(POSITIVE_MS, leftMs), 0), negative: false };
    },
  });
}

/** The client of an agent is missing, or the client is there and the right is not: the next steps differ. */
async function explainNo(context: RightContext, party: string): Promise<RightAnswer> {
  const { altinn, key, systemUser, signal } = context;
  if (isAboutItself(systemUser, party)) return NOT_FOR_ITSELF;
  if (systemUser.userType !== 'agent') return { allowed: false, code: 'right_missing' };
  // That it is a no is certain; that it can be explained is not, where the scope for this question is not granted.
  const isClient = await altinn.parties.all(key, signal).then(
    ({ parties }) => parties.some((entry) => entry.organisation === party && entry.hasAccess),
    () => false,
  );
  return { allowed: false, code: isClient ? 'right_missing' : 'client_not_delegated' };
}

/** An agent acts for its own organisation only after that was delegated to it by itself (Altinn, access management). */
const isAboutItself = ({ userType, organisation }: SystemUser, party: string): boolean =>
  userType === 'agent' && party === organisation;

const NOT_FOR_ITSELF: RightAnswer = { allowed: false, code: 'right_missing', ownOrganisation: true };

const codes = (packages: readonly string[]): readonly string[] => packages.map(packageCode);

const timeOf = (date: Date | undefined): number => date?.getTime() ?? 0;

const sameRight =
  (right: Right) =>
  (other: Right): boolean =>
    right.resource === other.resource && (other.action === undefined || other.action === right.action);
