import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { AuditLog } from './audit-log.js';
import type { AuditConflict, AuditLogOptions, AuditStatus } from './audit-log-options.js';
import type { AuditRecord } from './audit-record.js';
import { seal, type UnsealedRecord } from './chain.js';
import type { AuditCheckpoint } from './checkpoint.js';
import { MemoryAuditStore } from './memory-audit-store.fixtures.js';
import { verifyAuditLog, type AuditVerification } from './verify-audit-log.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
let store: MemoryAuditStore;
let conflicts: AuditConflict[];
let states: AuditStatus[];
let copies: AuditCheckpoint[];
beforeEach(() => {
  store = new MemoryAuditStore();
  conflicts = [];
  states = [];
  copies = [];
});

const open = (options: Partial<AuditLogOptions> = {}): AuditLog =>
  new AuditLog({
    store,
    checkpointKey: privateKey,
    lingerMs: 0,
    onConflict: (conflict) => conflicts.push(conflict),
    onState: (status) => states.push(status),
    onCheckpoint: (checkpoint) => copies.push(checkpoint),
    ...options,
  });
const write = (log: AuditLog, requestId: string): Promise<void> =>
  log.write({ kind: 'call-intent', requestId, organisation: '310000027' }, { required: true });

/** What somebody with the running role's password can do: add to the chain of a writer that lives. */
function forge(writer: string, facts: Partial<UnsealedRecord> = {}): AuditRecord {
  const last = store.stored.findLast((record) => record.writer === writer) as AuditRecord;
  const forged = seal({
    writer,
    seq: last.seq + 1,
    previous: last.hash,
    kind: 'call-outcome',
    at: last.at,
    caller: 'forger',
    ...facts,
  });
  store.stored.push(forged);
  return forged;
}
const verify = (): Promise<AuditVerification> => verifyAuditLog(store, { checkpointKeys: [publicKey] });
const found = ({ findings }: AuditVerification): string[] =>
  findings.map(({ kind, writer, seq, toSeq }) => `${kind} ${writer} ${seq}${toSeq === undefined ? '' : `-${toSeq}`}`);

