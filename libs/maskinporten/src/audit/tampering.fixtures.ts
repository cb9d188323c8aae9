import { generateKeyPairSync, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { AuditLog } from './audit-log.js';
import { SEALED_MEMBERS, type AuditRecord } from './audit-record.js';
import { GENESIS, hashOf, seal } from './chain.js';
import { CheckpointSigner, type AuditCheckpoint } from './checkpoint.js';
import type { AuditFinding } from './finding.js';
import { MemoryAuditStore } from './memory-audit-store.fixtures.js';

export const checkpointKeys = generateKeyPairSync('ed25519');
const strangersKey = generateKeyPairSync('ed25519').privateKey;

/** A log and where something was done to it; a range, because an exchange touches two. */
export interface Tampered {
  readonly records: AuditRecord[];
  readonly checkpoints: AuditCheckpoint[];
  /** Checkpoints that were kept elsewhere. */
  readonly copies: AuditCheckpoint[];
  /** Where it may be found: writer and numbers. */
  readonly places: { readonly writer: string; readonly from: number; readonly to: number }[];
}

/** What a service writes: requests with a decision, an intent and an outcome, and the tokens that they use. */
export async function genuineLog(writers: number, requestsOfEach: number): Promise<MemoryAuditStore> {
  const store = new MemoryAuditStore();
  for (let writer = 0; writer < writers; writer += 1) {
    const log = new AuditLog({
      store,
      checkpointKey: checkpointKeys.privateKey,
      checkpointEvery: { records: 10 },
      rulebookVersion: '1.0.0',
      maxBatch: 8,
    });
    for (let request = 0; request < requestsOfEach; request += 1) {
      const requestId = randomUUID();
      const jti = randomUUID();
      const facts = { requestId, caller: 'acme', client: 'default', organisation: '310000027', scopes: ['a:b', 'a:c'] };
      const call = { ...facts, callId: randomUUID(), method: 'GET', host: 'api.test', pathTemplate: '/x/{id}', jti };
      log.record({ kind: 'delegation', ...facts, decision: 'allowed', resource: 'res', action: 'read', source: 'pdp' });
      log.record({ kind: 'token', ...facts, jti, kid: 'kid-1', decision: 'obtained' });
      await log.write({ kind: 'call-intent', ...call });
      log.record({ kind: 'call-outcome', ...call, status: 200, durationMs: request });
    }
    await log.close();
  }
  return store;
}

/** Seals the records of a writer again from a place on, as somebody would who knows the format. */
export function resealed(records: readonly AuditRecord[], writer: string, fromSeq: number): AuditRecord[] {
  let previous: string | undefined;
  return records.map((record) => {
    if (record.writer !== writer || record.seq < fromSeq) return record;
    const again = seal({ ...record, previous: previous ?? record.previous });
    previous = again.hash;
    return again;
  });
}

const otherValue = (record: AuditRecord, member: keyof AuditRecord): unknown => {
  const value = record[member];
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return value.slice(1);
  if (value === undefined) return member === 'status' || member === 'durationMs' || member === 'lost' ? 1 : 'x';
  if (member === 'writer' || member === 'earlierWriter') return randomUUID();
  if (member === 'at') return new Date(Date.parse(String(value)) + 1).toISOString();
  if (member === 'hash' || member === 'previous') return hashOf({ ...record, caller: randomUUID() });
  return member === 'kind' ? (value === 'token' ? 'delegation' : 'token') : `${String(value)}x`;
};

type Log = Pick<MemoryAuditStore, 'stored' | 'storedCheckpoints'>;
type Draw = (below: number) => number;

const place = (writer: string, from: number, to = from): Tampered['places'][number] => ({ writer, from, to });

/** Does something to a log at a place that is drawn. */
type Tamper = (log: Log, draw: Draw) => Tampered;

const alter =
  (member: keyof AuditRecord, isSealed: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const index = draw(stored.length);
    const record = stored[index] as AuditRecord;
    const changed = { ...record, [member]: otherValue(record, member) } as AuditRecord;
    const { hash: _, ...unsealed } = changed;
    return {
      records: stored.with(index, isSealed ? seal(unsealed) : changed),
      checkpoints: storedCheckpoints,
      copies: [],
      places: [place(record.writer, record.seq - 1, record.seq + 1), place(changed.writer, 0, changed.seq)],
    };
  };

const rewrite: Tamper = ({ stored, storedCheckpoints }, draw) => {
  const index = draw(stored.length);
  const { writer, seq } = stored[index] as AuditRecord;
  const changed = stored.with(index, { ...(stored[index] as AuditRecord), caller: 'somebody else' });
  const end = stored.findLast((record) => record.writer === writer)?.seq ?? seq;
  return {
    records: resealed(changed, writer, seq),
    checkpoints: storedCheckpoints,
    copies: [],
    places: [place(writer, 1, end)],
  };
};

const drop =
  (count: number, isSealed: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const index = draw(stored.length - 1);
    const { writer, seq } = stored[index] as AuditRecord;
    const inWriter = stored.slice(index, index + count).filter((record) => record.writer === writer).length;
    const records = stored.filter((_, at) => at < index || at >= index + inWriter);
    const shifted = records.map((record) =>
      record.writer === writer && record.seq > seq ? { ...record, seq: record.seq - inWriter } : record,
    );
    return {
      records: isSealed ? resealed(shifted, writer, seq) : records,
      checkpoints: storedCheckpoints,
      copies: [],
      places: [place(writer, 0, Number.MAX_SAFE_INTEGER)],
    };
  };

const moved = (record: AuditRecord, { writer, seq, previous }: AuditRecord, isSealed: boolean): AuditRecord =>
  isSealed ? seal({ ...record, writer, seq, previous }) : { ...record, writer, seq };

const reorder =
  (isSealed: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const first = draw(stored.length);
    const second = (first + 1 + draw(stored.length - 1)) % stored.length;
    const [a, b] = [stored[first] as AuditRecord, stored[second] as AuditRecord];
    return {
      records: stored.with(first, moved(b, a, isSealed)).with(second, moved(a, b, isSealed)),
      checkpoints: storedCheckpoints,
      copies: [],
      places: [place(a.writer, a.seq - 1, a.seq + 1), place(b.writer, b.seq - 1, b.seq + 1)],
    };
  };

const insert =
  (isSealed: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const index = draw(stored.length);
    const before = stored[index] as AuditRecord;
    const { hash: _, ...content } = stored[draw(stored.length)] as AuditRecord;
    const { writer } = before;
    const forged = seal({ ...content, writer, seq: before.seq + 1, previous: before.hash, caller: 'forger' });
    const shifted = stored.map((record) =>
      isSealed && record.writer === writer && record.seq > before.seq ? { ...record, seq: record.seq + 1 } : record,
    );
    const records = shifted.toSpliced(index + 1, 0, forged);
    return {
      records: isSealed ? resealed(records, writer, before.seq + 1) : records,
      checkpoints: storedCheckpoints,
      copies: [],
      places: [place(writer, before.seq, Number.MAX_SAFE_INTEGER)],
    };
  };

const cutTail =
  (withCheckpoints: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const { writer, seq } = stored[draw(stored.length)] as AuditRecord;
    const isCut = (head: { writer: string; seq: number }): boolean => head.writer === writer && head.seq >= seq;
    return {
      records: stored.filter((record) => !isCut(record)),
      checkpoints: storedCheckpoints.filter((checkpoint) => !withCheckpoints || !isCut(checkpoint)),
      copies: withCheckpoints ? storedCheckpoints : [],
      places: [place(writer, 1, Number.MAX_SAFE_INTEGER)],
    };
  };

const dropWriter =
  (isLast: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const writers = [...new Set(stored.map((record) => record.writer))];
    const writer = writers[isLast ? writers.length - 1 : draw(writers.length - 1)] as string;
    return {
      records: stored.filter((record) => record.writer !== writer),
      checkpoints: storedCheckpoints.filter((checkpoint) => checkpoint.writer !== writer),
      // Nothing in the database speaks of the last one; the copies do.
      copies: isLast ? storedCheckpoints : [],
      places: [place(writer, 1, Number.MAX_SAFE_INTEGER)],
    };
  };

const forgeWriter =
  (isSigned: boolean): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const openings = stored.filter(({ kind }) => kind === 'opened');
    const before = stored.findLast(({ writer }) => writer === openings[draw(openings.length)]?.writer) as AuditRecord;
    const writer = randomUUID();
    const opened = seal({
      writer,
      seq: 1,
      previous: GENESIS,
      kind: 'opened',
      at: before.at,
      earlierWriter: before.writer,
      earlierSeq: before.seq,
      earlierHash: before.hash,
    });
    const call = seal({ writer, seq: 2, previous: opened.hash, kind: 'call-outcome', at: before.at, caller: 'forger' });
    const checkpoint = new CheckpointSigner(strangersKey).sign(call, call.at);
    return {
      records: [...stored, opened, call],
      checkpoints: isSigned ? [...storedCheckpoints, checkpoint] : storedCheckpoints,
      copies: [],
      places: [place(writer, 1, 2), ...openings.map((opening) => place(opening.writer, 1, 1))],
    };
  };

