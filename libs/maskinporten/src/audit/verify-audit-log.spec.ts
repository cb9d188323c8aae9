import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sized } from '../../../../test/support/size.js';
import { AuditLog } from './audit-log.js';
import type { AuditRecord } from './audit-record.js';
import { seal } from './chain.js';
import { MemoryAuditStore } from './memory-audit-store.fixtures.js';
import { TAMPERINGS, checkpointKeys, genuineLog, isLocated, resealed, tamperedWith } from './tampering.fixtures.js';
import { verifyAuditLog, type AuditVerification, type VerifyAuditOptions } from './verify-audit-log.js';

/** Where each kind of tampering is tried. */
const PLACES = sized({ test: 2, soak: 50 });
const keys = { checkpointKeys: [checkpointKeys.publicKey] };
let genuine: MemoryAuditStore;
beforeAll(async () => {
  genuine = await genuineLog(4, 9);
});

function copyOf(change: (store: MemoryAuditStore) => void): MemoryAuditStore {
  const store = new MemoryAuditStore();
  store.stored = [...genuine.stored];
  store.storedCheckpoints = [...genuine.storedCheckpoints];
  change(store);
  return store;
}
const verify = (change: (store: MemoryAuditStore) => void, options?: VerifyAuditOptions): Promise<AuditVerification> =>
  verifyAuditLog(copyOf(change), { ...keys, ...options });
/** The records of the second writer, which others come before and after. */
const second = (): AuditRecord[] => {
  const writer = [...new Set(genuine.stored.map((record) => record.writer))][1];
  return genuine.stored.filter((record) => record.writer === writer);
};
const at = (seq: number): AuditRecord => second()[seq - 1] as AuditRecord;
const replace = (store: MemoryAuditStore, record: AuditRecord, by?: AuditRecord): void => {
  store.stored.splice(store.stored.indexOf(record), 1, ...(by === undefined ? [] : [by]));
};
const without =
  (...seqs: number[]) =>
  (store: MemoryAuditStore): void =>
    seqs.forEach((seq) => replace(store, at(seq)));
/** Keeps the first fifteen records of the writer. */
const cut = (store: MemoryAuditStore, of: string): void => {
  store.stored = store.stored.filter(({ writer, seq }) => writer !== of || seq <= 15);
};
const cutCheckpoints = (store: MemoryAuditStore, of: string): void => {
  store.storedCheckpoints = store.storedCheckpoints.filter(({ writer, seq }) => writer !== of || seq <= 15);
};
const found = ({ findings }: AuditVerification): unknown[] =>
  findings.map(({ kind, seq, toSeq }) => [kind, seq, ...(toSeq === undefined ? [] : [toSeq])]);

/** Adds a writer that no checkpoint covers, and that says it is old. */
const addFalse = async (store: MemoryAuditStore): Promise<void> => {
  const log = new AuditLog({ store, now: () => new Date('2020-01-01') });
  await log.write({ kind: 'token', decision: 'obtained' });
  await log.close();
};

