import { isRecord } from '../kernel/index.js';
import { asText } from './wire.js';

export interface Attribute {
  readonly attributeId: string;
  readonly value: string;
  readonly includeInResult: boolean;
}

/** One category of a XACML request, such as one subject. */
export interface Category {
  readonly id: string | undefined;
  readonly attributes: readonly Attribute[];
}

/** XACML 3.0 JSON Profile, as far as Altinn's clients use it. */
export interface DecisionRequest {
  readonly subjects: readonly Category[];
  readonly actions: readonly Category[];
  readonly resources: readonly Category[];
  /** Ids of each reference. */
  readonly references: readonly (readonly string[])[];
}

/** Property names count without regard to case (Altinn, access control). */
function member(value: unknown, name: string): unknown {
  if (!isRecord(value)) return undefined;
  const key = Object.keys(value).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : value[key];
}

function items(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function category(value: unknown): Category {
  const id = member(value, 'id');
  return {
    id: typeof id === 'string' ? id : undefined,
    attributes: items(member(value, 'attribute')).map((attribute) => ({
      attributeId: asText(member(attribute, 'attributeid')),
      value: asText(member(attribute, 'value')),
      includeInResult: member(attribute, 'includeinresult') === true,
    })),
  };
}

/** `undefined` for a body that holds no request. */
export function readDecisionRequest(body: unknown): DecisionRequest | undefined {
  const request = member(body, 'request');
  if (!isRecord(request)) return undefined;
  const categories = (name: string): readonly Category[] => items(member(request, name)).map(category);
  return {
    subjects: categories('accesssubject'),
    actions: categories('action'),
    resources: categories('resource'),
    references: items(member(member(request, 'multirequests'), 'requestreference')).map((reference) =>
      items(member(reference, 'referenceid')).map(asText),
    ),
  };
}
