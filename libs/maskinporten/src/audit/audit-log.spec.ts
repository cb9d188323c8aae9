import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isMaskinportenError } from '../errors/index.js';
import { AuditLog } from './audit-log.js';
import type { AuditLogOptions, AuditStatus } from './audit-log-options.js';
import type { AuditEntry, AuditRecord } from './audit-record.js';
import { AuditConflictError } from './audit-store.js';
import { GENESIS, hashOf } from './chain.js';
import { CheckpointVerifier, type AuditCheckpoint } from './checkpoint.js';
import { MemoryAuditStore } from './memory-audit-store.fixtures.js';

const intent = (requestId = 'r-1'): AuditEntry => ({ kind: 'call-intent', requestId, method: 'GET', host: 'api.test' });
const outcome = (requestId = 'r-1'): AuditEntry => ({ kind: 'call-outcome', requestId, status: 200, durationMs: 12 });
const down = (code = 'ECONNREFUSED'): Error => Object.assign(new Error('no database'), { code });

const nothing = (): void => undefined;
const throwing = (): never => {
  throw new Error('listener');
};

/** A database that can be switched off. */
class SwitchedStore extends MemoryAuditStore {
  isDown = false;
  override beforeAppend = (): Promise<void> | void => {
    if (this.isDown) throw down();
  };
  override latestHead(): ReturnType<MemoryAuditStore['latestHead']> {
    return this.isDown ? Promise.reject(down()) : super.latestHead();
  }
}

let store: SwitchedStore;
let logs: AuditLog[];
const open = (options: Partial<AuditLogOptions> = {}): AuditLog => {
  const log = new AuditLog({ store, lingerMs: 0, random: () => 0, ...options });
  logs.push(log);
  return log;
};
beforeEach(() => {
  store = new SwitchedStore();
  logs = [];
});
afterEach(async () => {
  store.isDown = false;
  await Promise.all(logs.map((log) => log.close()));
});

/** Resolves when the log has said that it is in this state. */
function stateChanges(): {
  onState: (status: AuditStatus) => void;
  until: (state: AuditStatus['state']) => Promise<AuditStatus>;
} {
  const seen: AuditStatus[] = [];
  const waiting = new Set<() => void>();
  return {
    onState: (status) => {
      seen.push(status);
      for (const check of waiting) check();
    },
    until: (state) =>
      new Promise((resolve) => {
        const check = (): void => {
          const last = seen.at(-1);
          if (last?.state !== state) return;
          waiting.delete(check);
          resolve(last);
        };
        waiting.add(check);
        check();
      }),
  };
}

const kinds = (records: readonly AuditRecord[] = store.stored): string[] => records.map(({ kind }) => kind);
const auditRefusal = async (promise: Promise<void>): Promise<void> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(isMaskinportenError(error, 'MP_AUDIT')).toBe(true);
};

