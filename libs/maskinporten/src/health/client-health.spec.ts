import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, type MaskinportenErrorCode } from '../errors/index.js';
import { ClientHealth } from './client-health.js';
import { stateOfTier } from './health-state.js';
import type { ClientReport } from './client-report.js';
import { faultEffect } from './fault-effect.js';
import { DAY_MS, error, HandClock, ScriptedService, START_MS } from './health.fixtures.js';

const never = new AbortController().signal;

function watched(): { service: ScriptedService; clock: HandClock; health: ClientHealth } {
  const service = new ScriptedService();
  const clock = new HandClock();
  return { service, clock, health: new ClientHealth(service, clock) };
}

describe('health column of the fault matrix', () => {
  const matrix: readonly [string, MaskinportenErrorCode, 'degraded' | 'down' | 'up', string?][] = [
    ['F-01: name not found', 'MP_NETWORK', 'degraded'],
    ['F-02: resolver busy', 'MP_NETWORK', 'degraded'],
    ['F-03: refused', 'MP_NETWORK', 'degraded'],
    ['F-04: reset before headers', 'MP_NETWORK', 'degraded'],
    ['F-06: unreachable', 'MP_NETWORK', 'degraded'],
    ['F-07: connect timeout', 'MP_TIMEOUT', 'degraded'],
    ['F-08: accepted but silent', 'MP_TIMEOUT', 'degraded'],
    ['F-09: body drips', 'MP_TIMEOUT', 'degraded'],
    ['F-10: body cut short', 'MP_NETWORK', 'degraded'],
    ['F-11: proxy refuses', 'MP_PROXY', 'degraded'],
    ['F-12: egress policy', 'MP_EGRESS_BLOCKED', 'down'],
    ['F-13: caller aborts', 'MP_ABORTED', 'up'],
    ['F-20: certificate of the server has expired', 'MP_TLS', 'degraded'],
    ['F-21: certificate of another host', 'MP_TLS', 'degraded'],
    ['F-22: self-signed', 'MP_TLS', 'degraded'],
    ['F-23: TLS protocol error', 'MP_TLS', 'degraded'],
    ['F-24: reset in handshake', 'MP_NETWORK', 'degraded'],
    ['F-30: any 3xx', 'MP_REDIRECT', 'degraded'],
    ['F-31: 200 with HTML', 'MP_PROTOCOL', 'degraded'],
    ['F-32: 200, bad JSON', 'MP_PROTOCOL', 'degraded'],
    ['F-33: ill-formed token', 'MP_PROTOCOL', 'degraded'],
    ['F-34: bad expires_in', 'MP_PROTOCOL', 'degraded'],
    ['F-35: fewer scopes than asked', 'MP_SCOPE_NOT_GRANTED', 'degraded'],
    ['F-36: too large', 'MP_PROTOCOL', 'degraded'],
    ['F-37: 408', 'MP_TIMEOUT', 'degraded'],
    ['F-38: 429', 'MP_THROTTLED', 'degraded'],
    ['F-39: 500, 502, 503, 504', 'MP_UPSTREAM', 'degraded'],
    ['F-40: 401 or 403 that is not OAuth JSON', 'MP_UPSTREAM_REJECTED', 'degraded'],
    ['F-41: 404, 405, 410', 'MP_CONFIG_ENDPOINT', 'degraded'],
    ['F-42: 501, 505, 511', 'MP_PROTOCOL', 'degraded'],
    ['F-50: client unknown', 'MP_CLIENT_UNKNOWN', 'degraded', 'MP-100'],
    ['F-51: audience', 'MP_AUDIENCE', 'degraded', 'MP-110'],
    ['F-52: certificate', 'MP_CERTIFICATE', 'degraded', 'MP-120'],
    ['F-53: key expired', 'MP_KEY_EXPIRED', 'down', 'MP-121'],
    ['F-54: signature', 'MP_SIGNATURE', 'down', 'MP-124'],
    ['F-55: own organisation as consumer_org', 'MP_REQUEST', 'degraded', 'MP-011'],
    ['F-56: used before, again after the retry', 'MP_REPLAY', 'degraded', 'MP-012'],
    ['F-57: clock', 'MP_CLOCK', 'degraded', 'MP-130'],
    ['F-58: scope', 'MP_SCOPE', 'degraded', 'MP-200'],
    ['F-59: not granted', 'MP_NOT_GRANTED', 'up', 'MP-250'],
    ['F-60: not delegated', 'MP_NOT_DELEGATED', 'up', 'MP-251'],
    ['F-61: MP-301', 'MP_REQUEST', 'up', 'MP-301'],
    ['F-61: MP-302', 'MP_REQUEST', 'up', 'MP-302'],
    ['F-62: no usable system user', 'MP_SYSTEMUSER_MISSING', 'up', 'MP-303'],
    ['F-63: other 400', 'MP_OAUTH', 'degraded'],
  ];

  it.each(matrix.map(([name, code, expected, mpCode]) => ({ name, code, expected, mpCode })))(
    '$name: $code is $expected in the details',
    ({ code, expected, mpCode }) => {
      const { service, health } = watched();
      service.refused(error(code, mpCode === undefined ? {} : { mpCode, oauthError: 'invalid_grant' }));
      expect(health.report().status).toBe(expected);
      service.obtained();
      expect(health.report().status).toBe('up');
    },
  );

  it('names every code that a request which was sent can end with', () => {
    const neverSent = ['MP_CONFIG', 'MP_NO_CONTEXT', 'MP_DESTINATION', 'MP_AUDIT', 'MP_CERTIFICATE_EXPIRED'];
    const named = new Set<string>(matrix.map(([, code]) => code));
    expect(
      Object.keys(ERROR_CODES)
        .filter((code) => !named.has(code))
        .toSorted(),
    ).toEqual(neverSent.toSorted());
  });

  it('F-56: a grant that was refused as used and then accepted leaves no mark', () => {
    const { service, health } = watched();
    service.emit({
      type: 'attempt-failed',
      kind: 'plain',
      scopes: ['acme:read'],
      error: error('MP_REPLAY'),
      attempt: 1,
      willRetry: true,
    });
    expect(health.report().status).toBe('up');
  });

  it('F-58: a scope that is refused does not go away because another one works', () => {
    const { service, health } = watched();
    service.refused(error('MP_SCOPE', { mpCode: 'MP-200', oauthError: 'invalid_scope' }), 'plain', ['acme:typo']);
    service.obtained('plain', ['acme:read']);
    expect(health.report().tokens).toMatchObject({
      status: 'degraded',
      faults: [{ area: 'request', code: 'MP_SCOPE', mpCode: 'MP-200', scopes: ['acme:typo'] }],
    });
    service.obtained('plain', ['acme:typo']);
    expect(health.report().status).toBe('up');
  });

  it('F-64: a customer without access changes nothing, and proves that the service is there', () => {
    const { service, health } = watched();
    service.refused(error('MP_UPSTREAM'));
    expect(health.report().status).toBe('degraded');
    service.refused(error('MP_NOT_DELEGATED', { oauthError: 'forbidden', mpCode: 'MP-251' }));
    expect(health.report().status).toBe('up');
  });
});

