import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ACTIVATION_MS, publishKey, rotateKey, type RotateKeyOptions, type RotationProgress } from './index.js';
import { ADMINISTRATOR, CLIENT, makeKey, NEW, OLD, SelfServiceBench } from './self-service.fixtures.js';

const STRANGER = makeKey('new-key');
let bench: SelfServiceBench;
beforeAll(async () => {
  bench = await SelfServiceBench.start();
});
afterAll(() => bench.close());

let progress: RotationProgress[] = [];
let waitedMs = 0;
beforeEach(() => {
  bench.simulator.operator.reset();
  progress = [];
  waitedMs = 0;
});

const wait = (ms: number): Promise<void> => {
  waitedMs += ms;
  bench.clock.advance(ms);
  return Promise.resolve();
};

const options = (more: Partial<RotateKeyOptions> = {}): RotateKeyOptions => ({
  api: bench.api,
  clientId: CLIENT,
  newKey: NEW.jwk,
  oldKid: OLD.kid,
  prove: () => bench.prove(),
  wait,
  apply: true,
  onProgress: (step) => progress.push(step),
  ...more,
});

const steps = (): string[] => progress.map(({ step }) => step).filter((step, index, all) => step !== all[index - 1]);

/** What changed and proved, in order, as the simulator saw it. */
const seen = (): string[] =>
  bench.simulator.log.flatMap(({ server, method, status, header, checks }) => {
    if (server === 'self-service') {
      return method === 'POST' ? [`POST ${checks.find(({ check }) => check === 'jwks.valid')?.detail}`] : [];
    }
    return header?.['kid'] === NEW.kid ? [`grant of ${NEW.kid}: ${status}`] : [];
  });

const publish = (more: object = {}) => publishKey({ api: bench.api, clientId: CLIENT, key: NEW.jwk, ...more });

/** A rotation that stops at one of its steps, before or after its work. @returns how many steps there were. */
async function run(stopAt: number, after: boolean): Promise<number> {
  let count = 0;
  let proved = false;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    count += 1;
    const stops = count === stopAt;
    if (stops && !after) throw new Error('stopped');
    const result = await work();
    if (stops) throw new Error('stopped');
    return result;
  };
  const stopping = options({
    api: {
      read: (...args) => step(() => bench.api.read(...args)),
      replace: (...args) => step(() => bench.api.replace(...args)),
    },
    prove: () =>
      step(async () => {
        await bench.prove();
        proved = true;
      }),
    wait: (ms) => (ms < 1000 || progress.length % 40 !== 0 ? wait(ms) : step(() => wait(ms))),
  });
  const outcome = await rotateKey(stopping).then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
  expect(outcome).toBe(stopAt > count ? 'done' : 'stopped');
  // The old key is there until the new one has proved itself.
  expect(proved || bench.kids().includes(OLD.kid)).toBe(true);
  return count;
}

