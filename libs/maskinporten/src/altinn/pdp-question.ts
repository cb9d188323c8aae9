/** May this system user do this action on this resource for this party? */
export interface PdpQuestion {
  /** UUID. */
  readonly systemUserId: string;
  /** Id in the resource registry; an app is `app_{org}_{app}`. */
  readonly resource: string;
  readonly action: string;
  /** Organisation that is acted for: nine digits. */
  readonly party: string;
}

const attribute = (id: string, value: string): object => ({ AttributeId: id, Value: value });

// The system user must be the only subject attribute: with two, the answer is Indeterminate (Altinn, access control).
const subject = ({ systemUserId }: PdpQuestion): object => ({
  Attribute: [attribute('urn:altinn:systemuser:uuid', systemUserId)],
});
const action = (question: PdpQuestion): object => ({
  Attribute: [
    {
      ...attribute('urn:oasis:names:tc:xacml:1.0:action:action-id', question.action),
      DataType: 'http://www.w3.org/2001/XMLSchema#string',
    },
  ],
});
const resource = (question: PdpQuestion): object => ({
  Attribute: [
    attribute('urn:altinn:resource', question.resource),
    attribute('urn:altinn:organization:identifier-no', question.party),
  ],
});

/**
 * The XACML JSON of one or more questions. Several references are used from two questions on only: with one, Altinn
 * ignores them and answers as if they were not there.
 */
export function pdpRequest(questions: readonly PdpQuestion[]): object {
  const [only] = questions;
  if (questions.length === 1 && only !== undefined) {
    return { Request: { AccessSubject: [subject(only)], Action: [action(only)], Resource: [resource(only)] } };
  }
  const named = (prefix: string, make: (question: PdpQuestion) => object): object[] =>
    questions.map((question, index) => ({ Id: `${prefix}${index + 1}`, ...make(question) }));
  return {
    Request: {
      AccessSubject: named('s', subject),
      Action: named('a', action),
      Resource: named('r', resource),
      MultiRequests: {
        RequestReference: questions.map((_, index) => ({
          ReferenceId: [`s${index + 1}`, `a${index + 1}`, `r${index + 1}`],
        })),
      },
    },
  };
}