describe('the health of a client', () => {
  it('F-70: is degraded while the metadata cannot be read, although nothing else is wrong', async () => {
    const { service, health } = watched();
    expect(health.report()).toMatchObject({ status: 'up', issuer: { status: 'unknown' } });
    service.issuerError = error('MP_NETWORK');
    await health.check(never);
    service.obtained();
    expect(health.report()).toMatchObject({ status: 'degraded', issuer: { status: 'degraded', code: 'MP_NETWORK' } });
    service.issuerError = undefined;
    await health.check(never);
    expect(health.report()).toMatchObject({ status: 'up', issuer: { status: 'up' } });
  });

  it('calls a check that was stopped by its deadline a timeout', async () => {
    const { service, health } = watched();
    service.issuerError = error('MP_ABORTED');
    await health.check(never);
    expect(health.report().issuer).toMatchObject({ status: 'degraded', code: 'MP_TIMEOUT' });
  });

  it('survives an error that is none of ours', async () => {
    const { service, health } = watched();
    service.checkIssuer = async () => Promise.reject(new Error('secret-canary'));
    await health.check(never);
    expect(JSON.stringify(health.report())).not.toContain('canary');
    expect(health.report().status).toBe('degraded');
  });

  it('forgets an outage that nobody has met again once the issuer has answered', async () => {
    const { service, clock, health } = watched();
    service.refused(error('MP_TIMEOUT'));
    clock.advance(60_000);
    expect(health.report().status).toBe('degraded');
    await health.check(never);
    expect(health.report().status).toBe('up');
  });

  it('does not forget one that goes on although the issuer answers', async () => {
    const { service, clock, health } = watched();
    for (let second = 0; second < 120; second += 5) {
      service.refused(error('MP_UPSTREAM'));
      clock.advance(5_000);
      await health.check(never);
      expect(health.report().status).toBe('degraded');
    }
  });

  it('keeps an outage of system users apart from plain requests', () => {
    const { service, health } = watched();
    service.refused(error('MP_TIMEOUT'), 'system-user');
    service.obtained('plain');
    expect(health.report().status).toBe('degraded');
    service.obtained('system-user');
    expect(health.report().status).toBe('up');
  });

  it('forgets after ten minutes what nobody has asked for again, but never a refused key', () => {
    const { service, clock, health } = watched();
    service.refused(error('MP_SCOPE'), 'plain', ['acme:typo']);
    service.refused(error('MP_CLIENT_UNKNOWN'));
    service.refused(error('MP_KEY_EXPIRED'));
    clock.advance(10 * 60_000);
    expect(health.report().tokens.faults).toEqual([]);
    expect(health.report()).toMatchObject({ status: 'down', key: { status: 'down', code: 'MP_KEY_EXPIRED' } });
  });

  it('remembers a bounded number of refused scopes', () => {
    const { service, health } = watched();
    for (let index = 0; index < 1_000; index += 1) service.refused(error('MP_SCOPE'), 'plain', [`acme:${index}`]);
    expect(health.report().tokens.faults).toHaveLength(100);
  });

  it('F-100: is degraded when the clock is off by more than five seconds, either way', () => {
    const { service, health } = watched();
    const clockAt = (offsetMs: number): ClientReport['clock'] => {
      service.changes = { clock: { state: 'corrected', offsetMs } };
      return health.report().clock;
    };
    expect([clockAt(4_900), clockAt(-5_000)]).toMatchObject([{ status: 'up' }, { status: 'up' }]);
    expect([clockAt(5_100), clockAt(-6_000)]).toMatchObject([{ status: 'degraded' }, { status: 'degraded' }]);
  });

  it('is degraded while a circuit is open', () => {
    const { service, health } = watched();
    service.changes = { circuits: { plain: 'closed', 'system-user': 'open' } };
    expect(health.report()).toMatchObject({
      status: 'degraded',
      circuit: { status: 'degraded', 'system-user': 'open' },
    });
    service.changes = { circuits: { plain: 'half-open', 'system-user': 'closed' } };
    expect(health.report().status).toBe('up');
  });

  it('is degraded while a fallback key signs', () => {
    const { service, health } = watched();
    service.changes = {
      key: { kid: 'old-key-with-a-long-name', identity: 'kid:0', ends: [], fallback: true, reloadFailures: [] },
    };
    expect(health.report()).toMatchObject({ status: 'degraded', key: { status: 'degraded', kid: 'old-key-' } });
  });

  it('F-111, F-113: is degraded, with the setting and the reason, while a changed key file cannot be taken', () => {
    const { service, health } = watched();
    const key = { kid: 'k', identity: 'kid:1', ends: [], fallback: false };
    const failure = { field: 'key.file', reason: 'is not a key' };
    service.changes = { key: { ...key, reloadFailures: [failure] } };
    expect(health.report()).toMatchObject({
      status: 'degraded',
      key: { status: 'degraded', fallback: false, reloadFailures: [failure] },
    });
    service.changes = { key: { ...key, reloadFailures: [] } };
    expect(health.report()).toMatchObject({ status: 'up', key: { status: 'up' } });
    expect(health.report().key).not.toHaveProperty('reloadFailures');
  });

  it.each([
    ['x5c', 'certificate', true, 'down'],
    ['kid', 'registered-key', true, 'down'],
    ['kid', 'certificate', false, 'up'],
  ] as const)('F-119: with %s an expired %s (counts: %s) is %s', (_mode, what, counts, expected) => {
    const { service, health } = watched();
    service.changes = {
      key: { identity: 'k', fallback: false, reloadFailures: [], ends: [{ what, endsAt: new Date(START_MS), counts }] },
    };
    expect(health.report()).toMatchObject({
      status: expected,
      expiry: { status: expected, credentials: [{ what, tier: 'expired', daysLeft: 0, counts }] },
    });
  });

  it('takes only the parts that are asked for into its status', () => {
    const { service, health } = watched();
    service.changes = {
      key: {
        identity: 'k',
        fallback: false,
        reloadFailures: [],
        ends: [{ what: 'certificate', endsAt: new Date(START_MS + 20 * DAY_MS), counts: true }],
      },
    };
    service.refused(error('MP_NETWORK'));
    expect(health.report(['expiry']).status).toBe('degraded');
    expect(health.report(['clock', 'key']).status).toBe('up');
    expect(health.report(['tokens']).status).toBe('degraded');
  });

  it('says in the words of the doctor what ought to be mended, and nothing when all is well', () => {
    const { service, health } = watched();
    expect(health.report()).not.toHaveProperty('findings');
    const ends = [
      { what: 'registered-key', endsAt: new Date(START_MS + 20 * DAY_MS), counts: true },
      { what: 'certificate', endsAt: new Date(START_MS - DAY_MS), counts: false },
    ] as const;
    service.changes = {
      key: { identity: 'k', fallback: false, reloadFailures: [], ends },
      clock: { state: 'degraded', offsetMs: 30_000 },
    };
    expect(health.report().findings).toMatchObject([
      { id: 'expiry.key-expires', level: 'warning', fix: { en: expect.any(String), nb: expect.any(String) } },
      { id: 'clock.skew', level: 'failed', actBy: 'you' },
    ]);
  });

  it('hears nothing more after it was closed', () => {
    const { service, health } = watched();
    health.close();
    expect(service.listeners.size).toBe(0);
  });

  it('F-64: has an effect for every code, or says that there is none', () => {
    for (const code of Object.keys(ERROR_CODES) as MaskinportenErrorCode[]) {
      expect([undefined, 'degraded', 'down']).toContain(faultEffect(error(code))?.state);
    }
  });
});

it.each([
  ['up', 'up'],
  ['notice', 'up'],
  ['degraded', 'degraded'],
  ['critical', 'degraded'],
  ['expired', 'down'],
] as const)('a credential whose expiry is %s makes the health %s', (tier, state) => {
  expect(stateOfTier(tier)).toBe(state);
});
