import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createError } from '../errors/index.js';
import { normaliseTokenRequest } from '../grants/index.js';
import { CircuitBreaker, type Pass } from './circuit-breaker.js';
import { ConnectionQueue, type Seeker, type Wait } from './connection-queue.js';
import { Demand } from './index.js';
import { answer, ManualClock, refusal, silence } from './strict-token-endpoint.fixtures.js';
import { startBench, type Bench } from './token-endpoint.fixtures.js';

const upstream = createError('MP_UPSTREAM', { message: 'down', attempts: 3 });
const seeker = (kind: Seeker['kind'], priority: 'interactive' | 'batch' = 'interactive'): Seeker => ({
  kind,
  demand: new Demand(priority),
  pass: undefined,
});

describe('CircuitBreaker', () => {
  let clock: ManualClock;
  let circuit: CircuitBreaker;
  let changes: string[];

  beforeEach(() => {
    clock = new ManualClock();
    changes = [];
    circuit = new CircuitBreaker({
      monotonicMs: () => clock.monotonicMs(),
      random: () => 1,
      onChange: (state, retryAfterMs) => changes.push(`${state} ${retryAfterMs}`),
    });
  });

  const fail = (pass: Pass = circuit.enter(), retryAfterMs?: number): void =>
    circuit.failed(pass, upstream, retryAfterMs);

  it('opens after a failed operation, and gives everybody the last error with the time to wait', () => {
    fail();
    expect(circuit.state).toBe('open');
    clock.advance(400);
    expect(() => circuit.enter()).toThrow(
      expect.objectContaining({ code: 'MP_UPSTREAM', retryAfterMs: 600, attempts: 0 }),
    );
  });

  it('F-142: a probe of batch work that somebody waits for goes before those who wait for its outcome', async () => {
    const other = new CircuitBreaker({ monotonicMs: () => 0, random: () => 1, onChange: () => undefined });
    const monotonicMs = (): number => clock.monotonicMs();
    const circuits = { plain: circuit, 'system-user': other };
    const queue = new ConnectionQueue({ max: 1, circuits, monotonicMs, deadlineMs: 8_000 });
    fail();
    clock.advance(60_000);
    for (let index = 0; index < 4; index += 1) queue.enter(seeker('system-user'));
    const batch = seeker('plain', 'batch');
    const person = seeker('plain');
    queue.enter(batch);
    const last = queue.enter(person) as Wait;
    // Three in a row were interactive, so the probe is batch work; it is told to wait, and a person joins it.
    for (let index = 0; index < 4; index += 1) queue.leave();
    expect([batch.pass, person.pass]).toEqual([{ probe: true }, undefined]);
    queue.hold('plain', 1_000, upstream);
    queue.leave();
    const wait = queue.enter(batch) as Wait;
    batch.demand.servedBy({ waitsForOneOf: 1, workedMs: 0, demandChanged: () => queue.reconsider(wait) });
    batch.demand.join('interactive');
    clock.advance(2_000);
    queue.circuitChanged('plain');
    expect(queue.status).toMatchObject({ inUse: 1, waiting: { interactive: 1 } });
    await wait.turn;
    circuit.succeeded(batch.pass as Pass);
    queue.leave();
    await last.turn;
    expect(queue.status).toMatchObject({ inUse: 1, waiting: { interactive: 0 } });
  });

  it('lets one operation probe at a time, and closes when it succeeds', () => {
    fail();
    clock.advance(1_000);
    expect(circuit.state).toBe('half-open');
    const probe = circuit.enter();
    expect(probe.probe).toBe(true);
    expect(() => circuit.enter()).toThrow(expect.objectContaining({ retryAfterMs: 1 }));
    circuit.succeeded(probe);
    expect(circuit.state).toBe('closed');
    expect(circuit.enter()).toEqual({ probe: false });
    expect(changes).toEqual(['open 1000', 'closed undefined']);
  });

  it('stays away twice as long after each probe that fails, at most 30 s, and starts anew after a success', () => {
    const seen: unknown[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      fail();
      seen.push(changes.at(-1));
      clock.advance(30_000);
    }
    expect(seen).toEqual([
      'open 1000',
      'open 2000',
      'open 4000',
      'open 8000',
      'open 16000',
      'open 30000',
      'open 30000',
      'open 30000',
    ]);
    circuit.succeeded(circuit.enter());
    fail();
    expect(changes.at(-1)).toBe('open 1000');
  });

  it('takes a hundred operations that fail together for one failure', () => {
    const passes = Array.from({ length: 100 }, () => circuit.enter());
    for (const pass of passes) fail(pass);
    expect(changes).toEqual(['open 1000']);
  });

  it('F-38: waits as long as the server asks for, also when a late operation brings the wish', () => {
    const [first, second, third] = [circuit.enter(), circuit.enter(), circuit.enter()];
    fail(first, 5_000);
    fail(second, 3_000);
    fail(third, 60_000);
    expect(changes).toEqual(['open 5000', 'open 60000']);
  });

  it('lets the next one probe when a probe ends without saying anything', () => {
    fail();
    clock.advance(1_000);
    circuit.released(circuit.enter());
    expect(circuit.state).toBe('half-open');
    expect(circuit.enter().probe).toBe(true);
  });

  it('lets no second probe in because an older operation ends', () => {
    const old = circuit.enter();
    const older = circuit.enter();
    fail();
    clock.advance(1_000);
    circuit.enter();
    circuit.released(old);
    fail(older);
    expect(() => circuit.enter()).toThrow('down');
  });

  it('is closed by an older operation that succeeds', () => {
    const old = circuit.enter();
    fail();
    circuit.succeeded(old);
    expect(circuit.state).toBe('closed');
    circuit.succeeded(circuit.enter());
    expect(changes).toEqual(['open 1000', 'closed undefined']);
  });
});

