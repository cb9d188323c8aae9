// npm run bench [-- --quick] [-- --only P3,P7] [-- --json] [-- --no-write]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Endpoint } from './endpoint/endpoint.js';
import { newCredentials } from './measure/credentials.js';
import { withRun } from './report/document.js';
import { describeMachine, nodeMajor } from './report/machine.js';
import { verdictOf, type Measurement } from './report/measurement.js';
import { screenTable } from './report/table.js';
import { TARGETS, type Bench } from './targets/index.js';

const { values } = parseArgs({
  options: {
    /** Everything runs in half a minute; the figures mean little and are not written. */
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
  },
});

const wanted = values.only?.split(',');
const targets = TARGETS.filter(({ id }) => wanted === undefined || wanted.includes(id));
if (targets.length === 0) throw new Error(`There are ${TARGETS.map(({ id }) => id).join(', ')} to choose from.`);

const endpoint = await Endpoint.start();
const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
const bench: Bench = { endpoint, credentials: newCredentials(), quick: values.quick, say };
const measurements: Measurement[] = [];
for (const target of targets) {
  say(`${target.id}: ${target.title} …`);
  measurements.push(...(await target.run(bench)));
}
endpoint.stop();

const machine = describeMachine(new Date());
if (values.json) {
  const judged = measurements.map((measurement) => ({ ...measurement, verdict: verdictOf(measurement) }));
  process.stdout.write(`${JSON.stringify({ machine, quick: values.quick, measurements: judged }, undefined, 2)}\n`);
} else {
  process.stdout.write(`\n${machine}\n\n${screenTable(measurements)}\n`);
}

if (!values.quick && !values['no-write']) {
  const path = new URL('../../docs/benchmarks.md', import.meta.url);
  const document = existsSync(path) ? readFileSync(path, 'utf8') : '# Benchmarks\n';
  writeFileSync(path, withRun(document, { nodeMajor: nodeMajor(), machine, measurements }));
}
