import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { type KeyObject } from 'node:crypto';
import { tmpdir } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Simulator } from 'maskinporten-simulator';
import { PATIENT } from '../../../../test/support/patience.js';
import { rsaKeyPair } from '../../../../test/support/pool.js';
import { startTestSimulator } from '../testing/simulator.fixtures.js';
import {
  createTokenService,
  type MaskinportenTokenService,
  type TokenEvent,
  type TokenServiceConfig,
} from './index.js';

const CLIENT = 'a-client';
const SCOPE = 'acme:read';

interface Pair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: Record<string, unknown>;
}

function pair(kid: string): Pair {
  const { privateKey, publicKey } = rsaKeyPair();
  return { kid, privateKey, publicJwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' } };
}

const [first, second, stranger] = [pair('first'), pair('second'), pair('stranger')] as const;

const file = join(mkdtempSync(join(tmpdir(), 'maskinporten-reload-')), 'key.jwk');
function put(content: string): void {
  writeFileSync(file, content);
  chmodSync(file, 0o600);
}
const jwk = ({ kid, privateKey }: Pair): string => JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid });

let simulator: Simulator | undefined;
let service: MaskinportenTokenService | undefined;
afterEach(async () => {
  await service?.close();
  await simulator?.close();
});

/** What Maskinporten knows of the client from now on. */
async function register(...keys: Pair[]): Promise<void> {
  const client = {
    clientId: CLIENT,
    orgno: '310000019',
    jwks: { keys: keys.map(({ publicJwk }) => publicJwk) },
    scopes: [SCOPE],
  };
  if (simulator === undefined) throw new Error('no simulator');
  const url = `${simulator.operatorUrl}/operator/api/clients`;
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(client) });
  if (!answer.ok) throw new Error(`the operator answered ${answer.status}: ${await answer.text()}`);
}

async function start(key: TokenServiceConfig['key'] = { file, watch: { intervalMs: 100 } }): Promise<Load> {
  simulator = await startTestSimulator();
  await register(first);
  service = await createTokenService({ issuer: simulator.issuer, clientId: CLIENT, key, retry: PATIENT });
  return new Load(service);
}

/** Calls that always want a new token, one after the other, until told to stop. */
class Load {
  readonly kids: (string | undefined)[] = [];
  readonly failures: unknown[] = [];
  readonly events: TokenEvent[] = [];
  readonly #service: MaskinportenTokenService;
  #stopping = false;
  readonly #running: Promise<void>;

  constructor(tokens: MaskinportenTokenService) {
    this.#service = tokens;
    tokens.onEvent((event) => this.events.push(event));
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        const token = await this.#service.getToken(SCOPE);
        this.kids.push(token.kid);
        this.#service.invalidate(token);
      } catch (error) {
        this.failures.push(error);
        // A remembered refusal is thrown without waiting for anything: let the rest of the process run.
        await setImmediate();
      }
    }
  }

  event(type: TokenEvent['type']): Promise<TokenEvent> {
    return new Promise((resolve) => {
      const stop = this.#service.onEvent((event) => {
        if (event.type !== type) return;
        stop();
        resolve(event);
      });
    });
  }

  async calls(count: number): Promise<void> {
    const until = this.kids.length + this.failures.length + count;
    while (this.kids.length + this.failures.length < until) await this.event('token-obtained');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }
}

describe('a service under load whose key changes', () => {
  it('F-117: the file is swapped after the new key was registered: no call fails, and the new key signs', async () => {
    put(jwk(first));
    const load = await start();
    await load.calls(3);
    await register(first, second);
    const changed = load.event('key-changed');
    put(jwk(second));
    expect(await changed).toEqual({ type: 'key-changed', reason: 'reloaded', fromKid: 'first', toKid: 'second' });
    await load.calls(3);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect([load.kids[0], load.kids.at(-1)]).toEqual(['first', 'second']);
    expect(service?.status.key).toMatchObject({ kid: 'second', fallback: false, reloadFailures: [] });
  });

  it('F-118: a wrong file is told and leaves the key that works; the right one ends it', async () => {
    put(jwk(first));
    const load = await start();
    await load.calls(1);
    const failed = load.event('key-reload-failed');
    put(jwk(second).slice(0, 500));
    expect(await failed).toMatchObject({ field: 'key.file', error: { code: 'MP_CONFIG' } });
    expect(service?.status.key).toMatchObject({ kid: 'first', reloadFailures: [{ field: 'key.file' }] });
    await load.calls(3);
    await register(first, second);
    const changed = load.event('key-changed');
    put(jwk(second));
    await changed;
    await load.calls(1);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(service?.status.key).toMatchObject({ kid: 'second', reloadFailures: [] });
  });

  it('F-117: a key that Maskinporten does not know falls back to the one before it, within the same call', async () => {
    put(jwk(first));
    const load = await start();
    await load.calls(1);
    const fallback = load.event('key-fallback');
    put(jwk(stranger));
    expect(await fallback).toMatchObject({ fromKid: 'stranger', toKid: 'first' });
    await load.calls(3);
    await load.stop();
    expect([load.failures, load.kids.at(-1)]).toEqual([[], 'first']);
    expect(service?.status.key).toMatchObject({ kid: 'first', fallback: true });
  });

  it('the old key is taken away at Maskinporten: the next one in the list signs, within the same call', async () => {
    put(jwk(first));
    const load = await start([{ file }, { jwk: jwk(second) }]);
    await load.calls(2);
    const fallback = load.event('key-fallback');
    await register(second);
    await fallback;
    await load.calls(2);
    await load.stop();
    expect([load.failures, load.kids.at(-1)]).toEqual([[], 'second']);
  });

  it('a refused key leaves its usable tokens in place until another key has brought one', async () => {
    put(jwk(first));
    const load = await start([{ file }, { jwk: jwk(stranger) }]);
    await load.stop();
    const tokens = service as MaskinportenTokenService;
    const kept = await tokens.getToken(SCOPE);
    await register(second);
    await expect(tokens.getToken({ scopes: SCOPE, resource: 'https://api.example.no' })).rejects.toMatchObject({
      code: 'MP_SIGNATURE',
    });
    expect(await tokens.getToken(SCOPE)).toBe(kept);
  });
});