describe('AuditLog', () => {
  it('chains records from the opening to the close, and resolves when they are stored', async () => {
    const log = open({ rulebookVersion: '1.2.3' });
    await log.write(intent());
    expect(kinds()).toEqual(['opened', 'call-intent']);
    await log.write(outcome());
    await log.close();
    expect(kinds()).toEqual(['opened', 'call-intent', 'call-outcome', 'closed']);
    let previous = GENESIS;
    for (const [index, record] of store.stored.entries()) {
      const { hash, ...unsealed } = record;
      expect(record).toMatchObject({ seq: index + 1, previous, rulebookVersion: '1.2.3' });
      expect(hash).toBe(hashOf(unsealed));
      previous = hash;
    }
    expect(store.closed).toBe(true);
  });

  it('names in its opening how far the writer before had come', async () => {
    const first = open();
    await first.write(intent());
    const second = open();
    await second.write(intent());
    const [, , opened] = store.stored;
    const { writer: earlierWriter, seq: earlierSeq, hash: earlierHash } = store.stored[1] as AuditRecord;
    expect(opened).toMatchObject({ kind: 'opened', earlierWriter, earlierSeq, earlierHash });
  });

  it('looks again when another writer was opened in between: each is named once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => open().write(intent())));
    const openings = store.stored.filter(({ kind }) => kind === 'opened');
    expect(openings).toHaveLength(8);
    expect(new Set(openings.map(({ earlierWriter }) => earlierWriter)).size).toBe(8);
  });

  it('stores what came meanwhile as one batch, in the order of writing', async () => {
    const log = open();
    await Promise.all(Array.from({ length: 100 }, (_, index) => log.write(intent(`r-${index}`))));
    expect(store.stored.slice(1).map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: 100 }, (_, index) => `r-${index}`),
    );
    expect(store.batches).toBe(1);
  });

  it('keeps batches within their size', async () => {
    const log = open({ maxBatch: 10 });
    await Promise.all(Array.from({ length: 95 }, () => log.write(intent())));
    expect(store.batches).toBe(10);
    expect(kinds().filter((kind) => kind === 'call-intent')).toHaveLength(95);
  });

  it('stores what nobody waits for, before what is waited for later', async () => {
    const log = open();
    log.record({ kind: 'delegation', requestId: 'r-1', decision: 'allowed' });
    await log.write(intent(), { required: true });
    expect(kinds()).toEqual(['opened', 'delegation', 'call-intent']);
  });

  it('stores what nobody waits for on its own after a while', async () => {
    let stored = nothing;
    const done = new Promise<void>((resolve) => (stored = resolve));
    store.afterAppend = () => stored();
    open().record(outcome());
    await done;
    expect(kinds()).toEqual(['opened', 'call-outcome']);
  });

  it.each([new Date(Number.NaN), new Date(8.64e15), new Date(-8.64e15)])(
    'a time that no database takes (%j) does not stop the log: now stands instead',
    async (at) => {
      const log = open({ now: () => new Date('2026-03-14T10:00:00.000Z') });
      log.record({ ...intent(), at });
      await log.write(outcome());
      expect(store.stored.map((record) => record.at)).toEqual(
        Array.from({ length: 3 }, () => '2026-03-14T10:00:00.000Z'),
      );
    },
  );

  it('takes nothing after the close, and closing twice is one close', async () => {
    const log = open();
    await log.write(intent());
    await Promise.all([log.close(), log.close()]);
    await auditRefusal(log.write(intent()));
    await expect(log.offer(intent())).resolves.toBe(false);
    log.record(intent());
    expect(kinds()).toEqual(['opened', 'call-intent', 'closed']);
  });

  it('leaves no trace of a process that recorded nothing', async () => {
    await open().close();
    expect(store.stored).toEqual([]);
  });

  it('refuses numbers out of range, all of them at once', () => {
    expect(() => new AuditLog({ store, maxBatch: 0, deadlineMs: 0.5 })).toThrow(/audit\.deadlineMs.*audit\.maxBatch/);
  });

  describe('while the store does not answer', () => {
    it('F-133: what is required is refused with MP_AUDIT, at once from the second time, until it answers again', async () => {
      const { onState, until } = stateChanges();
      const log = open({ onState });
      await log.write(intent());
      store.isDown = true;
      await auditRefusal(log.write(intent('lost'), { required: true }));
      const before = store.batches;
      await auditRefusal(log.write(intent('at once'), { required: true }));
      expect(store.batches).toBe(before);
      expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: 'ECONNREFUSED' });
      store.isDown = false;
      await until('up');
      await log.write(intent('again'), { required: true });
      expect(store.stored.map(({ requestId }) => requestId)).not.toContain('at once');
      expect(store.stored.at(-1)).toMatchObject({ requestId: 'again' });
    });

    it('F-133: a store that is down at the start is found to be up again without anybody writing', async () => {
      const { onState, until } = stateChanges();
      store.isDown = true;
      const log = open({ onState });
      await auditRefusal(log.write(intent(), { required: true }));
      store.isDown = false;
      await until('up');
      await log.write(intent('r-2'), { required: true });
      expect(kinds()).toEqual(['opened', 'call-intent']);
    });

    it('F-133: everything else waits and is stored in order', async () => {
      const { onState, until } = stateChanges();
      const log = open({ onState });
      await log.write(intent('r-0'));
      store.isDown = true;
      const written = log.write(outcome('r-1'));
      await until('degraded');
      await expect(log.offer(outcome('r-2'))).resolves.toBe(false);
      log.record(outcome('r-3'));
      expect(log.status()).toMatchObject({ pending: 3, lost: 0 });
      store.isDown = false;
      await written;
      await log.close();
      expect(store.stored.map(({ requestId }) => requestId)).toEqual([
        undefined,
        'r-0',
        'r-1',
        'r-2',
        'r-3',
        undefined,
      ]);
    });

    it('F-133: what does not fit into the queue is counted, and a gap in the log says how much', async () => {
      const { onState, until } = stateChanges();
      const log = open({ onState, maxPending: 5 });
      await log.write(intent());
      store.isDown = true;
      const first = log.write(outcome('first'));
      await until('degraded');
      for (let index = 0; index < 12; index += 1) log.record(outcome(`q-${index}`));
      expect(log.status()).toMatchObject({ pending: 6, lost: 7 });
      store.isDown = false;
      await first;
      await log.close();
      const gap = store.stored.find(({ kind }) => kind === 'gap');
      expect(gap).toMatchObject({ lost: 7 });
      expect(store.stored.map(({ requestId }) => requestId).filter((id) => id?.startsWith('q-'))).toHaveLength(5);
      expect(kinds().at(-1)).toBe('closed');
    });

    it('F-133: an offer that waits is let go when the store fails', async () => {
      const log = open();
      await log.write(intent());
      store.isDown = true;
      await expect(log.offer(outcome())).resolves.toBe(false);
    });

    it('F-133: what is required and not answered within the deadline does not happen', async () => {
      const log = open({ deadlineMs: 20 });
      await log.write(intent());
      let answer = nothing;
      const begun = new Promise<void>((tell) => {
        store.beforeAppend = () => {
          tell();
          return new Promise((resolve) => (answer = resolve));
        };
      });
      const offered = log.offer(outcome('offered'));
      await begun;
      await auditRefusal(log.write(intent('too late'), { required: true }));
      await expect(offered).resolves.toBe(false);
      expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: 'TIMEOUT' });
      store.beforeAppend = () => undefined;
      answer();
      await log.close();
      const ids = store.stored.map(({ requestId }) => requestId);
      expect(ids).toContain('offered');
      expect(ids).not.toContain('too late');
    });

    it('a batch whose answer was lost is neither written twice nor lost', async () => {
      const log = open();
      let failures = 3;
      store.afterAppend = () => {
        failures -= 1;
        if (failures >= 0) throw down('08006');
      };
      await log.write(intent('r-1'));
      await log.write(intent('r-2'));
      expect(store.stored.map(({ requestId }) => requestId)).toEqual([undefined, 'r-1', 'r-2']);
    });

    it('gives up when it is closed and the store stays away', async () => {
      const log = open();
      await log.write(intent());
      store.isDown = true;
      const offered = log.write(outcome());
      const closing = log.close(10);
      await auditRefusal(offered);
      await closing;
      expect(log.status()).toMatchObject({ lost: 1, pending: 0 });
      expect(store.closed).toBe(true);
    });

    it('F-138: a listener that throws does not stop it', async () => {
      const key = generateKeyPairSync('ed25519').privateKey;
      const log = open({ onState: throwing, onCheckpoint: throwing, checkpointKey: key });
      await log.write(intent());
      store.isDown = true;
      await auditRefusal(log.write(intent(), { required: true }));
      store.isDown = false;
      await log.close();
      expect(kinds().at(-1)).toBe('closed');
    });

    it('a database that lost what it had accepted gets a new writer, which says how far the old one had come', async () => {
      const log = open();
      await log.write(intent('r-1'));
      await log.write(intent('r-2'));
      store.stored = store.stored.slice(0, 2);
      await log.write(intent('r-3'), { required: true });
      const written = store.stored.map(({ requestId, kind }) => requestId ?? kind);
      expect(written).toEqual(['opened', 'r-1', 'opened', 'conflict', 'r-3']);
      expect(store.stored[2]).toMatchObject({ earlierSeq: 3 });
      expect(store.stored[3]).toMatchObject({ earlierSeq: 3 });
      expect(new Set(store.stored.map(({ writer }) => writer)).size).toBe(2);
    });

    it('a store that refuses every opening is a failure, not an endless loop', async () => {
      store.beforeAppend = () => {
        throw new AuditConflictError('opening', 'always');
      };
      const log = open();
      await auditRefusal(log.write(intent(), { required: true }));
      expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: 'CONFLICT' });
      store.beforeAppend = () => undefined;
    });
  });

  describe('while the store is being opened', () => {
    /** A database that takes its time: whoever asks waits. */
    class OpeningStore extends MemoryAuditStore {
      open = nothing;
      fail: (error: Error) => void = nothing;
      readonly opened = new Promise<void>((resolve, reject) => {
        this.open = resolve;
        this.fail = reject;
      });
      override async latestHead(): ReturnType<MemoryAuditStore['latestHead']> {
        await this.opened;
        return super.latestHead();
      }
    }
    let opening: OpeningStore;
    beforeEach(() => {
      opening = new OpeningStore();
      opening.opened.catch(nothing);
    });
    afterEach(() => {
      opening.open();
      jest.useRealTimers();
    });

    it('F-133: what must be recorded waits, without a deadline, and is stored before anybody goes on', async () => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
      const log = open({ store: opening });
      const outcomes: string[] = [];
      const written = log.write(intent(), { required: true }).then(() => outcomes.push(kinds(opening.stored).join()));
      await jest.advanceTimersByTimeAsync(3_600_000);
      expect(outcomes).toEqual([]);
      expect(log.status()).toMatchObject({ state: 'opening', pending: 1, lost: 0, seq: 0 });
      opening.open();
      await written;
      expect(outcomes).toEqual(['opened,call-intent']);
      expect(log.status()).toMatchObject({ state: 'up', pending: 0 });
      // No deadline is left that could call the log failing.
      await jest.advanceTimersByTimeAsync(3_600_000);
      expect(log.status().state).toBe('up');
    });

    it('the deadline begins when it is open', async () => {
      jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
      opening.beforeAppend = () => new Promise(nothing);
      const log = open({ store: opening });
      const written = log.write(intent(), { required: true });
      const refused = auditRefusal(written);
      opening.open();
      await jest.advanceTimersByTimeAsync(2_000);
      await refused;
      expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: 'TIMEOUT' });
      jest.useRealTimers();
      await log.close(1);
    });

    it('nobody else waits, and nothing is lost', async () => {
      const log = open({ store: opening });
      expect(await log.offer(intent('r-1'))).toBe(false);
      log.record(outcome('r-1'));
      const written = log.write(intent('r-2'), { required: true });
      opening.open();
      await written;
      expect(kinds(opening.stored)).toEqual(['opened', 'call-intent', 'call-outcome', 'call-intent']);
    });

    it('F-133: what waits is refused when it cannot be opened', async () => {
      const log = open({ store: opening });
      const refused = auditRefusal(log.write(intent(), { required: true }));
      opening.fail(down('ENOSPC'));
      await refused;
      expect(log.status()).toMatchObject({ state: 'degraded', lastErrorCode: 'ENOSPC', pending: 0, lost: 0 });
      await log.close(1);
    });

    it('a log that is closed waits for the store when there is something to store, and not when there is nothing', async () => {
      const empty = open({ store: opening });
      await empty.close();
      expect(opening.closed).toBe(true);
      opening = new OpeningStore();
      const log = open({ store: opening });
      log.record(outcome());
      const closed = log.close();
      await auditRefusal(log.write(intent(), { required: true }));
      expect(opening.closed).toBe(false);
      opening.open();
      await closed;
      expect(kinds(opening.stored)).toEqual(['opened', 'call-outcome', 'closed']);
      expect(opening.closed).toBe(true);
    });
  });

  describe('checkpoints', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');

    it('signs the opening, each so many records, and the end; and tells each that is stored', async () => {
      const told: AuditCheckpoint[] = [];
      const log = open({
        checkpointKey: privateKey,
        checkpointEvery: { records: 10 },
        onCheckpoint: (checkpoint) => told.push(checkpoint),
      });
      for (let index = 0; index < 24; index += 1) await log.write(intent());
      await log.close();
      expect(store.storedCheckpoints.map(({ seq }) => seq)).toEqual([2, 12, 22, 26]);
      expect(told).toEqual(store.storedCheckpoints);
      const verifier = new CheckpointVerifier([publicKey]);
      for (const checkpoint of told) {
        expect(verifier.isGenuine(checkpoint)).toBe(true);
        expect(checkpoint.hash).toBe(store.stored[checkpoint.seq - 1]?.hash);
        for (const changed of [
          { seq: checkpoint.seq + 1 },
          { hash: GENESIS },
          { writer: randomUUID() },
          { keyId: '0' },
        ]) {
          expect(verifier.isGenuine({ ...checkpoint, ...changed })).toBe(false);
        }
      }
    });

    it('signs what no checkpoint covers when its time is up, although nobody writes any more', async () => {
      let signed = nothing;
      const done = new Promise<void>((resolve) => (signed = resolve));
      const log = open({
        checkpointKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
        checkpointEvery: { seconds: 1 },
        onCheckpoint: ({ seq }) => (seq === 3 ? signed() : undefined),
      });
      await log.write(intent());
      await log.write(outcome());
      await done;
      expect(store.storedCheckpoints.map(({ seq }) => seq)).toEqual([2, 3]);
    });

    it.each([
      ['an RSA key', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
      ['a public key', publicKey],
      ['a text', 'secret that must not be quoted'],
    ])('refuses %s', (_name, checkpointKey) => {
      expect(() => new AuditLog({ store, checkpointKey })).toThrow(
        expect.objectContaining({ code: 'MP_CONFIG', message: expect.not.stringContaining('secret') as unknown }),
      );
    });
  });
});
