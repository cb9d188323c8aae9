import { expect } from '@jest/globals';
import type { GrantBench, Reply } from './grants.fixtures.js';

export interface ExpectedRefusal {
  readonly status?: number;
  readonly error: string;
  readonly text: string | RegExp;
  readonly code?: string;
  /** Name of the check that must be the first to fail in the log. */
  readonly check: string;
}

/** Status, `error`, text, trace id, `error_uri` and the verdict in the log, all at once. */
export function expectRefusal(bench: GrantBench, reply: Reply, expected: ExpectedRefusal): void {
  const { status = 400, error, text, code, check } = expected;
  const description = String(reply.json['error_description']);
  const trace = / \(trace_id: ([0-9a-f]{32})\)$/.exec(description);
  expect({ status: reply.status, error: reply.json['error'] }).toEqual({ status, error });
  expect(trace).not.toBeNull();
  const plain = description.slice(0, trace?.index);
  if (typeof text === 'string') expect(plain).toBe(text);
  else expect(plain).toMatch(text);
  expect(reply.json['error_uri']).toBe(code && `${bench.simulator.issuer}errors/${code}`);
  expect(reply.headers.get('cache-control')).toBe('no-store');
  expect(reply.json).not.toHaveProperty('access_token');
  const entry = bench.simulator.log.at(-1);
  expect(entry).toMatchObject({ kind: 'grant', status, refusal: { error, traceId: trace?.[1] } });
  expect(entry?.refusal?.mpCode).toBe(code);
  expect(entry?.tokenJti).toBeUndefined();
  expect(entry?.checks.find(({ ok }) => ok === false)?.check).toBe(check);
}