describe('verifyAuditLog', () => {
  it('finds nothing in what was written', async () => {
    const result = await verifyAuditLog(genuine, keys);
    expect(result).toEqual({
      records: 4 * (9 * 4 + 2),
      writers: 4,
      checkpoints: genuine.storedCheckpoints.length,
      uncovered: 0,
      findingCount: 0,
      findings: [],
    });
    expect(await verifyAuditLog(genuine)).toMatchObject({ findingCount: 0 });
    expect(await verifyAuditLog(genuine, { ...keys, copies: genuine.storedCheckpoints })).toMatchObject({
      findingCount: 0,
    });
  });

  it('finds nothing in an empty log', async () => {
    expect(await verifyAuditLog(new MemoryAuditStore(), keys)).toMatchObject({ records: 0, findingCount: 0 });
  });

  it('T-67: an altered record', async () => {
    const result = await verify((store) => replace(store, at(7), { ...at(7), caller: 'x' }));
    expect(result.findings).toEqual([
      {
        kind: 'altered',
        writer: at(7).writer,
        seq: 7,
        detail: expect.any(String) as unknown,
        advice: expect.stringContaining('jti') as unknown,
      },
    ]);
  });

  it('T-67: a record that was altered and sealed again', async () => {
    expect(found(await verify((store) => replace(store, at(7), seal({ ...at(7), caller: 'x' }))))).toEqual([
      ['altered', 7],
    ]);
  });

  it('T-67: removed records, also the first ones', async () => {
    expect(found(await verify(without(12)))).toEqual([['removed', 12, 12]]);
    expect(found(await verify(without(12, 13, 20)))).toEqual([
      ['removed', 12, 13],
      ['removed', 20, 20],
    ]);
    expect(found(await verify(without(1, 2)))).toEqual([['removed', 1, 2]]);
  });

  it('T-67: two records in each other’s place', async () => {
    const result = await verify((store) => {
      const [a, b] = [at(7), at(20)];
      replace(store, a, { ...b, seq: 7 });
      replace(store, b, { ...a, seq: 20 });
    });
    expect(found(result)).toEqual([
      ['reordered', 7],
      ['reordered', 20],
    ]);
  });

  it('T-67: an inserted record, in between and after the end', async () => {
    expect(found(await verify((store) => void store.stored.push({ ...at(7), caller: 'x' })))).toEqual([
      ['inserted', 7],
    ]);
    const last = second().at(-1) as AuditRecord;
    const after = seal({ ...at(7), seq: last.seq + 1, previous: last.hash });
    expect(found(await verify((store) => void store.stored.push(after)))).toEqual([['inserted', last.seq + 1]]);
  });

  it('T-67: a tail that was cut off below a checkpoint', async () => {
    const end = second().length;
    const { writer } = at(1);
    expect(found(await verify((store) => cut(store, writer)))).toEqual([['tail-cut', 16, end]]);
    const withCheckpoints = await verify((store) => {
      cut(store, writer);
      cutCheckpoints(store, writer);
    });
    // The next writer names how far this one had come.
    expect(found(withCheckpoints)).toEqual([['tail-cut', 16, end]]);
  });

  it('T-67: the tail of the last writer, with its checkpoints, by the copies that were kept elsewhere', async () => {
    const { writer, seq: end } = genuine.stored.at(-1) as AuditRecord;
    const change = (store: MemoryAuditStore): void => {
      cut(store, writer);
      cutCheckpoints(store, writer);
    };
    expect(found(await verify(change))).toEqual([]);
    expect(found(await verify(change, { copies: genuine.storedCheckpoints }))).toEqual([['tail-cut', 16, end]]);
  });

  it('T-67: a writer of which nothing is left', async () => {
    const end = second().length;
    const result = await verify((store) => {
      store.stored = store.stored.filter(({ writer }) => writer !== at(1).writer);
      store.storedCheckpoints = store.storedCheckpoints.filter(({ writer }) => writer !== at(1).writer);
    });
    expect(found(result)).toEqual([['writer-missing', 1, end]]);
  });

  it('T-67: a chain that was written anew from a record on', async () => {
    const result = await verify((store) => {
      replace(store, at(15), { ...at(15), caller: 'x' });
      store.stored = resealed(store.stored, at(15).writer, 15);
    });
    const signed = genuine.storedCheckpoints.filter(({ writer }) => writer === at(1).writer).map(({ seq }) => seq);
    const before = signed.findLast((seq) => seq < 15) ?? 0;
    const after = signed.find((seq) => seq >= 15);
    expect(found(result)).toEqual([['altered', before + 1, after]]);
  });

  it('T-67: checkpoints that were altered, or signed with another key', async () => {
    const [first] = genuine.storedCheckpoints;
    const change = (store: MemoryAuditStore): void => {
      if (first !== undefined) store.storedCheckpoints[0] = { ...first, at: '2020-01-01T00:00:00.000Z' };
    };
    expect(found(await verify(change))).toEqual([['bad-checkpoint', first?.seq]]);
    const other = { checkpointKeys: [generateKeyPairSync('ed25519').publicKey] };
    const result = await verifyAuditLog(genuine, other);
    expect(new Set(result.findings.map(({ kind }) => kind))).toEqual(new Set(['bad-checkpoint', 'inserted']));
    const both = { checkpointKeys: [...other.checkpointKeys, checkpointKeys.publicKey] };
    expect(found(await verifyAuditLog(genuine, both))).toEqual([]);
  });

  it('T-67: every kind of tampering, at random places, is detected and located', async () => {
    for (const [what, tamper] of TAMPERINGS) {
      const isFound = fc.asyncProperty(tamperedWith(tamper, genuine), async (tampered) => {
        const store = new MemoryAuditStore();
        store.stored = tampered.records;
        store.storedCheckpoints = tampered.checkpoints;
        const { findings } = await verifyAuditLog(store, { ...keys, copies: tampered.copies });
        expect([what, findings.length > 0, isLocated(tampered, findings)]).toEqual([what, true, true]);
      });
      await fc.assert(isFound, { numRuns: PLACES });
    }
  });

  it('writers from before checkpoints were introduced need none', async () => {
    const store = new MemoryAuditStore();
    const log = new AuditLog({ store });
    await log.write({ kind: 'token', decision: 'obtained' });
    await log.close();
    expect(found(await verifyAuditLog(store, keys))).toEqual([['inserted', 1]]);
    expect(found(await verifyAuditLog(store, { ...keys, signedSince: new Date(Date.now() + 1_000) }))).toEqual([]);
  });

  it('one that says it was opened before checkpoints were introduced, and comes after one that has them, is false', async () => {
    const signedSince = new Date(Date.parse(String(genuine.stored[0]?.at)) - 60_000);
    expect(found(await verify(() => undefined, { signedSince }))).toEqual([]);
    const store = copyOf(() => undefined);
    await addFalse(store);
    await addFalse(store);
    expect(found(await verifyAuditLog(store, { ...keys, signedSince }))).toContainEqual(['inserted', 1]);
  });

  it('says how much no checkpoint covers', async () => {
    const store = new MemoryAuditStore();
    const log = new AuditLog({ store, checkpointKey: checkpointKeys.privateKey });
    for (let index = 0; index < 5; index += 1) await log.write({ kind: 'token', decision: 'obtained' });
    expect(await verifyAuditLog(store, keys)).toMatchObject({ findingCount: 0, records: 6, uncovered: 4 });
    await log.close();
    expect(await verifyAuditLog(store, keys)).toMatchObject({ findingCount: 0, records: 7, uncovered: 0 });
  });

  it('is not misled by what is written while it reads', async () => {
    const store = copyOf(() => undefined);
    const log = new AuditLog({ store, checkpointKey: checkpointKeys.privateKey, checkpointEvery: { records: 1 } });
    await log.write({ kind: 'token', decision: 'obtained' });
    const read = store.records.bind(store);
    store.records = async function* (scan) {
      for await (const record of read(scan)) {
        yield record;
        if (scan === undefined) await log.write({ kind: 'token', decision: 'refused' });
      }
    };
    expect(found(await verifyAuditLog(store, keys))).toEqual([]);
    await log.close();
  });

  it('lists no more findings than it was asked to, and counts them all', async () => {
    const result = await verify(
      (store) => {
        store.stored = store.stored.map((record) => ({ ...record, caller: 'x' }));
      },
      { maxFindings: 3 },
    );
    expect(result.findings).toHaveLength(3);
    expect(result.findingCount).toBe(genuine.stored.length);
  });
});
