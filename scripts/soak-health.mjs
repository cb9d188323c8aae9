// Health under real outages at its real pace: the built service against the simulator, calls and probes all the time.
//   npm run build && node scripts/soak-health.mjs [--seconds 45] [--port 18480] [--service-port 18490]
// Prints one row per outage, and exits with 1 when a promise was broken. Takes about six minutes.
import { spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startSimulator } from 'maskinporten-simulator';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '45' },
    port: { type: 'string', default: '18480' },
    'service-port': { type: 'string', default: '18490' },
  },
});
const outageMs = Number(values.seconds) * 1000;
const LIMIT_MS = 30_000;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
const clientId = randomUUID();
const kid = randomUUID();
const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
const scopes = ['altinn:broker.read', 'altinn:broker.write'];
const start = () =>
  startSimulator({
    port: Number(values.port),
    config: { clients: [{ clientId, orgno: '310000019', jwks: { keys: [jwk] }, scopes, tokenLifetime: 30 }] },
  });

let simulator = await start();
const apiKey = randomUUID();
const callers = [
  { name: 'soak', sha256: createHash('sha256').update(apiKey).digest('hex'), organisations: ['310000027'] },
];
const service = spawn(process.execPath, [join(import.meta.dirname, '../dist/main.js')], {
  cwd: tmpdir(),
  env: {
    PATH: process.env.PATH,
    PORT: values['service-port'],
    LOG_LEVEL: 'fatal',
    MASKINPORTEN_ISSUER: simulator.issuer,
    MASKINPORTEN_CLIENT_ID: clientId,
    MASKINPORTEN_KID: kid,
    MASKINPORTEN_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    MASKINPORTEN_KEY_REGISTERED_AT: new Date(Date.now() - 300 * 86_400_000).toISOString(),
    MASKINPORTEN_DESTINATIONS: simulator.platformUrl,
    BROKER_URL: `${simulator.platformUrl}/broker/api/v1`,
    API_KEYS: JSON.stringify(callers),
  },
  stdio: ['ignore', 'inherit', 'inherit'],
});
const url = `http://127.0.0.1:${values['service-port']}`;

const latenciesMs = [];
const counts = { probes: 0, flips: 0, calls: 0, callsOk: 0 };
const seen = { report: 'unknown', ended: false };

async function probe(path) {
  const startedMs = performance.now();
  const response = await fetch(`${url}${path}`);
  const { status } = await response.json();
  latenciesMs.push(performance.now() - startedMs);
  counts.probes += 1;
  if (response.status !== 200) counts.flips += 1;
  return status;
}

async function probeTenTimesASecond() {
  while (!seen.ended) {
    const nextMs = performance.now() + 100;
    [, , seen.report] = await Promise.all(['/health/live', '/health/ready', '/health'].map(probe));
    await wait(Math.max(0, nextMs - performance.now()));
  }
}

async function call() {
  counts.calls += 1;
  try {
    const response = await fetch(`${url}/broker/transfers`, { headers: { authorization: `Bearer ${apiKey}` } });
    await response.arrayBuffer();
    if (response.ok) counts.callsOk += 1;
  } catch {
    // Counted as one that did not succeed.
  }
}

async function callTwentyTimesASecond() {
  while (!seen.ended) {
    void call();
    await wait(50);
  }
}

/** Seconds until the report says so; the limit is not waited past by much. */
async function secondsUntil(wanted) {
  const startedMs = performance.now();
  const elapsedMs = () => performance.now() - startedMs;
  const isThere = () => seen.report === wanted;
  while (!isThere() && elapsedMs() < 2 * LIMIT_MS) await wait(50);
  return elapsedMs() / 1000;
}

const outages = {
  killed: {
    begin: () => simulator.close(),
    end: async () => {
      simulator = await start();
    },
  },
  hung: {
    begin: () => simulator.operator.faults.add({ path: '/*', server: 'maskinporten', delayMs: 600_000 }),
    end: () => simulator.operator.faults.clear(),
  },
  slow: {
    begin: () => simulator.operator.faults.add({ path: '/*', server: 'maskinporten', delayMs: 2_500 }),
    end: () => simulator.operator.faults.clear(),
  },
  'clock-shifted': {
    begin: () => simulator.operator.clock.setOffset(45),
    end: () => simulator.operator.clock.setOffset(0),
  },
};

for (;;) {
  try {
    await fetch(`${url}/health/live`);
    break;
  } catch {
    await wait(100);
  }
}
const loops = [probeTenTimesASecond(), callTwentyTimesASecond()];
await secondsUntil('ok');
await wait(15_000);
latenciesMs.length = 0;
Object.assign(counts, { probes: 0, flips: 0, calls: 0, callsOk: 0 });

let broken = false;
console.log('| Maskinporten | degraded after | ok again after | probe answers | not 200 |');
console.log('| --- | --- | --- | --- | --- |');
for (const [name, { begin, end }] of Object.entries(outages)) {
  const before = { ...counts };
  await begin();
  const beganMs = performance.now();
  const degraded = await secondsUntil('degraded');
  await wait(Math.max(0, outageMs - (performance.now() - beganMs)));
  await end();
  const ok = await secondsUntil('ok');
  const flips = counts.flips - before.flips;
  broken ||= degraded * 1000 > LIMIT_MS || ok * 1000 > LIMIT_MS || flips > 0;
  console.log(
    `| ${name} | ${degraded.toFixed(1)} s | ${ok.toFixed(1)} s | ${counts.probes - before.probes} | ${flips} |`,
  );
  await wait(10_000);
}
seen.ended = true;
await Promise.all(loops);
const sorted = latenciesMs.toSorted((a, b) => a - b);
const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
console.log(
  `\nprobe answers: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, slowest ${at(1)} ms (${sorted.length} answers)`,
);
console.log(`calls meanwhile: ${counts.callsOk} of ${counts.calls} with 200`);
service.kill('SIGTERM');
await once(service, 'exit');
await simulator.close();
process.exitCode = broken ? 1 : 0;