describe('the circuits of an endpoint', () => {
  let bench: Bench;
  const plain = normaliseTokenRequest('a:b');
  const systemUser = normaliseTokenRequest({ scopes: 'a:b', systemUser: { organisation: '310000027' } });
  const fetchToken = (request = plain, demand = new Demand()): Promise<unknown> =>
    bench.endpoint.fetchToken(request, demand).catch((error: unknown) => error);

  beforeEach(async () => {
    bench = await startBench();
  });
  afterEach(async () => {
    await bench.close();
  });

  it('F-39: an outage of one kind of request leaves the other alone', async () => {
    bench.server.always = answer(503, '');
    await fetchToken(systemUser);
    expect(bench.endpoint.circuitState('system-user')).toBe('open');
    expect(bench.endpoint.circuitState('plain')).toBe('closed');
    bench.server.always = undefined;
    expect(await fetchToken(plain)).toHaveProperty('accessToken');
    expect(await fetchToken(systemUser)).toMatchObject({ code: 'MP_UPSTREAM', attempts: 0 });
    expect(bench.server.grants).toHaveLength(4);
  });

  it('F-64: what one tenant did wrong never opens it, and shows that the service is there', async () => {
    for (const mp of ['MP-100', 'MP-200', 'MP-250', 'MP-251', 'MP-303', 'MP-011']) {
      bench.server.script = [refusal(mp)];
      await fetchToken();
    }
    for (const misbehaviour of [answer(200, '<html>'), answer(404, ''), answer(302, '')]) {
      bench.server.script = [misbehaviour];
      await fetchToken();
    }
    expect(bench.endpoint.circuitState('plain')).toBe('closed');
    bench.server.always = answer(503, '');
    await fetchToken();
    bench.clock.advance(1_000);
    bench.server.always = refusal('MP-250', 'forbidden', 403);
    expect(await fetchToken()).toMatchObject({ code: 'MP_NOT_GRANTED' });
    expect(bench.endpoint.circuitState('plain')).toBe('closed');
  });

  it('a probe that is stopped makes room for the next', async () => {
    bench.server.always = answer(503, '');
    await fetchToken();
    bench.clock.advance(1_000);
    bench.server.always = silence;
    const probing = new Demand();
    const probe = fetchToken(plain, probing);
    expect(await fetchToken()).toMatchObject({ attempts: 0 });
    probing.stop();
    expect(await probe).toMatchObject({ code: 'MP_ABORTED' });
    bench.server.always = undefined;
    expect(await fetchToken()).toHaveProperty('accessToken');
  });

  it('a hundred callers in half-open state make one request', async () => {
    bench.server.always = answer(503, '');
    await fetchToken();
    bench.clock.advance(1_000);
    const before = bench.server.grants.length;
    await Promise.all(Array.from({ length: 100 }, () => fetchToken()));
    expect(bench.server.grants.length - before).toBe(3);
  });
});
