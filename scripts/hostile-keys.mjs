// How long the event loop is held up while hostile PKCS#12 files are loaded: `npm run build:maskinporten` first, then
// `node scripts/hostile-keys.mjs`. It exits with 1 when a delay was over 50 ms, which a busy machine brings about too: the
// control shows that. That the loop goes round at all is a test (libs/maskinporten/src/keys/hostile-pkcs12.spec.ts).
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { loadSigningKey } from '../libs/maskinporten/dist/keys/index.js';

const PASSWORD = 'canary';
const RUNS = 2_000;
const LIMIT_MS = 50;

const pem = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const folder = mkdtempSync(join(tmpdir(), 'hostile-keys-'));
const keyFile = join(folder, 'key.pem');
writeFileSync(keyFile, pem, { mode: 0o600 });
const request = ['req', '-x509', '-new', '-key', keyFile, '-subj', '/C=NO/CN=Test', '-days', '30'];
const certificate = execFileSync('openssl', request).toString();
rmSync(folder, { recursive: true });
const pkcs12 = (...args) =>
  execFileSync('openssl', ['pkcs12', '-export', '-passout', `pass:${PASSWORD}`, ...args], { input: pem + certificate });

/** INTEGER 65536 becomes another of three bytes. */
function withIterations(pfx, iterations, last) {
  const copy = Buffer.from(pfx);
  const places = [];
  for (let at = copy.indexOf('0203010000', 0, 'hex'); at !== -1; at = copy.indexOf('0203010000', at + 1, 'hex')) {
    places.push(at);
  }
  for (const at of last ? places.slice(-1) : places) copy.writeUIntBE(iterations, at + 2, 3);
  return copy;
}

function flipped(pfx) {
  const copy = Buffer.from(pfx);
  for (let flips = randomInt(1, 5); flips > 0; flips -= 1) copy[randomInt(copy.length)] ^= 1 << randomInt(8);
  return copy;
}

const slow = pkcs12('-iter', '65536');
const legacy = pkcs12('-iter', '65536', '-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1');
const quick = pkcs12('-iter', '1');
const noMac = pkcs12('-iter', '65536', '-nomac');

const load = async (bytes) => {
  try {
    await loadSigningKey({ pkcs12: bytes, passphrase: PASSWORD, kid: 'k', allowMissingMac: true });
    return 'loaded';
  } catch (error) {
    if (error.code !== 'MP_CONFIG') throw error;
    return 'refused';
  }
};
const each = async (files) => {
  const outcomes = { loaded: 0, refused: 0 };
  for (const file of files) {
    outcomes[await load(file)] += 1;
    // The figure is that of the worst file: the next one starts in a turn of its own.
    await setImmediate();
  }
  return `${outcomes.loaded} loaded, ${outcomes.refused} refused`;
};

// Made before anything is measured: what makes them is not what is looked at.
const cases = {
  'good file, 65,536 iterations': [slow],
  'MAC of 2,000,000 iterations': [withIterations(slow, 2_000_000, true)],
  'SHA-1 MAC of 2,000,000 iterations': [withIterations(legacy, 2_000_000, true)],
  'key and certificates of 2,000,000': [withIterations(noMac, 2_000_000, false)],
  'more than is allowed: 2,000,001': [withIterations(slow, 2_000_001, true)],
  '10 MB': [Buffer.concat([quick, Buffer.alloc(10 * 1024 * 1024 - quick.length)])],
  [`truncated at every one of ${quick.length} bytes`]: Array.from({ length: quick.length }, (_, length) =>
    quick.subarray(0, length),
  ),
  [`${RUNS} files with flipped bits`]: Array.from({ length: RUNS }, () => flipped(quick)),
};

// Code that runs for the first time is compiled and loaded, which a service does at its start.
await load(quick);
const milliseconds = (nanoseconds) => `${(nanoseconds / 1e6).toFixed(1)} ms`.padStart(10);
console.log(`Node ${process.version}; delay of the event loop beyond its 1 ms resolution\n`);
async function measure(name, work) {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  await setTimeout(50);
  delays.enable();
  await setTimeout(5);
  const started = performance.now();
  const outcome = await work();
  const seconds = ((performance.now() - started) / 1_000).toFixed(2);
  // A delay is recorded when the loop comes round again, so it must before the figures are read.
  await setTimeout(20);
  delays.disable();
  const figures = `max ${milliseconds(delays.max)}  p99 ${milliseconds(delays.percentile(99))}`;
  console.log(`${name.padEnd(40)} ${figures}  in ${seconds.padStart(6)} s  ${outcome}`);
  if (delays.max / 1e6 > LIMIT_MS) process.exitCode = 1;
}

await measure('control: nothing to do for 5 s', async () => setTimeout(5_000, '-'));
for (const [name, files] of Object.entries(cases)) await measure(name, async () => each(files));
await measure('control: nothing to do for 5 s', async () => setTimeout(5_000, '-'));
