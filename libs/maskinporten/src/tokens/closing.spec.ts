import { afterEach, describe, expect, it } from '@jest/globals';
import { normaliseTokenRequest } from '../grants/index.js';
import { answer } from '../token-endpoint/strict-token-endpoint.fixtures.js';
import { Gate, startService, until, type ServiceBench } from './token-service.fixtures.js';

let bench: ServiceBench;
const request = normaliseTokenRequest('a');
const caught = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

afterEach(async () => {
  await bench.close();
});

describe('F-130: close', () => {
  it('lets those who wait have their token, and starts nothing more', async () => {
    bench = await startService();
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    const waiting = bench.service.getToken('a');
    await until(() => gate.held === 1);
    const closing = bench.service.close();
    expect(await caught(bench.service.getToken('b'))).toMatchObject({ code: 'MP_ABORTED', retryable: false });
    gate.release();
    await expect(waiting).resolves.toHaveProperty('value');
    await closing;
    expect(bench.requests()).toBe(1);
  });

  it('goes on handing out usable tokens, without refreshing them', async () => {
    bench = await startService();
    const token = await bench.service.getToken('a');
    await bench.service.close();
    bench.clock.advance(100_000);
    expect(bench.service.peek(request)).toBe(token);
    expect(await bench.service.getToken('a')).toBe(token);
    bench.clock.advance(15_000);
    expect(await caught(bench.service.getToken('a'))).toMatchObject({ code: 'MP_ABORTED' });
    expect(bench.requests()).toBe(1);
  });

  it('stops a background refresh that nobody waits for, and calls it no outage', async () => {
    bench = await startService();
    await bench.service.getToken('a');
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    bench.clock.advance(80_000);
    bench.service.peek(request);
    await until(() => gate.held === 1);
    await bench.service.close();
    expect(bench.events.filter(({ type }) => type === 'circuit')).toEqual([]);
    expect(bench.events.at(-1)).toMatchObject({
      type: 'token-refused',
      background: true,
      error: { code: 'MP_ABORTED' },
    });
  });

  it('lets a background refresh finish when somebody has come to wait for it', async () => {
    bench = await startService();
    await bench.service.getToken('a');
    const gate = new Gate(bench.server.grant);
    bench.server.always = gate.hold;
    bench.clock.advance(80_000);
    bench.service.peek(request);
    await until(() => gate.held === 1);
    bench.clock.advance(35_000);
    const waiting = bench.service.getToken('a');
    const closing = bench.service.close();
    gate.release();
    await expect(waiting).resolves.toHaveProperty('value');
    await closing;
  });

  it('waits for detached flights too', async () => {
    bench = await startService();
    const first = await bench.service.getToken('a');
    const gate = new Gate(bench.server.grant);
    bench.server.script = [gate.hold];
    const forced = bench.service.getToken('a', { forceRefresh: true });
    await until(() => gate.held === 1);
    bench.service.invalidate(first);
    let closed = false;
    const closing = bench.service.close().then(() => (closed = true));
    expect(closed).toBe(false);
    gate.release();
    await expect(forced).resolves.toHaveProperty('value');
    await closing;
  });

  it('is one and the same, however often it is called', async () => {
    bench = await startService();
    const gate = new Gate(answer(200, '<html>'));
    bench.server.always = gate.hold;
    const waiting = caught(bench.service.getToken('a'));
    await until(() => gate.held === 1);
    const ended: string[] = [];
    const first = bench.service.close().then(() => ended.push('first'));
    const second = bench.service.close().then(() => ended.push('second'));
    gate.release();
    await waiting;
    await Promise.all([first, second]);
    expect(ended.toSorted()).toEqual(['first', 'second']);
  });
});
