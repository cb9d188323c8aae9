import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import { compiledKernel } from './compiled-kernel.fixtures.js';

/** Many requests that wait, and many answers that drip, at the same time; then the server closes under them. */
const SCRIPT = `
import { get } from 'node:http';
import { Faults, RequestLog, RoleServer, SimulatorClock } from './kernel/index.js';

const warnings = [];
process.on('warning', ({ name }) => warnings.push(name));
const faults = new Faults();
faults.add({ path: '/wait', delayMs: 600_000 });
faults.add({ path: '/drip', dripMs: 60_000 });
const world = { clock: new SimulatorClock(), log: new RequestLog(), isReady: () => true };
const server = new RoleServer('api', world, faults);
server.app.get('/drip', (_request, reply) => reply.send('a text'));
const port = await server.listen({ host: '127.0.0.1', port: 0, orAny: false });
let ended = 0;
const call = (path) => {
  const request = get({ port, path, agent: false });
  request.on('error', () => undefined);
  request.on('response', (response) => response.on('error', () => undefined).resume());
  request.on('close', () => { ended += 1; });
};
for (let index = 0; index < 30; index += 1) { call('/wait'); call('/drip'); }
const turn = () => new Promise((resolve) => setImmediate(resolve));
while (world.log.entries.length < 60 || faults.list().some(({ hits }) => hits < 30)) await turn();
// A dripping answer has begun once it is dated and counted as finished.
while (world.log.entries.filter(({ durationMs }) => durationMs !== undefined).length < 30) await turn();
for (let index = 0; index < 50; index += 1) await turn();
await server.close();
while (ended < 60) await turn();
process.stdout.write(JSON.stringify({ warnings, ended }));
`;

describe('a listener of the simulator', () => {
  const directory = compiledKernel();
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('holds any number of requests back without a warning, and lets all of them go when it closes', async () => {
    writeFileSync(join(directory, 'many.js'), SCRIPT);
    const { stdout } = await promisify(execFile)(process.execPath, [join(directory, 'many.js')]);
    expect(JSON.parse(stdout)).toEqual({ warnings: [], ended: 60 });
  });
});
