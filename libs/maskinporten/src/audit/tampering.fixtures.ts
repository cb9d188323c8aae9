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
  readonly what: string;
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

/** Seals the records of a writer anew from a place on, as somebody would who knows the format. */
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

function alter({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const index = draw(stored.length);
  const record = stored[index] as AuditRecord;
  const members = [...SEALED_MEMBERS, 'hash'] as const;
  const member = members[draw(members.length)] as keyof AuditRecord;
  const changed = { ...record, [member]: otherValue(record, member) } as AuditRecord;
  const isSealed = draw(2) === 1 && member !== 'hash';
  const { hash: _, ...unsealed } = changed;
  const records = stored.with(index, isSealed ? seal(unsealed) : changed);
  return {
    what: `alter ${member}${isSealed ? ' and seal it again' : ''}`,
    records,
    checkpoints: storedCheckpoints,
    copies: [],
    places: [place(record.writer, record.seq - 1, record.seq + 1), place(changed.writer, 0, changed.seq)],
  };
}

function rewrite({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const index = draw(stored.length);
  const { writer, seq } = stored[index] as AuditRecord;
  const changed = stored.with(index, { ...(stored[index] as AuditRecord), caller: 'somebody else' });
  const end = stored.findLast((record) => record.writer === writer)?.seq ?? seq;
  return {
    what: 'alter one and seal the whole rest of its writer again',
    records: resealed(changed, writer, seq),
    checkpoints: storedCheckpoints,
    copies: [],
    places: [place(writer, 1, end)],
  };
}

function drop({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const index = draw(stored.length - 1);
  const { writer, seq } = stored[index] as AuditRecord;
  const count = 1 + draw(5);
  const inWriter = stored.slice(index, index + count).filter((record) => record.writer === writer).length;
  const records = stored.filter((_, at) => at < index || at >= index + inWriter);
  const isSealed = draw(2) === 1;
  return {
    what: `drop ${inWriter}${isSealed ? ' and number the rest again' : ''}`,
    records: isSealed
      ? resealed(
          records.map((record) =>
            record.writer === writer && record.seq > seq ? { ...record, seq: record.seq - inWriter } : record,
          ),
          writer,
          seq,
        )
      : records,
    checkpoints: storedCheckpoints,
    copies: [],
    places: [place(writer, 0, Number.MAX_SAFE_INTEGER)],
  };
}

function reorder({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const first = draw(stored.length);
  const second = (first + 1 + draw(stored.length - 1)) % stored.length;
  const [a, b] = [stored[first] as AuditRecord, stored[second] as AuditRecord];
  const isSealed = draw(2) === 1;
  const moved = (record: AuditRecord, { writer, seq, previous }: AuditRecord): AuditRecord =>
    isSealed ? seal({ ...record, writer, seq, previous }) : { ...record, writer, seq };
  return {
    what: `exchange two${isSealed ? ' and seal them again' : ''}`,
    records: stored.with(first, moved(b, a)).with(second, moved(a, b)),
    checkpoints: storedCheckpoints,
    copies: [],
    places: [place(a.writer, a.seq - 1, a.seq + 1), place(b.writer, b.seq - 1, b.seq + 1)],
  };
}

function insert({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const index = draw(stored.length);
  const before = stored[index] as AuditRecord;
  const { hash: _, ...content } = stored[draw(stored.length)] as AuditRecord;
  const { writer } = before;
  const forged = seal({ ...content, writer, seq: before.seq + 1, previous: before.hash, caller: 'forger' });
  const isSealed = draw(2) === 1;
  const shifted = stored.map((record) =>
    isSealed && record.writer === writer && record.seq > before.seq ? { ...record, seq: record.seq + 1 } : record,
  );
  const records = shifted.toSpliced(index + 1, 0, forged);
  return {
    what: `insert one${isSealed ? ' and number the rest again' : ''}`,
    records: isSealed ? resealed(records, writer, before.seq + 1) : records,
    checkpoints: storedCheckpoints,
    copies: [],
    places: [place(writer, before.seq, Number.MAX_SAFE_INTEGER)],
  };
}

function cutTail({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const { writer, seq } = stored[draw(stored.length)] as AuditRecord;
  const withCheckpoints = draw(2) === 1;
  const isCut = (head: { writer: string; seq: number }): boolean => head.writer === writer && head.seq >= seq;
  return {
    what: `cut the tail off${withCheckpoints ? ', with the checkpoints in the database' : ''}`,
    records: stored.filter((record) => !isCut(record)),
    checkpoints: storedCheckpoints.filter((checkpoint) => !withCheckpoints || !isCut(checkpoint)),
    copies: withCheckpoints ? storedCheckpoints : [],
    places: [place(writer, 1, Number.MAX_SAFE_INTEGER)],
  };
}

function dropWriter({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const writers = [...new Set(stored.map(({ writer }) => writer))];
  const index = draw(writers.length);
  const writer = writers[index] as string;
  // Nothing in the database speaks of the last one; the copies do.
  const isLast = index === writers.length - 1;
  return {
    what: 'drop a writer and its checkpoints',
    records: stored.filter((record) => record.writer !== writer),
    checkpoints: storedCheckpoints.filter((checkpoint) => checkpoint.writer !== writer),
    copies: isLast ? storedCheckpoints : [],
    places: [place(writer, 1, Number.MAX_SAFE_INTEGER)],
  };
}

function forgeWriter({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
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
  const isSigned = draw(2) === 1;
  const checkpoint = new CheckpointSigner(strangersKey).sign(call, call.at);
  return {
    what: `forge a writer${isSigned ? ' and sign it with another key' : ''}`,
    records: [...stored, opened, call],
    checkpoints: isSigned ? [...storedCheckpoints, checkpoint] : storedCheckpoints,
    copies: [],
    places: [place(writer, 1, 2), ...openings.map((opening) => place(opening.writer, 1, 1))],
  };
}

function alterCheckpoint({ stored, storedCheckpoints }: Log, draw: Draw): Tampered {
  const index = draw(storedCheckpoints.length);
  const checkpoint = storedCheckpoints[index] as AuditCheckpoint;
  const members = ['seq', 'hash', 'at', 'writer', 'keyId', 'signature'] as const;
  const member = members[draw(members.length)] ?? 'seq';
  const value = member === 'seq' ? checkpoint.seq - 1 : member === 'writer' ? randomUUID() : GENESIS.slice(0, 40);
  const changed = { ...checkpoint, [member]: value } as AuditCheckpoint;
  return {
    what: `alter ${member} of a checkpoint`,
    records: stored,
    checkpoints: storedCheckpoints.with(index, changed),
    copies: [],
    places: [place(changed.writer, changed.seq)],
  };
}

const WAYS = [alter, alter, alter, rewrite, drop, reorder, insert, cutTail, dropWriter, forgeWriter, alterCheckpoint];

/** One of all the ways to tamper with `log`, at a random place. */
export function tampering(log: Log): fc.Arbitrary<Tampered> {
  return fc.tuple(fc.nat(WAYS.length - 1), fc.infiniteStream(fc.nat(0x7fffffff))).map(([way, numbers]) => {
    const draw: Draw = (below) => (numbers.next().value as number) % below;
    return (WAYS[way] ?? alter)(log, draw);
  });
}

/** True when one finding points to one of the places. */
export function isLocated({ places }: Tampered, findings: readonly AuditFinding[]): boolean {
  return findings.some(({ writer, seq, toSeq = seq }) =>
    places.some((at) => at.writer === writer && seq <= at.to && toSeq >= at.from),
  );
}
