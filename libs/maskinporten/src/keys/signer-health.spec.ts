import { describe, expect, it } from '@jest/globals';
import { createError } from '../errors/index.js';
import { SignerHealth } from './index.js';

describe('SignerHealth', () => {
  let nowMs = Date.parse('2026-11-24T12:00:00Z');
  const health = new SignerHealth('hsm', () => nowMs);

  it('is up until something fails, degraded from then until something works', () => {
    expect([health.name, health.report()]).toEqual(['hsm', { status: 'up' }]);
    health.failed(createError('MP_TIMEOUT', { message: 'canary' }));
    nowMs += 60_000;
    health.failed(new Error('canary'));
    const details = { code: 'MP_UPSTREAM', since: '2026-11-24T12:00:00.000Z' };
    expect(health.report()).toEqual({ status: 'degraded', details });
    health.failed(createError('MP_ABORTED', { message: 'left' }));
    expect(health.report()).toEqual({ status: 'degraded', details });
    health.succeeded();
    expect(health.report()).toEqual({ status: 'up' });
  });

  it('is down when waiting does not help', () => {
    health.failed(createError('MP_SIGNATURE', { message: 'denied' }));
    expect(health.report()).toMatchObject({ status: 'down', details: { code: 'MP_SIGNATURE' } });
  });
});