describe('somebody else’s record on the chain of a writer that lives', () => {
  it('F-156: is reported, not covered by our signature, and found; nothing of our own is lost', async () => {
    const log = open();
    await write(log, 'r-1');
    await write(log, 'r-2');
    const { writer, seq } = log.status();
    const forged = forge(writer);
    await write(log, 'r-3');
    const own = store.stored.find((record) => record.writer === writer && record.seq === seq) as AuditRecord;

    expect(conflicts).toEqual([{ writer, seq, hash: own.hash }]);
    expect(states).toMatchObject([{ state: 'degraded', conflicts: 1, lastErrorCode: 'CONFLICT' }]);
    expect(log.status()).toMatchObject({ state: 'degraded', conflicts: 1, lost: 0 });
    expect(log.status()).not.toHaveProperty('degradedSince');
    const after = store.stored.filter((record) => record.writer !== writer);
    const statement = { earlierWriter: writer, earlierSeq: seq, earlierHash: own.hash };
    expect(after).toMatchObject([
      { kind: 'opened', ...statement },
      { kind: 'conflict', ...statement },
      { requestId: 'r-3' },
    ]);
    // Our own last record is signed, and nothing that names the forged one.
    expect(copies.findLast((checkpoint) => checkpoint.writer === writer)).toMatchObject({ seq, hash: own.hash });
    expect(JSON.stringify([after, copies])).not.toContain(forged.hash);

    await log.close();
    const result = await verify();
    expect(found(result)).toEqual([`inserted ${writer} ${forged.seq}-${forged.seq}`]);
    // The signature ends before it.
    expect(result.uncovered).toBe(1);
  });

  it('F-156: several, also with numbers that leave a gap, are all found', async () => {
    const log = open();
    await write(log, 'r-1');
    const { writer, seq } = log.status();
    forge(writer);
    forge(writer);
    forge(writer, { seq: seq + 9 });
    await write(log, 'r-2');
    await log.close();
    expect(found(await verify())).toContain(`inserted ${writer} ${seq + 1}-${seq + 9}`);
  });

  it('F-156: is found without keys too, although there is a checkpoint of it that looks like one', async () => {
    const log = open();
    await write(log, 'r-1');
    const { writer } = log.status();
    const forged = forge(writer);
    const { seq, hash, at } = forged;
    store.storedCheckpoints.push({ writer, seq, hash, at, keyId: 'forged', signature: 'forged' });
    await write(log, 'r-2');
    await log.close();
    expect(found(await verifyAuditLog(store))).toEqual([`inserted ${writer} ${seq}-${seq}`]);
    expect(found(await verify()).toSorted()).toEqual([
      `bad-checkpoint ${writer} ${seq}`,
      `inserted ${writer} ${seq}-${seq}`,
    ]);
  });

  it('F-156: is found when the process ends before it writes again', async () => {
    const log = open();
    await write(log, 'r-1');
    const { writer, seq } = log.status();
    forge(writer);
    await log.close();
    expect(store.stored.slice(-3).map(({ kind }) => kind)).toEqual(['opened', 'conflict', 'closed']);
    expect(found(await verify())).toEqual([`inserted ${writer} ${seq + 1}-${seq + 1}`]);
  });

  it('F-156: is found when another process was opened after it, and named it', async () => {
    const log = open();
    await write(log, 'r-1');
    const { writer, seq } = log.status();
    const forged = forge(writer);
    const other = open();
    await write(other, 'r-2');
    expect(store.stored.at(-2)).toMatchObject({ kind: 'opened', earlierHash: forged.hash });
    await write(log, 'r-3');
    await Promise.all([log.close(), other.close()]);
    expect(conflicts).toMatchObject([{ writer, seq }]);
    expect(found(await verify())).toEqual([`inserted ${writer} ${seq + 1}-${seq + 1}`]);
  });

  it('F-156: of a process that was killed is counted as not covered, whoever was opened later', async () => {
    const killed = open();
    await write(killed, 'r-1');
    forge(killed.status().writer);
    const later = open();
    await write(later, 'r-2');
    await later.close();
    expect(await verify()).toMatchObject({ findingCount: 0, uncovered: 1 });
  });

  it('F-156: a false word about the end of a writer is found where it stands, not at what the writer has signed', async () => {
    const log = open();
    await write(log, 'r-1');
    await write(log, 'r-2');
    await log.close();
    const [first, second] = store.stored as [AuditRecord, AuditRecord];
    const liar = open({ checkpointKey: generateKeyPairSync('ed25519').privateKey });
    await write(liar, 'r-3');
    forge(liar.status().writer, {
      kind: 'conflict',
      earlierWriter: first.writer,
      earlierSeq: second.seq,
      earlierHash: second.hash,
    });
    const { writer } = liar.status();
    const findings = found(await verify());
    expect(findings.length).toBeGreaterThan(0);
    for (const each of findings) expect(each).toContain(writer);
  });

  it('is a new writer each time, and the state stays until a person has looked and restarted', async () => {
    const log = open();
    for (let time = 1; time <= 3; time += 1) {
      await write(log, `r-${time}`);
      forge(log.status().writer);
    }
    await write(log, 'r-4');
    expect(log.status()).toMatchObject({ state: 'degraded', conflicts: 3, lastErrorCode: 'CONFLICT' });
    await log.close();
    expect((await verify()).findings.map(({ kind }) => kind)).toEqual(['inserted', 'inserted', 'inserted']);
    expect(open().status()).toMatchObject({ state: 'up', conflicts: 0 });
  });

  it('one that cannot be written after a conflict says both', async () => {
    const log = open();
    await write(log, 'r-1');
    forge(log.status().writer);
    store.beforeAppend = (records) => {
      if (records[0]?.kind === 'opened') throw new Error('down');
    };
    await expect(write(log, 'r-2')).rejects.toMatchObject({ code: 'MP_AUDIT' });
    expect(log.status()).toMatchObject({ state: 'degraded', conflicts: 1 });
    expect(log.status()).toHaveProperty('degradedSince');
    store.beforeAppend = () => undefined;
    await log.close();
    expect(store.stored.map(({ kind }) => kind)).toContain('conflict');
  });
});
