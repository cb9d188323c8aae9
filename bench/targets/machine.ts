import { createPrivateKey, sign } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { newCredentials } from '../measure/credentials.js';
import { opensslSignaturesPerSecond } from '../measure/openssl.js';
import type { Measurement } from '../report/measurement.js';
import type { Target } from './target.js';

/** What no client can be faster than: every cold token costs one signature. */
export const machine: Target = {
  id: 'machine',
  title: "the machine's own limit",
  async run(bench) {
    const seconds = bench.quick ? 1 : 3;
    return Promise.resolve(([2048, 3072] as const).map((bits) => limitOf(bits, seconds)));
  },
};

function limitOf(bits: 2048 | 3072, seconds: number): Measurement {
  const node = nodeSignaturesPerSecond(bits, seconds);
  const openssl = opensslSignaturesPerSecond(bits, seconds);
  return {
    target: 'machine',
    measure: `machine's limit: RSA-${bits} signatures of one core`,
    ours: `node:crypto: ${Math.round(node)}/s`,
    peer: openssl === undefined ? 'openssl speed' : `openssl speed: ${Math.round(openssl)}/s`,
    ...(openssl === undefined ? { reason: 'there is no openssl command' } : { value: node / openssl }),
  };
}

function nodeSignaturesPerSecond(bits: 2048 | 3072, seconds: number): number {
  const key = createPrivateKey(newCredentials(bits).privateKeyPem);
  const data = Buffer.alloc(500);
  const deadline = performance.now() + seconds * 1_000;
  let count = 0;
  while (performance.now() < deadline) {
    sign('sha256', data, key);
    count += 1;
  }
  return count / seconds;
}
