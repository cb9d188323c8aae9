import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { sized } from '../../../../test/support/size.js';
import { attachMaskinporten } from './attach-maskinporten.js';
import { MaskinportenContext } from './maskinporten-context.js';
import { startRecordingServer, startWorld, type RecordingServer, type World } from './outbound.fixtures.js';

const REQUESTS = sized({ test: 100, soak: 10_000 });
const SOCKETS = 8;

// Jest's own realm has no gc(), and --expose-gc on the command line would be needed by everybody who runs the tests.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let world: World;
let api: RecordingServer;

beforeEach(async () => {
  world = await startWorld();
  api = await startRecordingServer();
  api.answer = (_request, response) => {
    api.arrivals.length = 0;
    response.end('{}');
  };
});

afterEach(async () => {
  await api?.close();
  await world?.close();
});

describe('what a context leaves behind', () => {
  it('T-13: after many requests the runtime holds on to none of their contexts', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
    const instance = axios.create({ baseURL: api.origin, httpAgent: agent });
    const detach = attachMaskinporten(instance, world.tokens, { destinations: [api.origin] });
    const seen: WeakRef<object>[] = [];
    const one = async (): Promise<void> =>
      MaskinportenContext.run({ scopes: ['acme:read'] }, async () => {
        const scope = MaskinportenContext.current;
        if (scope === undefined) throw new Error('there is no context');
        seen.push(new WeakRef(scope));
        await instance.get('/claims');
      });
    for (let sent = 0; sent < REQUESTS; sent += 50) await Promise.all(Array.from({ length: 50 }, one));

    expect(seen).toHaveLength(REQUESTS);
    // A WeakRef keeps its target until the turn of the event loop ends.
    for (let round = 0; round < 3; round += 1) {
      await nextTurn();
      collectGarbage();
    }
    const alive = seen.filter((reference) => reference.deref() !== undefined).length;
    // An idle socket holds the context it was opened in and that of its last request: a number that does not grow.
    expect(alive).toBeLessThanOrEqual(2 * SOCKETS);
    detach();
    agent.destroy();
  });
});
