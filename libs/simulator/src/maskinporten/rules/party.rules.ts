import { isRecord, organisationIdentifier } from '../../kernel/index.js';
import type { Grant } from '../grant.js';
import type { MaskinportenState } from '../maskinporten-state.js';
import { customerConfiguration } from '../refusal.js';
import { CONSENT, SYSTEM_USER, onlyElement } from './authorization-details.rules.js';
import { type Rule, type Verdict, established } from './rule.js';
import { consumerOf } from './scope.rules.js';

/** Maskinporten asks Altinn for client id, vendor, owner and external reference, on every request (Digdir, system user). */
function systemUser(element: Readonly<Record<string, unknown>>, grant: Grant, state: MaskinportenState): Verdict {
  const client = established(grant.client);
  const { systemuser_org: ownerIdentifier, externalRef } = element;
  const owner = isRecord(ownerIdentifier) ? String(ownerIdentifier['ID']).slice(5) : '';
  const reference = typeof externalRef === 'string' && externalRef !== '' ? externalRef : owner;
  const found = state.systemUsers.list().find((user) => {
    const system = state.systems.get(user.systemId);
    return (
      user.orgno === owner &&
      user.externalRef === reference &&
      system?.vendor === client.orgno &&
      !system.isDeleted &&
      system.clientIds.includes(client.clientId)
    );
  });
  if (found === undefined) {
    return customerConfiguration(
      `System user not found for organisation ${owner}, external reference ${reference} and client ${client.clientId}`,
    );
  }
  grant.details = {
    type: SYSTEM_USER,
    systemuser_id: [found.id],
    systemuser_org: organisationIdentifier(owner),
    system_id: found.systemId,
    // Echoed when it was sent, as captured tokens show.
    ...(externalRef !== undefined && { externalRef }),
  };
  return `system user ${found.id}`;
}

function consent(element: Readonly<Record<string, unknown>>, grant: Grant, state: MaskinportenState): Verdict {
  const { id, from } = element;
  const registered = state.consents.list();
  const consumer = consumerOf(grant.claims, established(grant.client).orgno);
  const given = registered.find(
    (candidate) =>
      candidate.id.toLowerCase() === String(id).toLowerCase() &&
      candidate.from === from &&
      candidate.status === 'Accepted' &&
      // Given to the owner of the client or of the delegated scope; Altinn's code takes who handled the request too.
      (candidate.to === undefined || candidate.to === consumer || candidate.handledBy === consumer),
  );
  const validTo = given?.validTo ?? isoAfter(grant.nowSeconds, 86_400);
  // Without any `consents` in the configuration every consent counts as given. The refusal's code is inferred.
  if ((registered.length > 0 && given === undefined) || Date.parse(validTo) <= grant.nowSeconds * 1000) {
    return customerConfiguration(`Consent ${String(id)} not found or no longer valid`);
  }
  const anyRight = { action: ['consent'], resource: [{ type: 'urn:altinn:resource', value: 'simulated-consent' }] };
  grant.details = {
    type: CONSENT,
    id,
    from,
    to: organisationIdentifier(consumer),
    consented: given?.consented ?? isoAfter(grant.nowSeconds, -3600),
    validTo,
    consentRights: given?.consentRights ?? [anyRight],
  };
  return undefined;
}

function isoAfter(nowSeconds: number, seconds: number): string {
  return new Date((Math.floor(nowSeconds) + seconds) * 1000).toISOString().replace('.000Z', '+00:00');
}

/** What Maskinporten asks Altinn: is there such a system user, was such a consent given? */
export const partyRules: readonly Rule[] = [
  {
    check: 'authorization_details.party',
    needs: ['authorization_details.fields', 'client.known', 'consumer_org'],
    run: (grant, state) => {
      const element = onlyElement(grant.claims);
      if (element === undefined) return undefined;
      return element['type'] === SYSTEM_USER ? systemUser(element, grant, state) : consent(element, grant, state);
    },
  },
];
