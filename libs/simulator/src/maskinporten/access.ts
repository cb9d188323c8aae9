import { Collection, organisationNumber, record, scopeName } from '../kernel/index.js';

/** An organisation that the API's owner has not given access to a scope (MP-250). */
export interface UngrantedInput {
  orgno: string;
  scope: string;
}

const readUngranted = record({ orgno: organisationNumber, scope: scopeName });
export type Ungranted = ReturnType<typeof readUngranted>;

export const ungrantedKey = (orgno: string, scope: string): string => `${orgno} ${scope}`;

export const ungrantedCollection = (): Collection<Ungranted, UngrantedInput> =>
  new Collection({ name: 'ungranted', read: readUngranted, key: ({ orgno, scope }) => ungrantedKey(orgno, scope) });

/** What a consumer has delegated to a supplier in Altinn; without it `consumer_org` is refused with MP-251. */
export interface DelegationInput {
  consumer: string;
  supplier: string;
  scope: string;
}

const readDelegation = record({ consumer: organisationNumber, supplier: organisationNumber, scope: scopeName });
export type Delegation = ReturnType<typeof readDelegation>;

export const delegationKey = ({ consumer, supplier, scope }: Delegation): string => `${consumer} ${supplier} ${scope}`;

export const delegationCollection = (): Collection<Delegation, DelegationInput> =>
  new Collection({ name: 'delegations', read: readDelegation, key: delegationKey });
