import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sized } from '../../../../test/support/size.js';
import { isMaskinportenError } from '../errors/index.js';
import { createTokenService, type MaskinportenTokenService, type TokenEvent } from '../tokens/index.js';
import type { TokenServiceConfig } from '../tokens/index.js';
import { rotateKey } from './index.js';
import { CLIENT, makeKey, NEW, OLD, SCOPE, SelfServiceBench } from './self-service.fixtures.js';

const STRANGER = makeKey('stranger');
const CALLERS = sized({ test: 2, soak: 8 });
const directory = mkdtempSync(join(tmpdir(), 'maskinporten-rotation-'));
const file = join(directory, 'key.jwk');

let bench: SelfServiceBench;
let load: Load | undefined;
beforeAll(async () => {
  bench = await SelfServiceBench.start();
});
afterAll(async () => {
  await bench.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(() => bench.simulator.operator.reset());
afterEach(async () => {
  await load?.stop();
  load = undefined;
});

function put(content: string): void {
  writeFileSync(file, content);
  chmodSync(file, 0o600);
}

/** Callers that always want a new token, and so a grant, until told to stop. */
class Load {
  readonly kids: (string | undefined)[] = [];
  readonly failures: unknown[] = [];
  readonly events: TokenEvent[] = [];
  readonly #tokens: MaskinportenTokenService;
  readonly #running: Promise<unknown>;
  readonly #callsOf = Array.from({ length: CALLERS }, () => 0);
  #stopping = false;

  private constructor(tokens: MaskinportenTokenService) {
    this.#tokens = tokens;
    tokens.onEvent((event) => this.events.push(event));
    this.#running = Promise.all(Array.from({ length: CALLERS }, (_, caller) => this.#call(caller)));
  }

  static async start(key: TokenServiceConfig['key']): Promise<Load> {
    return new Load(await createTokenService(bench.config(key)));
  }

  get calls(): number {
    return this.kids.length + this.failures.length;
  }

  async #call(caller: number): Promise<void> {
    // Each asks for something else, or they would share their grants.
    const request = { scopes: SCOPE, resource: `https://api-${caller}.example.no` };
    while (!this.#stopping) {
      try {
        const token = await this.#tokens.getToken(request);
        this.kids.push(token.kid);
        this.#tokens.invalidate(token);
      } catch (error) {
        this.failures.push(isMaskinportenError(error) ? error.toJSON() : error);
        await setImmediate();
      }
      this.#callsOf[caller] = Number(this.#callsOf[caller]) + 1;
    }
  }

  /** Lets every caller finish a call, so that no grant grows old while time passes. */
  async everybody(): Promise<void> {
    const until = this.#callsOf.map((calls) => calls + 1);
    while (this.#callsOf.some((calls, caller) => calls < Number(until[caller]))) await setImmediate();
  }

  /** The next events of a kind, from now on. */
  event(type: TokenEvent['type']): Promise<TokenEvent> {
    return new Promise((resolve) => {
      const stop = this.#tokens.onEvent((event) => {
        if (event.type !== type) return;
        stop();
        resolve(event);
      });
    });
  }

  async more(count: number): Promise<void> {
    const until = this.calls + count;
    while (this.calls < until) await setImmediate();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await this.#tokens.close();
  }
}

let unheardMs = 0;
/** Time passes, and every few seconds of it everybody gets to call: less than the ten that a grant may be old. */
async function wait(ms: number): Promise<void> {
  bench.clock.advance(ms);
  unheardMs += ms;
  if (unheardMs < 4_000) return;
  unheardMs = 0;
  await load?.everybody();
}

const endsInSeconds = (key: typeof OLD, seconds: number): object => ({
  ...key.jwk,
  exp: Math.floor(bench.clock.wall / 1000) + seconds,
});

const rotate = (prove = (): Promise<void> => bench.prove()) =>
  rotateKey({ api: bench.api, clientId: CLIENT, newKey: NEW.jwk, oldKid: OLD.kid, prove, wait, apply: true });

