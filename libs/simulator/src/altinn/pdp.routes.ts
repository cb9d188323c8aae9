import type { FastifyInstance } from 'fastify';
import { isRecord, logEntryOf } from '../kernel/index.js';
import type { AltinnState } from './altinn-state.js';
import { authenticate, note } from './caller.js';
import { type Question, type Verdict, decide } from './decide.js';
import { type Category, type DecisionRequest, readDecisionRequest } from './decision-request.js';
import type { Resource } from './registry.js';
import { PDP_SCOPES } from './scopes.js';

const KEY_HEADER = 'ocp-apim-subscription-key';

function obligation(number: 1 | 2, category: string, level: number): object {
  return {
    id: `urn:altinn:obligation:authenticationLevel${number}`,
    attributeAssignment: [
      {
        attributeId: `urn:altinn:obligation-assignment:${number}`,
        value: String(level),
        category,
        dataType: 'http://www.w3.org/2001/XMLSchema#integer',
        issuer: null,
      },
    ],
  };
}

const obligationsOf = (resource: Resource): readonly object[] => [
  obligation(1, 'urn:altinn:minimum-authenticationlevel', resource.minimumLevel),
  obligation(2, 'urn:altinn:minimum-authenticationlevel-org', resource.minimumLevelOrg),
];

/** Attributes that the caller wants to see again, by category. */
function echoed({ subject, action, resource }: Question): readonly object[] | null {
  const named = [
    ['urn:oasis:names:tc:xacml:1.0:subject-category:access-subject', subject],
    ['urn:oasis:names:tc:xacml:3.0:attribute-category:action', action],
    ['urn:oasis:names:tc:xacml:3.0:attribute-category:resource', resource],
  ] as const;
  const wanted = named.flatMap(([categoryId, category]) => {
    const attribute = (category?.attributes ?? [])
      .filter(({ includeInResult }) => includeInResult)
      .map(({ attributeId, value }) => ({ attributeId, value, issuer: null, dataType: null, includeInResult: true }));
    return attribute.length === 0 ? [] : [{ categoryId, id: null, content: null, attribute }];
  });
  return wanted.length === 0 ? null : wanted;
}

function result(verdict: Verdict, question?: Question): object {
  return {
    decision: verdict.decision,
    status: {
      statusMessage: null,
      statusDetails: null,
      statusCode: { value: `urn:oasis:names:tc:xacml:1.0:status:${verdict.status}`, statusCode: null },
    },
    obligations: verdict.resource === undefined ? null : obligationsOf(verdict.resource),
    associateAdvice: null,
    category: question === undefined ? null : echoed(question),
    policyIdentifierList: null,
  };
}

const pick = (from: readonly Category[], ids: readonly string[]): Category | undefined =>
  from.find(({ id }) => id !== undefined && ids.includes(id));

/** The questions of a request: one, or from two references on, one per reference in their order. */
function questionsOf({ subjects, actions, resources, references }: DecisionRequest): readonly Question[] {
  if (references.length < 2) return [{ subject: subjects[0], action: actions[0], resource: resources[0] }];
  return references.map((ids) => ({
    subject: pick(subjects, ids),
    action: pick(actions, ids),
    resource: pick(resources, ids),
  }));
}

function pascal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pascal);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, content]) => [name.charAt(0).toUpperCase() + name.slice(1), pascal(content)]),
  );
}

/** May this subject do this action on this resource for this party? (Altinn, access control) */
export function pdpRoutes(app: FastifyInstance, altinn: AltinnState): void {
  app.post('/authorization/api/v1/authorize', async (request, reply) => {
    logEntryOf(request).kind = 'call';
    const key = request.headers[KEY_HEADER];
    const { subscriptionKeys, pdpCase } = altinn.settings.current;
    const accepted =
      typeof key === 'string' && key !== '' && (subscriptionKeys.length === 0 || subscriptionKeys.includes(key));
    note(request, 'subscription_key', accepted);
    // The gateway answers before Altinn sees the request (Azure API Management).
    if (!accepted) {
      const message = `Access denied due to ${key === undefined ? 'missing' : 'invalid'} subscription key.`;
      return reply.code(401).send({ statusCode: 401, message });
    }
    const caller = await authenticate(request, reply, altinn, { scopes: PDP_SCOPES, token: 'altinn' });
    if (caller === undefined) return reply;
    const asked = readDecisionRequest(request.body);
    const unreadable: Verdict = { decision: 'Indeterminate', status: 'syntax-error', reason: 'there is no request' };
    const questions = asked === undefined ? [] : questionsOf(asked);
    const verdicts = questions.map((question) => decide(question, altinn));
    const fault = asked === undefined ? unreadable : verdicts.find(({ decision }) => decision === 'Indeterminate');
    for (const { decision, reason } of fault === undefined ? verdicts : [fault]) {
      note(request, 'decision', decision === 'Permit', `${decision}: ${reason}`);
    }
    // One part that cannot be evaluated makes the whole answer a single Indeterminate.
    const response =
      fault === undefined ? verdicts.map((verdict, index) => result(verdict, questions[index])) : [result(fault)];
    const document = { response };
    return reply.send(pdpCase === 'pascal' ? pascal(document) : document);
  });
}
