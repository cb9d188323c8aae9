import type {
  CallObservers,
  ClientRegistry,
  DelegationDecisions,
  HealthContributors,
  InboundCall,
  InboundCalls,
  OutboundCall,
  TokenEvent,
} from '../signals/index.js';
import type { AuditLog } from './audit-log.js';
import type { AuditEntry, AuditFacts } from './audit-record.js';

/** Where an application says what it does: as a client, as an API that others call, or as both. */
export interface AuditSources {
  readonly client?: {
    readonly clients: ClientRegistry;
    readonly decisions: DelegationDecisions;
    readonly observers: CallObservers;
    readonly contributors: HealthContributors;
  };
  readonly inbound?: InboundCalls | undefined;
}

/** What happens to a call for nobody else when its intent cannot be stored. */
export type OtherCalls = 'continue' | 'refuse';

/**
 * Writes what an application does into its log. A call by somebody else's right – a system user's, a `consumer_org`'s, a
 * consent, a person's – is made when its intent is stored, and not otherwise; a call for nobody else waits for the log
 * as long as that answers, and by `otherCalls` when it does not (F-133).
 *
 * @returns a function that ends it
 */
export function watchForAudit(log: AuditLog, sources: AuditSources, otherCalls: OtherCalls): () => void {
  const { client, inbound } = sources;
  const stops = [
    inbound?.onCall((call) => log.record(entryOf('inbound', inboundFacts(call)))),
    client && watchClient(log, client, otherCalls),
  ];
  return () => {
    for (const stop of stops.splice(0)) stop?.();
  };
}

function watchClient(
  log: AuditLog,
  { clients, decisions, observers, contributors }: NonNullable<AuditSources['client']>,
  otherCalls: OtherCalls,
): () => void {
  const stops = [
    decisions.onDecision((decision, facts) => log.record(entryOf('delegation', { decision, ...facts }))),
    observers.add({
      before: (call) => {
        const intent = entryOf('call-intent', factsOf(call));
        if (call.delegated || otherCalls === 'refuse') return log.write(intent, { required: true });
        return log.offer(intent).then(() => undefined);
      },
      after: (call, outcome) => log.record(entryOf('call-outcome', { ...factsOf(call), ...outcome })),
    }),
    contributors.add({
      name: 'audit',
      report: () => {
        const { state, pending, lost, conflicts, lastErrorCode } = log.status();
        if (state === 'opening') return { status: 'degraded', details: { pending, lost, opening: true } };
        const details = { pending, lost, ...(state === 'up' ? {} : { conflicts, errorCode: lastErrorCode }) };
        return { status: state, details };
      },
    }),
  ];
  stops.push(
    clients.watch(({ name: client, tokens }) => {
      stops.push(
        tokens.onEvent((event) => {
          const facts = tokenFacts(event);
          if (facts !== undefined) log.record(entryOf('token', { client, ...facts }));
        }),
      );
    }),
  );
  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}

type Loose = { readonly [Member in keyof AuditFacts]?: AuditFacts[Member] | undefined };

/** An entry whose undefined members are left out, as the types of others are looser than ours. */
function entryOf(kind: AuditEntry['kind'], facts: Loose): AuditEntry {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  return { kind, ...(Object.fromEntries(known) as AuditFacts) };
}

/** The consumer is whose access it is, and the caller whoever calls for it. */
function inboundFacts(call: InboundCall): Loose {
  const { outcome, requestId, method, route, consumer, supplier, customer, scopes, jti, resource, action } = call;
  return {
    decision: outcome,
    requestId,
    caller: supplier ?? consumer,
    organisation: consumer,
    party: customer,
    scopes,
    method,
    pathTemplate: route,
    jti,
    resource,
    action,
  };
}

function factsOf(call: OutboundCall): Loose {
  const { id, context, client, method, host, pathTemplate, scopes, organisation, party, tokenJti, kid } = call;
  return {
    callId: id,
    requestId: context?.requestId,
    caller: context?.caller,
    client,
    organisation,
    party,
    scopes,
    method,
    host,
    pathTemplate,
    jti: tokenJti,
    kid,
  };
}

function tokenFacts(event: TokenEvent): Loose | undefined {
  if (event.type === 'token-obtained') {
    const { organisation, scopes, jti, kid, elapsedMs } = event;
    return { decision: 'obtained', organisation, scopes, jti, kid, durationMs: elapsedMs };
  }
  if (event.type !== 'token-refused') return undefined;
  const { organisation, scopes, error } = event;
  return {
    decision: 'refused',
    organisation,
    scopes,
    errorCode: error.code,
    jti: error.jti,
    kid: error.kid,
    durationMs: error.elapsedMs,
  };
}
