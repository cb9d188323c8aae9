import { redact } from '../basics/index.js';
import type { TokenEvent, TokenServiceStatus, WatchedTokenService } from '../signals/index.js';
import {
  BACKGROUND,
  CLIENT,
  CREDENTIAL,
  ERROR_TYPE,
  INSTRUMENTS,
  KIND,
  LOOKUP,
  MP_CODE,
  OUTCOME,
  PRIORITY,
  SECURITY_EVENT,
} from './instrument.js';
import type { Instrument } from './instrument.js';
import type { Attributes, FinishedSpan, Measurement, TelemetrySink } from './telemetry-sink.js';

const DAY_MS = 86_400_000;
/** Maskinporten's codes; what a server sends instead must not make a series of its own. */
const KNOWN_MP_CODE = /^MP-\d{3}$/;
/** Organisation numbers, should a scope ever hold one; a metric has none of them either (T-11). */
const LONG_NUMBER = /\d{9,}/g;

type Ended = Extract<TokenEvent, { type: 'token-obtained' | 'token-refused' }>;

/** Measures one client: events as they come, everything else when it is collected. */
export function watchClient(
  name: string,
  service: WatchedTokenService,
  sink: TelemetrySink,
  wallMs: () => number = Date.now,
): () => void {
  const client = { [CLIENT]: name };
  const stopListening = service.onEvent((event) => {
    if (event.type === 'token-obtained' || event.type === 'token-refused') measure(event, client, sink, wallMs);
    else if (event.type === 'security')
      sink.add(INSTRUMENTS.securityEvents, 1, { ...client, [SECURITY_EVENT]: event.what });
  });
  const observe = (
    instrument: Instrument,
    read: (status: TokenServiceStatus) => readonly Measurement[],
  ): (() => void) => sink.observe(instrument, () => read(service.status));
  const one = (read: (status: TokenServiceStatus) => number) => (status: TokenServiceStatus) => [
    { value: read(status), attributes: client },
  ];
  const stops = [
    stopListening,
    observe(
      INSTRUMENTS.cacheHits,
      one(({ counts }) => counts.hits),
    ),
    observe(
      INSTRUMENTS.cacheWaits,
      one(({ counts }) => counts.waits),
    ),
    observe(
      INSTRUMENTS.cacheRefreshes,
      one(({ counts }) => counts.refreshes),
    ),
    observe(
      INSTRUMENTS.cacheEvictions,
      one(({ counts }) => counts.evictions),
    ),
    observe(INSTRUMENTS.storeLookups, ({ store }) =>
      Object.entries(store?.counts ?? {}).map(([result, value]) => ({
        value,
        attributes: { ...client, [LOOKUP]: result },
      })),
    ),
    observe(INSTRUMENTS.connectionsWaiting, ({ connections: { waiting } }) =>
      Object.entries(waiting).map(([priority, value]) => ({ value, attributes: { ...client, [PRIORITY]: priority } })),
    ),
    observe(
      INSTRUMENTS.listenerFailures,
      one(({ counts }) => counts.listenerFailures),
    ),
    observe(
      INSTRUMENTS.cachedTokens,
      one(({ cachedTokens }) => cachedTokens),
    ),
    observe(
      INSTRUMENTS.clockOffset,
      one(({ clock }) => clock.offsetMs / 1000),
    ),
    observe(INSTRUMENTS.circuitOpen, ({ circuits }) =>
      Object.entries(circuits).map(([kind, state]) => ({
        value: state === 'open' ? 1 : 0,
        attributes: { ...client, [KIND]: kind },
      })),
    ),
    observe(INSTRUMENTS.credentialExpiry, ({ key }) =>
      key.ends
        .filter(({ counts }) => counts)
        .map(({ what, endsAt }) => ({
          value: (endsAt.getTime() - wallMs()) / DAY_MS,
          attributes: { ...client, [CREDENTIAL]: what },
        })),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function measure(event: Ended, client: Attributes, sink: TelemetrySink, wallMs: () => number): void {
  const { kind, background } = event;
  const { attempts, elapsedMs } = event.type === 'token-obtained' ? event : event.error;
  const common = {
    ...client,
    [KIND]: kind,
    [OUTCOME]: event.type === 'token-obtained' ? 'obtained' : 'refused',
    [BACKGROUND]: background,
  };
  sink.add(INSTRUMENTS.tokenRequests, 1, { ...common, ...errorAttributes(event) });
  if (attempts !== undefined && attempts > 0) {
    sink.add(INSTRUMENTS.tokenAttempts, attempts, { ...client, [KIND]: kind });
  }
  // A refusal that nobody was asked for (an open circuit) took no time and would only blur the picture.
  if (elapsedMs === undefined || attempts === 0) return;
  sink.record(INSTRUMENTS.tokenDuration, elapsedMs / 1000, common);
  sink.span?.(spanOf(event, common, wallMs(), elapsedMs, attempts));
}

function errorAttributes(event: Ended): Attributes {
  if (event.type === 'token-obtained') return {};
  const { code, mpCode } = event.error;
  return {
    [ERROR_TYPE]: code,
    ...(mpCode !== undefined && KNOWN_MP_CODE.test(mpCode) ? { [MP_CODE]: mpCode } : {}),
  };
}

/**
 * A token request is shared by all who want its token, so its span belongs to no caller's trace: it is a root, reported
 * when it is over.
 */
function spanOf(
  event: Ended,
  common: Attributes,
  endMs: number,
  elapsedMs: number,
  attempts: number | undefined,
): FinishedSpan {
  const facts =
    event.type === 'token-obtained'
      ? { jti: event.jti, kid: event.kid }
      : { kid: event.error.kid, traceId: event.error.traceId };
  return {
    name: 'maskinporten token',
    startMs: endMs - elapsedMs,
    endMs,
    attributes: {
      ...common,
      ...errorAttributes(event),
      'maskinporten.scopes': event.scopes.map((scope) => redact(scope).replaceAll(LONG_NUMBER, '…')),
      ...(attempts === undefined ? {} : { 'maskinporten.attempts': attempts }),
      ...given('maskinporten.grant.jti', 'jti' in facts ? facts.jti : undefined),
      ...given('maskinporten.kid', facts.kid?.slice(0, 8)),
      ...given('maskinporten.trace_id', 'traceId' in facts ? facts.traceId : undefined),
    },
    ...(event.type === 'token-refused' ? { errorType: event.error.code } : {}),
  };
}

const given = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value };