describe('publishing a key', () => {
  it('is a plan unless it is told to do it', async () => {
    const { plan, applied } = await publish();
    expect(plan.keys).toMatchObject([
      { kid: OLD.kid, action: 'keep' },
      { kid: NEW.kid, action: 'add' },
    ]);
    expect([applied, bench.changes(), bench.kids()]).toEqual([false, 0, [OLD.kid]]);
  });

  it('adds the key, and nothing more when it is run again', async () => {
    const first = await publish({ apply: true });
    expect([first.applied, first.set.keys.map(({ kid }) => kid)]).toEqual([true, [OLD.kid, NEW.kid]]);
    bench.clock.advance(1000);
    const again = await publish({ apply: true });
    expect([again.applied, again.plan.changes, bench.changes()]).toEqual([false, false, 1]);
    expect(bench.kids()).toEqual([OLD.kid, NEW.kid]);
  });

  it('leaves the ends of the other keys where they are, and gives a renewed key a new year', async () => {
    const [before] = await bench.wire();
    bench.clock.advance(24 * 3600 * 1000);
    await publish({ apply: true });
    const [old] = await bench.wire();
    expect(old).toEqual(before);
    await publishKey({ api: bench.api, clientId: CLIENT, key: OLD.jwk, renew: true, apply: true });
    const [renewed] = await bench.wire();
    expect(Number(renewed?.['exp']) - Number(before?.['exp'])).toBe(24 * 3600);
  });

  it('drops a key that has ended, without which the set could not be written', async () => {
    bench.clock.advance(366 * 24 * 3600 * 1000);
    // The key of the administration client has had its year too.
    bench.simulator.operator.clients.add(ADMINISTRATOR);
    const { plan } = await publish({ apply: true });
    expect(plan.keys).toMatchObject([
      { kid: OLD.kid, action: 'drop', reason: 'expired' },
      { kid: NEW.kid, action: 'add' },
    ]);
    expect(bench.kids()).toEqual([NEW.kid]);
  });

  it('says so when somebody else took all keys away at the same time', async () => {
    let reads = 0;
    const api = {
      read: async () => {
        reads += 1;
        return { ...(await bench.api.read(CLIENT)), ...(reads === 2 && { keys: [] }) };
      },
      replace: bench.api.replace.bind(bench.api),
    };
    await expect(publish({ api, apply: true })).rejects.toThrow('but none.');
  });

  it('says so when somebody else wrote the set at the same time', async () => {
    const api = {
      read: bench.api.read.bind(bench.api),
      replace: async (...args: Parameters<typeof bench.api.replace>) => {
        const set = await bench.api.replace(...args);
        await bench.api.replace(CLIENT, [OLD.jwk]);
        return set;
      },
    };
    await expect(publish({ api, apply: true })).rejects.toMatchObject({
      code: 'MP_UPSTREAM',
      retryable: true,
      failures: [{ field: 'selfServiceUrl' }],
    });
  });
});