describe('a service under load while its key is rotated through the self-service API', () => {
  it('with the new and the old key in its ring: no call fails, and the new key signs in the end', async () => {
    // The new key first, although nobody knows it yet.
    load = await Load.start([{ jwk: NEW.privateJwk }, { jwk: OLD.privateJwk }]);
    await load.more(20);
    await rotate();
    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect([load.kids[0], load.kids.at(-1), bench.kids()]).toEqual([OLD.kid, NEW.kid, [NEW.kid]]);
    expect(load.kids.length).toBeGreaterThan(30 * CALLERS);
  });

  it('with the old key first: no call fails when it is taken away', async () => {
    load = await Load.start([{ jwk: OLD.privateJwk }, { jwk: NEW.privateJwk }]);
    await load.more(20);
    await rotate();
    await load.more(20);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.events).toContainEqual(
      expect.objectContaining({ type: 'key-fallback', fromKid: OLD.kid, toKid: NEW.kid }),
    );
    expect(load.kids.at(-1)).toBe(NEW.kid);
  });

  it('with a key file that is swapped once the new key has proved itself: no call fails', async () => {
    put(OLD.privateJwk);
    load = await Load.start({ file, watch: { intervalMs: 100 } });
    const running = load;
    await running.more(20);
    await rotate(async () => {
      await bench.prove();
      const changed = running.event('key-changed');
      put(NEW.privateJwk);
      await changed;
      await running.more(20);
    });
    await running.more(20);
    await running.stop();
    expect(running.failures).toEqual([]);
    expect([running.kids[0], running.kids.at(-1), bench.kids()]).toEqual([OLD.kid, NEW.kid, [NEW.kid]]);
    expect(running.events.filter(({ type }) => type === 'key-fallback')).toEqual([]);
  });

  it('F-118: with a wrong file, then the file of a key that nobody knows, then the right one: no call fails', async () => {
    put(OLD.privateJwk);
    load = await Load.start({ file, watch: { intervalMs: 100 } });
    const running = load;
    await running.more(20);
    await rotate(async () => {
      await bench.prove();
      const refused = running.event('key-reload-failed');
      put('{"kty":"RSA"');
      await refused;
      await running.more(20);
      const fellBack = running.event('key-fallback');
      put(STRANGER.privateJwk);
      await fellBack;
      await running.more(20);
      const changed = running.event('key-changed');
      put(NEW.privateJwk);
      await changed;
      await running.more(20);
    });
    await running.more(20);
    await running.stop();
    expect(running.failures).toEqual([]);
    expect([running.kids.at(-1), bench.kids()]).toEqual([NEW.kid, [NEW.kid]]);
    expect(running.kids).not.toContain(STRANGER.kid);
  });
});

describe('a service under load whose key ends at Maskinporten', () => {
  it('F-53: with a fallback key no call fails, and MP-121 is what made it change', async () => {
    await bench.api.replace(CLIENT, [endsInSeconds(OLD, 150), NEW.jwk]);
    load = await Load.start([{ jwk: OLD.privateJwk }, { jwk: NEW.privateJwk }]);
    for (let second = 0; second < 180; second += 4) await wait(4_000);
    await load.stop();
    expect(load.failures).toEqual([]);
    const changes = load.events.filter(({ type }) => type === 'key-fallback');
    const change = { fromKid: OLD.kid, toKid: NEW.kid, error: { code: 'MP_KEY_EXPIRED', mpCode: 'MP-121' } };
    // One for each grant that was on its way when the key ended.
    expect(changes).toMatchObject(Array.from(changes, () => change));
    expect(changes.length).toBeGreaterThanOrEqual(1);
    expect(changes.length).toBeLessThanOrEqual(CALLERS);
    expect([load.kids[0], load.kids.at(-1)]).toEqual([OLD.kid, NEW.kid]);
    expect(bench.simulator.log.some(({ refusal }) => refusal?.mpCode === 'MP-121')).toBe(true);
  });

  it('F-53: without one the tokens it has are served to their end, and only then it is MP_KEY_EXPIRED', async () => {
    await bench.api.replace(CLIENT, [endsInSeconds(OLD, 30)]);
    const tokens = await createTokenService({ ...bench.config({ jwk: OLD.privateJwk }), random: () => 0.5 });
    const background: TokenEvent[] = [];
    tokens.onEvent((event) => background.push(event));
    const outcomes: string[] = [];
    for (let second = 0; second < 130; second += 1) {
      outcomes.push(
        await tokens.getToken(SCOPE).then(
          () => 'token',
          (error: unknown) => (isMaskinportenError(error) ? error.code : String(error)),
        ),
      );
      bench.clock.advance(1000);
      await setImmediate();
    }
    await tokens.close();
    // 119 seconds of life, less the five that no token is used in.
    expect(outcomes.slice(0, 114)).toEqual(Array.from({ length: 114 }, () => 'token'));
    expect(outcomes.slice(115)).toEqual(Array.from({ length: 15 }, () => 'MP_KEY_EXPIRED'));
    expect(background).toContainEqual(expect.objectContaining({ type: 'token-refused', background: true }));
  });
});