const alterCheckpoint =
  (member: keyof AuditCheckpoint): Tamper =>
  ({ stored, storedCheckpoints }, draw) => {
    const index = draw(storedCheckpoints.length);
    const checkpoint = storedCheckpoints[index] as AuditCheckpoint;
    const value = member === 'seq' ? checkpoint.seq - 1 : member === 'writer' ? randomUUID() : GENESIS.slice(0, 40);
    const changed = { ...checkpoint, [member]: value } as AuditCheckpoint;
    return {
      records: stored,
      checkpoints: storedCheckpoints.with(index, changed),
      copies: [],
      places: [place(changed.writer, changed.seq)],
    };
  };

const plainAndSealed = (what: string, also: string, way: (isSealed: boolean) => Tamper): [string, Tamper][] => [
  [what, way(false)],
  [`${what}, ${also}`, way(true)],
];
const CHECKPOINT_MEMBERS = ['seq', 'hash', 'at', 'writer', 'keyId', 'signature'] as const;

/** All that is tried: every member of a record and of a checkpoint, and every way to add, remove and move. */
export const TAMPERINGS: readonly (readonly [what: string, tamper: Tamper])[] = [
  ...SEALED_MEMBERS.flatMap((member) =>
    plainAndSealed(`alter ${member}`, 'and seal it again', (isSealed) => alter(member, isSealed)),
  ),
  ['alter hash', alter('hash', false)],
  ['alter one and seal the whole rest of its writer again', rewrite],
  ...[1, 2, 3, 4, 5].flatMap((count) =>
    plainAndSealed(`drop ${count}`, 'and number the rest again', (isSealed) => drop(count, isSealed)),
  ),
  ...plainAndSealed('exchange two', 'and seal them again', reorder),
  ...plainAndSealed('insert one', 'and number the rest again', insert),
  ...plainAndSealed('cut the tail off', 'with the checkpoints in the database', cutTail),
  ['drop a writer and its checkpoints', dropWriter(false)],
  ['drop the last writer and its checkpoints', dropWriter(true)],
  ...plainAndSealed('forge a writer', 'and sign it with another key', forgeWriter),
  ...CHECKPOINT_MEMBERS.map((member): [string, Tamper] => [`alter ${member} of a checkpoint`, alterCheckpoint(member)]),
];

/** `tamper` done to `log` at random places. */
export function tamperedWith(tamper: Tamper, log: Log): fc.Arbitrary<Tampered> {
  return fc
    .infiniteStream(fc.nat(0x7fffffff))
    .map((numbers) => tamper(log, (below) => (numbers.next().value as number) % below));
}

/** True when one finding points to one of the places. */
export function isLocated({ places }: Tampered, findings: readonly AuditFinding[]): boolean {
  return findings.some(({ writer, seq, toSeq = seq }) =>
    places.some((at) => at.writer === writer && seq <= at.to && toSeq >= at.from),
  );
}
