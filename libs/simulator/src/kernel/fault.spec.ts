import { Agent, type IncomingHttpHeaders, get } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GrantBench } from '../grants.fixtures.js';
import type { FaultInput } from '../index.js';

interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly complete: boolean;
}

/** An HTTP client that hides nothing: it keeps what arrived before a connection broke. */
function fetchRaw(url: string, agent?: Agent): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = get(url, { ...(agent && { agent }) }, (incoming) => {
      const chunks: Buffer[] = [];
      const settle = (): void =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks),
          complete: incoming.complete,
        });
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', () => undefined);
      incoming.on('close', settle);
    });
    outgoing.on('error', reject);
  });
}

describe('a fault script', () => {
  const path = '/.well-known/oauth-authorization-server';
  let bench: GrantBench;
  let url: string;

  const script = (fault: Partial<FaultInput>): void => {
    bench.simulator.operator.faults.add({ path, ...fault });
  };

  beforeAll(async () => {
    bench = await GrantBench.start();
    url = `${bench.simulator.issuer}${path.slice(1)}`;
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.simulator.operator.reset());

  it('answers with a status, Retry-After, headers and a body', async () => {
    script({ status: 429, retryAfter: 7, headers: { 'x-test': 'a' }, body: { error: 'slow_down' } });
    const answer = await fetchRaw(url);
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '7', 'x-test': 'a' } });
    expect(JSON.parse(answer.body.toString())).toEqual({ error: 'slow_down' });
  });

  it('may give the answer another date than the clock that judges', async () => {
    script({ headers: { date: 'Tue, 24 Nov 2020 12:00:00 GMT' } });
    expect(await fetchRaw(url)).toMatchObject({ status: 200, headers: { date: 'Tue, 24 Nov 2020 12:00:00 GMT' } });
  });

  it('answers with a date as Retry-After', async () => {
    script({ status: 503, retryAfter: 'Tue, 24 Nov 2026 12:00:00 GMT' });
    expect(await fetchRaw(url)).toMatchObject({
      status: 503,
      headers: { 'retry-after': 'Tue, 24 Nov 2026 12:00:00 GMT' },
    });
  });

  it('answers with HTML and 200', async () => {
    script({ html: true });
    const answer = await fetchRaw(url);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/html/);
    expect(answer.body.toString()).toMatch(/^<!doctype html>/);
  });

  it('answers with HTML and another status', async () => {
    script({ html: true, status: 503 });
    expect(await fetchRaw(url)).toMatchObject({ status: 503 });
  });

  it('answers with JSON that stops', async () => {
    script({ badJson: true });
    const answer = await fetchRaw(url);
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(() => JSON.parse(answer.body.toString()) as unknown).toThrow(SyntaxError);
  });

  it.each([301, 302, 303, 307, 308])('redirects with %i', async (status) => {
    script({ redirect: 'http://127.0.0.1:1/elsewhere', status });
    expect(await fetchRaw(url)).toMatchObject({ status, headers: { location: 'http://127.0.0.1:1/elsewhere' } });
  });

  it('answers with a body of the size asked for', async () => {
    script({ oversizedBytes: 300_000 });
    const { body } = await fetchRaw(url);
    expect(body).toHaveLength(300_000);
    expect(JSON.parse(body.toString())).toHaveProperty('padding');
  });

  it('answers with a gzip bomb', async () => {
    script({ oversizedBytes: 5_000_000, gzip: true });
    const answer = await fetchRaw(url);
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.body.length).toBeLessThan(50_000);
    expect((await (await fetch(url)).text()).length).toBe(5_000_000);
  });

  it('resets the connection before any header', async () => {
    script({ reset: true });
    await expect(fetchRaw(url)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const entry = bench.simulator.log.at(-1);
    expect(entry).toMatchObject({ path, fault: expect.stringMatching(/^fault-\d+: reset=true$/) });
    expect(entry?.status).toBeUndefined();
  });

  it('cuts the body short', async () => {
    const whole = await fetchRaw(url);
    script({ truncate: true });
    const answer = await fetchRaw(url);
    expect(answer).toMatchObject({ status: 200, complete: false });
    expect(answer.body).toEqual(whole.body.subarray(0, Math.floor(whole.body.length / 2)));
  });

  it('drips the body', async () => {
    const whole = await fetchRaw(url);
    script({ dripMs: 1 });
    const chunks: Uint8Array[] = [];
    const answer = await fetch(url);
    for await (const chunk of answer.body ?? []) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(whole.body);
    expect(chunks.length).toBeGreaterThan(whole.body.length / 10);
  });

  it('closes a connection that was to be kept alive', async () => {
    script({ closeAfter: true });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const closed = new Promise<void>((resolve) => {
      agent.on('free', (socket: { on: (event: 'close', listener: () => void) => void }) => socket.on('close', resolve));
    });
    expect(await fetchRaw(url, agent)).toMatchObject({ status: 200, complete: true });
    await closed;
    agent.destroy();
  });

  it('changes members of the answer, and removes one', async () => {
    script({ replace: { issuer: 'https://evil.example/', jwks_uri: null, extra: 1 } });
    const { body, complete } = await fetchRaw(url);
    const metadata = JSON.parse(body.toString()) as unknown;
    expect(complete).toBe(true);
    expect(metadata).toMatchObject({ issuer: 'https://evil.example/', extra: 1, token_endpoint: expect.any(String) });
    expect(metadata).not.toHaveProperty('jwks_uri');
  });

  it('changes a token answer after the grant was judged', async () => {
    bench.simulator.operator.faults.add({ path: '/token', replace: { expires_in: 0 } });
    expect((await bench.grant()).json).toMatchObject({ expires_in: 0, token_type: 'Bearer' });
    expect(bench.simulator.log.at(-1)).toMatchObject({ kind: 'grant', status: 200 });
  });

  it('waits', async () => {
    script({ delayMs: 30, status: 504 });
    expect(await fetchRaw(url)).toMatchObject({ status: 504 });
    expect(bench.simulator.log.at(-1)?.durationMs).toBeGreaterThanOrEqual(29);
  });

  it('hits as many times as it says, after those that pass', async () => {
    script({ status: 500, after: 1, times: 2 });
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await fetchRaw(url)).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
  });

  it('gives way to the next when it is used up', async () => {
    script({ status: 500, times: 1 });
    script({ status: 503, times: 1 });
    expect([(await fetchRaw(url)).status, (await fetchRaw(url)).status, (await fetchRaw(url)).status]).toEqual([
      500, 503, 200,
    ]);
  });

  it('hits only the server, method and path that it names', async () => {
    bench.simulator.operator.faults.add({ path: '/*', status: 500, server: 'api' });
    bench.simulator.operator.faults.add({ path: '/jwk', status: 501, method: 'POST' });
    expect((await fetchRaw(url)).status).toBe(200);
    expect((await fetchRaw(`${bench.simulator.issuer}jwk`)).status).toBe(200);
    expect((await fetchRaw(`${bench.simulator.apiUrl}/whoami`)).status).toBe(500);
  });

  it('never hits the operator', async () => {
    bench.simulator.operator.faults.add({ path: '/*', status: 500 });
    expect((await fetchRaw(`${bench.simulator.operatorUrl}/operator/api/faults`)).status).toBe(200);
    expect((await fetchRaw(url)).status).toBe(500);
  });

  it('does not hold up closing', async () => {
    const doomed = await GrantBench.start();
    doomed.simulator.operator.faults.add({ path: '/jwk', delayMs: 600_000 });
    doomed.simulator.operator.faults.add({ path: '/.well-known/*', dripMs: 60_000 });
    const waiting = fetchRaw(`${doomed.simulator.issuer}jwk`).catch((error: unknown) => error);
    const dripping = await fetch(`${doomed.simulator.issuer}.well-known/oauth-authorization-server`);
    const idle = connect(Number(new URL(doomed.simulator.apiUrl).port), '127.0.0.1');
    const idleEnd = new Promise((resolve) => {
      idle.on('close', resolve).on('error', () => undefined);
    });
    await new Promise((resolve) => {
      idle.on('connect', resolve);
    });
    await doomed.close();
    await doomed.close();
    expect(await waiting).toMatchObject({ code: 'ECONNRESET' });
    await expect(dripping.text()).rejects.toThrow(/terminated/);
    await idleEnd;
    await expect(fetchRaw(`${doomed.simulator.issuer}jwk`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
