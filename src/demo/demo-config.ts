import type { SimulatorConfig } from 'maskinporten-simulator';

/** A made-up vendor: whoever runs the service. */
const VENDOR = '310000019';
export const SYSTEM_ID = `${VENDOR}_demo`;

interface Customer {
  readonly orgno: string;
  readonly name: string;
}

/** Has not approved anything yet. */
export const NEW_CUSTOMER: Customer = { orgno: '310000027', name: 'Fjord Fisk AS' };
/** Approved the system long ago. */
const OLD_CUSTOMER: Customer = { orgno: '310000043', name: 'Bakkene Bakeri AS' };
export const CUSTOMERS: readonly Customer[] = [NEW_CUSTOMER, OLD_CUSTOMER];

/** Resources that the system's customers are asked for. */
const RIGHTS = ['ske-krav-og-betalinger', 'app_ttd_returns'];

const SCOPES = [
  'altinn:broker.read',
  'altinn:broker.write',
  'skatteetaten:kravogbetalinger',
  'altinn:instances.read',
  'altinn:instances.write',
  'altinn:authentication/systemuser.request.read',
  'altinn:authentication/systemuser.request.write',
  'altinn:authentication/systemregister.write',
  'altinn:authorization/authorize',
  'altinn:accessmanagement/authorizedparties',
];

/** One client and its system, with two customers. */
export function demoConfig(client: {
  readonly clientId: string;
  readonly jwk: object;
  readonly subscriptionKey: string;
}): SimulatorConfig {
  const { clientId, jwk, subscriptionKey } = client;
  return {
    clients: [{ clientId, orgno: VENDOR, jwks: { keys: [jwk] }, scopes: SCOPES }],
    systems: [{ id: SYSTEM_ID, vendor: VENDOR, clientIds: [clientId], rights: RIGHTS }],
    systemUsers: [{ systemId: SYSTEM_ID, orgno: OLD_CUSTOMER.orgno, rights: RIGHTS }],
    organisations: [{ orgno: VENDOR, name: 'Demo Regnskap AS' }, ...CUSTOMERS],
    altinn: { subscriptionKeys: [subscriptionKey] },
  };
}
