import { clockFinding, expiryFindings, type Finding } from '../findings/index.js';
import { isMaskinportenError } from '../errors/index.js';
import type { Clock } from '../basics/index.js';
import { daysLeft, expiryTier } from '../keys/index.js';
import type { TokenEvent, TokenServiceStatus, WatchedTokenService } from '../signals/index.js';
import { REPORT_PARTS, type ClientReport, type FaultReport, type ReportPart } from './client-report.js';
import { ExpiryNotices, type ExpiryNotice } from './expiry-notices.js';
import { FaultMemory, type RememberedFault } from './fault-memory.js';
import { stateOfTier, worst, type HealthState } from './health-state.js';

/** Above this the clock of the machine needs somebody's attention (docs/health.md, F-100). */
const CLOCK_NOTICE_MS = 5_000;

type LastToken = NonNullable<ClientReport['tokens']['last']>;

interface IssuerCheck {
  readonly at: string;
  readonly latencyMs: number;
  /** Set when it failed. */
  readonly code?: string | undefined;
}

/**
 * The health of one client: what its token events and the background checks have shown, put together when somebody
 * asks. Asking costs no I/O.
 */
export class ClientHealth {
  readonly #service: WatchedTokenService;
  readonly #clock: Clock;
  readonly #faults = new FaultMemory();
  readonly #notices = new ExpiryNotices();
  readonly #stopListening: () => void;
  #lastToken: LastToken | undefined;
  #lastCheck: IssuerCheck | undefined;

  constructor(service: WatchedTokenService, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#stopListening = service.onEvent((event) => this.#listen(event));
  }

  close(): void {
    this.#stopListening();
  }

  /** Asks the issuer for its public metadata. Never throws: what goes wrong is the result. */
  async check(signal: AbortSignal): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    let code: string | undefined;
    try {
      await this.#service.checkIssuer({ signal });
    } catch (error) {
      // The only one who stops a check is its own deadline.
      code = isMaskinportenError(error) && error.code !== 'MP_ABORTED' ? error.code : 'MP_TIMEOUT';
    }
    const nowMs = this.#clock.monotonicMs();
    if (code === undefined) this.#faults.issuerAnswered(nowMs);
    const latencyMs = Math.round(nowMs - startedMs);
    this.#lastCheck = { at: this.#now(), latencyMs, code };
  }

  /** What has to be said about the ends of certificate and key, once each. */
  notices(): ExpiryNotice[] {
    const { identity, ends } = this.#service.status.key;
    return this.#notices.due(identity, ends, this.#clock.wallMs());
  }

  /** @param parts what the overall status is made from; the rest is reported all the same. */
  report(parts: readonly ReportPart[] = REPORT_PARTS): ClientReport {
    const status = this.#service.status;
    const faults = this.#faults.current(this.#clock.monotonicMs());
    const report = {
      issuer: this.#issuer(status),
      tokens: this.#tokens(status, faults),
      key: keyOf(status, faults),
      expiry: this.#expiry(status),
      clock: clockOf(status),
      circuit: circuitOf(status),
    };
    const states = parts.map((part) => report[part].status).filter((state) => state !== 'unknown');
    const findings = this.#findings(status);
    return { status: worst(states), ...report, ...(findings.length === 0 ? {} : { findings }) };
  }

  #listen(event: TokenEvent): void {
    if (event.type === 'token-obtained') {
      this.#faults.succeeded(event);
      this.#lastToken = { outcome: 'obtained', at: this.#now() };
    } else if (event.type === 'token-refused' && event.error.code !== 'MP_ABORTED') {
      const { error } = event;
      this.#faults.failed(error, event, this.#clock.monotonicMs());
      const { code, mpCode } = error;
      this.#lastToken = { outcome: 'refused', at: this.#now(), code, mpCode };
    }
  }

  #issuer({ issuer: { identifier } }: TokenServiceStatus): ClientReport['issuer'] {
    const check = this.#lastCheck;
    if (check === undefined) return { status: 'unknown', identifier };
    const { at: checkedAt, latencyMs, code } = check;
    return {
      status: code === undefined ? 'up' : 'degraded',
      identifier,
      checkedAt,
      latencyMs,
      code,
    };
  }

  #tokens({ cachedTokens }: TokenServiceStatus, faults: readonly RememberedFault[]): ClientReport['tokens'] {
    const own = faults.filter(({ area }) => area !== 'key');
    return {
      status: worst(own.map(({ state }) => state)),
      cached: cachedTokens,
      last: this.#lastToken,
      faults: own.map(faultReport),
    };
  }

  #expiry({ key }: TokenServiceStatus): ClientReport['expiry'] {
    const nowMs = this.#clock.wallMs();
    const credentials = key.ends.map(({ what, endsAt, counts }) => {
      const days = daysLeft(endsAt, nowMs);
      return { what, tier: expiryTier(days), daysLeft: days, endsAt: endsAt.toISOString(), counts };
    });
    const counting = credentials.filter(({ counts }) => counts);
    return { status: worst(counting.map(({ tier }) => stateOfTier(tier))), credentials };
  }

  #findings({ key, clock }: TokenServiceStatus): Finding[] {
    const ends = key.ends.filter(({ counts }) => counts);
    return [...expiryFindings(ends, this.#clock.wallMs()), clockFinding(clock)].filter(
      ({ level }) => level === 'failed' || level === 'warning',
    );
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString();
  }
}

function faultReport({ area, code, mpCode, scopes }: RememberedFault): FaultReport {
  return { area, code, mpCode, scopes };
}

function keyOf(
  { key: { kid, fallback, reloadFailures } }: TokenServiceStatus,
  faults: readonly RememberedFault[],
): ClientReport['key'] {
  const refused = faults.find(({ area }) => area === 'key');
  const status: HealthState = refused?.state ?? (fallback || reloadFailures.length > 0 ? 'degraded' : 'up');
  return {
    status,
    kid: kid?.slice(0, 8),
    fallback,
    ...(reloadFailures.length === 0 ? {} : { reloadFailures }),
    code: refused?.code,
  };
}

function clockOf({ clock: { offsetMs } }: TokenServiceStatus): ClientReport['clock'] {
  return { status: Math.abs(offsetMs) > CLOCK_NOTICE_MS ? 'degraded' : 'up', offsetMs };
}

/** Only an open circuit refuses calls; after its time the next call finds out. */
function circuitOf({ circuits }: TokenServiceStatus): ClientReport['circuit'] {
  const open = Object.values(circuits).includes('open');
  return { status: open ? 'degraded' : 'up', ...circuits };
}