describe('rotating a key', () => {
  it('is a plan unless it is told to do it', async () => {
    const result = await rotateKey(options({ apply: false }));
    expect(result).toMatchObject({
      applied: false,
      waitMs: ACTIVATION_MS,
      publish: {
        keys: [
          { kid: OLD.kid, action: 'keep' },
          { kid: NEW.kid, action: 'add' },
        ],
      },
      remove: {
        keys: [
          { kid: OLD.kid, action: 'drop', reason: 'named' },
          { kid: NEW.kid, action: 'keep' },
        ],
      },
    });
    expect([bench.changes(), progress, waitedMs]).toEqual([0, [], 0]);
  });

  it('publishes, waits two minutes, proves the new key, and only then takes the old one away', async () => {
    const result = await rotateKey(options());
    expect(result.applied).toBe(true);
    expect(steps()).toEqual(['publish', 'wait', 'prove', 'remove', 'done']);
    expect(seen()).toEqual([`POST ${OLD.kid} ${NEW.kid}`, `grant of ${NEW.kid}: 200`, `POST ${NEW.kid}`]);
    expect([waitedMs, bench.kids()]).toEqual([ACTIVATION_MS, [NEW.kid]]);
  });

  it('tells every second how long it still takes', async () => {
    await rotateKey(options());
    const remaining = progress.flatMap((told) => (told.step === 'wait' ? [told.remainingMs] : []));
    expect(remaining).toHaveLength(120);
    expect([remaining[0], remaining.at(-1)]).toEqual([120_000, 1_000]);
  });

  it('changes nothing when it is run again', async () => {
    await rotateKey(options());
    const changes = bench.changes();
    const again = await rotateKey(options());
    expect([again.publish.changes, again.remove, bench.changes()]).toEqual([false, undefined, changes]);
    expect(bench.kids()).toEqual([NEW.kid]);
  });

  it('waits only for what is left of the two minutes when it was stopped after publishing', async () => {
    await publishKey({ api: bench.api, clientId: CLIENT, key: NEW.jwk, apply: true });
    bench.clock.advance(50_000);
    const result = await rotateKey(options());
    // And one second, for the dates of the answers have no fractions.
    expect([result.waitMs, waitedMs, bench.kids()]).toEqual([71_000, 71_000, [NEW.kid]]);
  });

  it('may be stopped before and after any step, and comes to the same end', async () => {
    const total = await run(Number.POSITIVE_INFINITY, true);
    expect(total).toBeGreaterThanOrEqual(8);
    for (let stopAt = 1; stopAt <= total; stopAt += 1) {
      for (const after of [false, true]) {
        bench.simulator.operator.reset();
        progress = [];
        await run(stopAt, after);
        await rotateKey(options());
        expect(bench.kids()).toEqual([NEW.kid]);
        await bench.prove();
      }
    }
  });

  it('waits long enough although the API counts in whole seconds: the first proof succeeds', async () => {
    bench.clock.advance(900);
    const api = {
      read: async (...args: Parameters<typeof bench.api.read>) => {
        // The second has turned when the set is read back.
        bench.clock.advance(60);
        return bench.api.read(...args);
      },
      replace: bench.api.replace.bind(bench.api),
    };
    await rotateKey(options({ api }));
    expect(seen().filter((event) => event.startsWith('grant'))).toEqual([`grant of ${NEW.kid}: 200`]);
    bench.clock.advance(1_000 - (bench.clock.wall % 1_000));
  });

  it('is patient with a token endpoint that takes longer than the two minutes', async () => {
    const client = { clientId: CLIENT, orgno: '310000019', jwks: { keys: [OLD.jwk] }, scopes: ['acme:read'] };
    bench.simulator.operator.clients.add({ ...client, keyActivationSeconds: 150 });
    // The configured key waits too.
    bench.clock.advance(150_000);
    await rotateKey(options());
    expect(waitedMs).toBe(150_000);
    expect(seen().slice(1, -1)).toEqual([400, 400, 200].map((status) => `grant of ${NEW.kid}: ${status}`));
    expect(bench.kids()).toEqual([NEW.kid]);
  });

  it('leaves both keys when the new one never proves itself', async () => {
    // The private key at hand is not that of the public key which was published.
    await expect(rotateKey(options({ prove: () => bench.prove(STRANGER) }))).rejects.toMatchObject({
      code: 'MP_SIGNATURE',
      mpCode: 'MP-124',
    });
    expect([bench.kids(), waitedMs]).toEqual([[OLD.kid, NEW.kid], 240_000]);
  });

  it('leaves both keys when the client may not have the token, without waiting for that to change', async () => {
    bench.simulator.operator.ungranted.add({ orgno: '310000019', scope: 'acme:read' });
    await expect(rotateKey(options())).rejects.toMatchObject({ code: 'MP_NOT_GRANTED' });
    expect([bench.kids(), waitedMs]).toEqual([[OLD.kid, NEW.kid], ACTIVATION_MS]);
  });

  it('keeps the old key when told to, and takes it away in another run', async () => {
    const first = await rotateKey(options({ keepOld: true }));
    expect([first.remove, steps(), bench.kids()]).toEqual([
      undefined,
      ['publish', 'wait', 'prove', 'done'],
      [OLD.kid, NEW.kid],
    ]);
    await rotateKey(options());
    // The one second that the dates leave open.
    expect([waitedMs, bench.kids()]).toEqual([ACTIVATION_MS + 1_000, [NEW.kid]]);
  });

  it('keeps what somebody else has registered in the two minutes', async () => {
    const other = makeKey('other');
    const prove = async (): Promise<void> => {
      await bench.prove();
      await bench.api.replace(CLIENT, [OLD.jwk, NEW.jwk, other.jwk]);
    };
    await rotateKey(options({ prove }));
    expect(bench.kids()).toEqual([NEW.kid, 'other']);
  });

  it('leaves the old key when somebody else has taken the new one away, although it has proved itself', async () => {
    const other = makeKey('other');
    const prove = async (): Promise<void> => {
      await bench.prove();
      await bench.api.replace(CLIENT, [OLD.jwk, other.jwk]);
    };
    await expect(rotateKey(options({ prove }))).rejects.toMatchObject({ code: 'MP_UPSTREAM', retryable: true });
    expect(bench.kids()).toEqual([OLD.kid, 'other']);
  });

  it('leaves the old key when another key has got the kid of the new one', async () => {
    const prove = async (): Promise<void> => {
      await bench.prove();
      await bench.api.replace(CLIENT, [OLD.jwk, STRANGER.jwk]);
    };
    await expect(rotateKey(options({ prove }))).rejects.toMatchObject({ code: 'MP_UPSTREAM' });
    expect(bench.kids()).toEqual([OLD.kid, NEW.kid]);
  });

  it('drops the key that was named also when the new key is there already, and does not wait for that', async () => {
    await bench.api.replace(CLIENT, [OLD.jwk, NEW.jwk, makeKey('third').jwk]);
    bench.clock.advance(ACTIVATION_MS + 1_000);
    const result = await rotateKey(options({ drop: 'third', keepOld: true }));
    expect(result.publish.keys).toContainEqual(expect.objectContaining({ kid: 'third', action: 'drop' }));
    expect([bench.kids(), waitedMs]).toEqual([[OLD.kid, NEW.kid], 0]);
  });

  it('renews a new key that has ended before it was used', async () => {
    await bench.api.replace(CLIENT, [OLD.jwk, { ...NEW.jwk, exp: bench.clock.wall / 1000 + 10 }]);
    bench.clock.advance(20_000);
    const result = await rotateKey(options());
    expect(result.publish.keys).toMatchObject([
      { action: 'keep' },
      { kid: NEW.kid, action: 'renew', reason: 'expired' },
    ]);
    expect(bench.kids()).toEqual([NEW.kid]);
  });

  it('among five keys needs to be told which one makes room', async () => {
    const others = ['a', 'b', 'c', 'd'].map((kid) => makeKey(kid).jwk);
    await bench.api.replace(CLIENT, [OLD.jwk, ...others]);
    await expect(rotateKey(options())).rejects.toMatchObject({ code: 'MP_CONFIG', failures: [{ field: 'keys' }] });
    await rotateKey(options({ drop: 'd' }));
    expect(bench.kids()).toEqual(['a', 'b', 'c', NEW.kid]);
  });

  it.each([
    ['misspelt', { oldKid: 'old-kye' }, 'old-kye is not registered; registered are old-key'],
    ['the new one', { oldKid: NEW.kid }, 'is also named as the new key'],
    ['the one to drop', { drop: OLD.kid }, 'is also named as the new key or as the one to drop'],
  ])('refuses an old key that is %s', async (_what, more, reason) => {
    await expect(rotateKey(options(more))).rejects.toMatchObject({
      code: 'MP_CONFIG',
      failures: [{ field: 'oldKid', reason: expect.stringContaining(reason) }],
    });
    expect(bench.changes()).toBe(0);
  });

  it('waits the whole two minutes when the API says neither when the set was changed nor what time it is', async () => {
    const undated = {
      read: async (...args: Parameters<typeof bench.api.read>) => ({ keys: (await bench.api.read(...args)).keys }),
      replace: bench.api.replace.bind(bench.api),
    };
    await publishKey({ api: undated, clientId: CLIENT, key: NEW.jwk, apply: true, nowMs: () => bench.clock.wall });
    bench.clock.advance(50_000);
    const result = await rotateKey(options({ api: undated, nowMs: () => bench.clock.wall }));
    expect([result.waitMs, waitedMs, bench.kids()]).toEqual([ACTIVATION_MS, ACTIVATION_MS, [NEW.kid]]);
  });

  it('never waits longer than two minutes, nor less than none, whatever the API dates its answers', async () => {
    for (const offMs of [-1e9, 1e9]) {
      bench.simulator.operator.reset();
      waitedMs = 0;
      const odd = {
        read: async (...args: Parameters<typeof bench.api.read>) => {
          const set = await bench.api.read(...args);
          return { ...set, changedAt: new Date(bench.clock.wall + offMs) };
        },
        replace: bench.api.replace.bind(bench.api),
      };
      await rotateKey(options({ api: odd }));
      // Where the two minutes seem to be over, the proof has the patience.
      expect([waitedMs, bench.kids()]).toEqual([ACTIVATION_MS, [NEW.kid]]);
    }
  });

  it('ends at once when it is given up, with both keys registered', async () => {
    const controller = new AbortController();
    const { wait: _waiting, ...real } = options({ signal: controller.signal });
    const rotation = rotateKey({
      ...real,
      onProgress: ({ step }) => {
        if (step === 'wait') controller.abort();
      },
    });
    await expect(rotation).rejects.toMatchObject({ code: 'MP_ABORTED' });
    expect(bench.kids()).toEqual([OLD.kid, NEW.kid]);
  });
});
