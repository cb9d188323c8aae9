import { Readable, pipeline } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import type { Fault } from './fault.js';
import { isRecord } from './readers.js';

export interface FaultAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Readable;
}

const PAGE =
  '<!doctype html><html lang="en"><title>Service</title><body><h1>Something is in the way</h1></body></html>';

function* paddedJson(bytes: number): Generator<string> {
  const frame = '{"padding":""}';
  yield '{"padding":"';
  for (let left = Math.max(0, bytes - frame.length); left > 0; left -= 65_536) yield 'x'.repeat(Math.min(left, 65_536));
  yield '"}';
}

function plainAnswer(fault: Fault): { status: number; type: string; body: string | Readable } | undefined {
  const json = 'application/json;charset=UTF-8';
  if (fault.redirect !== undefined) return { status: fault.status ?? 307, type: 'text/plain', body: '' };
  if (fault.html === true) return { status: fault.status ?? 200, type: 'text/html;charset=UTF-8', body: PAGE };
  if (fault.badJson === true) return { status: fault.status ?? 200, type: json, body: '{"access_token":"' };
  if (fault.oversizedBytes !== undefined) {
    return { status: fault.status ?? 200, type: json, body: Readable.from(paddedJson(fault.oversizedBytes)) };
  }
  if (fault.body !== undefined) {
    return typeof fault.body === 'string'
      ? { status: fault.status ?? 200, type: 'text/plain;charset=UTF-8', body: fault.body }
      : { status: fault.status ?? 200, type: json, body: JSON.stringify(fault.body) };
  }
  return fault.status === undefined ? undefined : { status: fault.status, type: 'text/plain', body: '' };
}

/** The answer that replaces the endpoint's work, or `undefined` when the fault lets it work. */
export function faultAnswer(fault: Fault): FaultAnswer | undefined {
  const plain = plainAnswer(fault);
  if (plain === undefined) return undefined;
  const { status, type } = plain;
  const headers: Record<string, string> = { 'content-type': type };
  if (fault.retryAfter !== undefined) headers['retry-after'] = String(fault.retryAfter);
  if (fault.redirect !== undefined) headers['location'] = fault.redirect;
  let { body } = plain;
  if (fault.gzip === true) {
    headers['content-encoding'] = 'gzip';
    const packed = createGzip();
    // The reader may hang up in the middle of a bomb; that is no error of ours.
    pipeline(typeof body === 'string' ? Readable.from([body]) : body, packed, () => undefined);
    body = packed;
  }
  return { status, headers: { ...headers, ...fault.headers }, body };
}

async function* half(body: Buffer): AsyncGenerator<Buffer> {
  yield body.subarray(0, Math.floor(body.length / 2));
  // Lets the first half reach the socket before the connection goes.
  await wait(5);
  throw new Error('truncated by a fault script');
}

async function* drip(body: Buffer, everyMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let index = 0; index < body.length; index += 1) {
    // The first byte goes at once, and takes the headers with it.
    if (index > 0) await wait(everyMs, undefined, { signal, ref: false });
    yield body.subarray(index, index + 1);
  }
}

/** Changes the endpoint's own body as the fault says. */
export function damagedBody(fault: Fault, body: string, signal: AbortSignal): string | Readable {
  let result = body;
  if (fault.replace !== undefined) {
    const parsed: unknown = JSON.parse(body);
    const merged = Object.entries({ ...(isRecord(parsed) ? parsed : {}), ...fault.replace });
    result = JSON.stringify(Object.fromEntries(merged.filter(([, value]) => value !== null)));
  }
  if (fault.truncate === true) return Readable.from(half(Buffer.from(result)), { objectMode: false });
  if (fault.dripMs !== undefined) {
    return Readable.from(drip(Buffer.from(result), fault.dripMs, signal), { objectMode: false });
  }
  return result;
}
