import { Collection, isRecord, oneOf } from '../kernel/index.js';

/** What the real service has been seen to let pass although its documentation says otherwise. */
const TOLERANCES = ['nbf', 'sub', 'missing-jti', 'leaf-only-x5c', 'iss_onbehalfof', 'query-parameters'] as const;
export type Tolerance = (typeof TOLERANCES)[number];

const readName = oneOf(...TOLERANCES);

export type Tolerances = Collection<{ readonly name: Tolerance }, Tolerance | { readonly name: Tolerance }>;

export const toleranceCollection = (): Tolerances =>
  new Collection({
    name: 'tolerate',
    read: (value, field) => ({
      name: isRecord(value) ? readName(value['name'], field === '' ? 'name' : `${field}.name`) : readName(value, field),
    }),
    key: ({ name }) => name,
  });

/** What a refusal adds when a switch would let the grant pass: nobody should have to guess that there is one. */
export const switchHint = (...names: readonly Tolerance[]): string =>
  ` The simulator lets it pass with "tolerate": ${JSON.stringify(names)}.`;

/** What the log says of a check that passed only because of a switch. */
export const tolerated = (name: string): string => `tolerated: ${name}`;
