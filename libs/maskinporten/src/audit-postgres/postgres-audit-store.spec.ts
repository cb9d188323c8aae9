import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import {
  AuditConflictError,
  AuditLog,
  verifyAuditLog,
  type AuditEntry,
  type AuditLogOptions,
  type AuditRecord,
  type AuditStore,
} from '../audit/index.js';
import { GENESIS, seal } from '../audit/chain.js';
import { PgliteBackend, PostgresBackend, type Backend } from './audit-backends.fixtures.js';
import { migrateAuditDatabase } from './migrate-audit-database.js';
import { withPostgres } from './postgres-cluster.fixtures.js';

const CUSTOMER = '310000027';
const DAY = '2026-03-14';
const NOBODY = '00000000-0000-4000-8000-000000000000';
const at = (time: string): Date => new Date(`${DAY}T${time}Z`);
const checkpointKeys = generateKeyPairSync('ed25519');

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const TEXTS = runs(30);

const conflict = (reason: string): unknown => expect.objectContaining({ reason });
const partitionOf = (date: Date): string => `records_${date.toISOString().slice(0, 7).replace('-', '_')}`;
/** A day in the middle of a month to come. */
const inMonths = (months: number): Date => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 15));
};

/** A backend for the tests of a `describe`. */
function running<Kind extends Backend>(start: () => Promise<Kind>): () => Kind {
  let backend: Kind;
  beforeAll(async () => {
    backend = await start();
  });
  afterAll(() => backend?.close());
  return () => backend;
}

/** The same promises, kept by a server and by the embedded database. */
function keepsItsPromises(backendOf: () => Backend): void {
  let backend: Backend;
  let store: AuditStore;
  let log: AuditLog;
  beforeAll(() => {
    backend = backendOf();
  });
  let logs: AuditLog[] = [];
  const open = (options: Partial<AuditLogOptions> = {}): AuditLog => {
    const opened = new AuditLog({ store, lingerMs: 0, ...options });
    logs.push(opened);
    return opened;
  };
  const restart = async (): Promise<void> => {
    store = await backend.reset();
    log = open({ rulebookVersion: '1.0.0', checkpointKey: checkpointKeys.privateKey });
  };
  beforeEach(restart);
  afterEach(() => Promise.all(logs.splice(0).map((each) => each.close())));

  /** What is found after one who may do everything has done `statement` to a log. */
  const change = async (statement: string): Promise<unknown[]> => {
    const withoutTriggers = `DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class
      WHERE relnamespace = 'maskinporten_audit'::regnamespace AND relkind IN ('r', 'p')
      LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t); END LOOP; END $$`;
    const { findings } = await backend.meanwhile([withoutTriggers, statement], (changed) =>
      verifyAuditLog(changed, { checkpointKeys: [checkpointKeys.publicKey] }),
    );
    return findings.map(({ kind, seq }) => `${kind} ${seq}`);
  };

  const everything: Required<AuditEntry> = {
    kind: 'call-outcome',
    at: at('10:00:00.123'),
    requestId: 'r-1',
    callId: randomUUID(),
    caller: 'Bjørn "the" \\ O\'Hara, 𝒳',
    client: 'default',
    organisation: CUSTOMER,
    scopes: ['a:b', 'c,d{}"'],
    method: 'GET',
    host: 'api.test',
    pathTemplate: '/x/{id}',
    status: 200,
    errorCode: 'MP_NETWORK',
    durationMs: 12,
    jti: randomUUID(),
    kid: 'k',
    decision: 'allowed',
    externalRef: 'ref',
    party: '310000035',
    resource: 'res',
    action: 'read',
    source: 'pdp',
  };

  it('gives back exactly what was stored, every member of it', async () => {
    await log.write(everything);
    const [opened, record] = await listed(store.records());
    const { at: time, ...facts } = everything;
    expect(opened).toMatchObject({ kind: 'opened', seq: 1, previous: GENESIS });
    expect(record).toEqual({
      ...facts,
      at: time.toISOString(),
      writer: opened?.writer,
      seq: 2,
      previous: opened?.hash,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      rulebookVersion: '1.0.0',
    });
    await open().write({ kind: 'token' });
    const openings = await listed(store.records({ kind: 'opened' }));
    expect(openings.map(({ earlierWriter, earlierSeq }) => [earlierWriter, earlierSeq])).toContainEqual([
      opened?.writer,
      2,
    ]);
    expect((await verifyAuditLog(store)).findings).toEqual([]);
  });

  it('whatever texts are recorded, they are stored and the log verifies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), fc.string(), async (scopes, text) => {
        await log.write({ kind: 'token', caller: text, resource: text, scopes });
      }),
      { numRuns: TEXTS },
    );
    expect(await verifyAuditLog(store)).toMatchObject({ records: TEXTS + 1, findingCount: 0 });
  });

  it('finds a request with the tokens that it used, by time', async () => {
    const jti = randomUUID();
    await log.write({ kind: 'token', decision: 'obtained', jti, at: at('09:00:00') });
    await log.write({ kind: 'token', decision: 'obtained', jti: randomUUID(), at: at('09:00:00') });
    await log.write({ kind: 'call-outcome', requestId: 'r-1', jti, at: at('10:00:01') });
    await log.write({ kind: 'call-intent', requestId: 'r-1', jti, at: at('10:00:00') });
    await log.write({ kind: 'call-intent', requestId: 'r-2', jti, at: at('10:00:00') });
    const kinds = (await log.find({ requestId: 'r-1' })).map(({ kind }) => kind);
    expect(kinds).toEqual(['token', 'call-intent', 'call-outcome']);
    expect(await log.find({ requestId: "r-1' OR true --" })).toEqual([]);
  });

  it('searches by organisation and day, page by page, each record once', async () => {
    const times = ['00:00:00.000', '10:00:00', '10:00:00', '10:00:00', '10:00:01', '23:59:59.999'];
    for (const time of times) await log.write({ kind: 'token', organisation: CUSTOMER, at: at(time) });
    await log.write({ kind: 'token', organisation: CUSTOMER, at: new Date('2026-03-15T00:00:00Z') });
    await log.write({ kind: 'token', organisation: CUSTOMER, at: new Date('2026-03-13T23:59:59.999Z') });
    await log.write({ kind: 'token', organisation: '310000043', at: at('10:00:00') });
    for (const limit of [1, 2, 3, 6, 100]) {
      const found: AuditRecord[] = [];
      let after: string | undefined;
      do {
        const page = await log.search({
          organisation: CUSTOMER,
          day: DAY,
          limit,
          ...(after === undefined ? {} : { after }),
        });
        found.push(...page.records);
        after = page.next;
      } while (after !== undefined);
      expect(found.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
    }
  });

  it('scans more records than it reads at once, in order', async () => {
    await Promise.all(Array.from({ length: 4_100 }, () => log.write({ kind: 'token' })));
    const { writer } = (await store.latestHead()) ?? {};
    const seqs = (await listed(store.records())).map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: 4_101 }, (_, index) => index + 1));
    expect(await listed(store.records({ writer: String(writer), afterSeq: 4_099 }))).toHaveLength(2);
  });

  it('stores a batch once, however often it is given, and refuses one that does not follow', async () => {
    const writer = randomUUID();
    const first = seal({ writer, seq: 1, previous: GENESIS, kind: 'opened', at: at('10:00:00').toISOString() });
    const second = seal({ writer, seq: 2, previous: first.hash, kind: 'token', at: first.at });
    await store.append([first, second]);
    await store.append([first, second]);
    expect(await listed(store.records())).toHaveLength(2);
    const fork = seal({ ...second, caller: 'another' });
    await expect(store.append([fork])).rejects.toEqual(conflict('chain'));
    await expect(store.append([seal({ ...second, seq: 4 })])).rejects.toEqual(conflict('chain'));
    await expect(store.append([seal({ ...first, writer: randomUUID() })])).rejects.toBeInstanceOf(AuditConflictError);
    await expect(store.append([seal({ ...first, writer: randomUUID() })])).rejects.toEqual(conflict('opening'));
    expect(await listed(store.records())).toHaveLength(2);
  });

  it('openings of several writers at once make one line', async () => {
    await Promise.all(Array.from({ length: 6 }, () => open().write({ kind: 'token' })));
    const openings = await listed(store.records({ kind: 'opened' }));
    expect(new Set(openings.map(({ earlierWriter }) => earlierWriter)).size).toBe(6);
    expect((await verifyAuditLog(store)).findings).toEqual([]);
  });

  it('T-67: the running role can insert and select, and nothing else', async () => {
    await log.write(everything);
    const [{ month } = {}] = await backend.asSuperuser(
      `SELECT 'maskinporten_audit.records_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM') AS month`,
    );
    for (const table of ['maskinporten_audit.records', 'maskinporten_audit.checkpoints', String(month)]) {
      const column = table.endsWith('checkpoints') ? 'signature' : 'caller';
      for (const statement of [
        `UPDATE ${table} SET ${column} = 'x'`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table}`,
        `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
        `DROP TABLE ${table}`,
      ]) {
        await expect(backend.asService(statement)).rejects.toThrow(/permission denied|must be owner/);
      }
    }
    await expect(backend.asService('CREATE TABLE maskinporten_audit.mine ()')).rejects.toThrow(/permission denied/);
    await expect(backend.asService('SELECT maskinporten_audit.protect(NULL)')).rejects.toThrow(/permission denied/);
    await expect(backend.asService('SELECT maskinporten_audit.prepare_months(1000)')).rejects.toThrow(/0 to 24/);
    expect(await verifyAuditLog(store)).toMatchObject({ records: 2, findingCount: 0 });
  });

  it('T-67: the owner cannot change a record either, also not in a partition or as a replica', async () => {
    await log.write({ kind: 'token' });
    await log.write({ kind: 'token', at: new Date('2020-01-01') });
    const tables = await backend.asSuperuser(
      `SELECT oid::regclass::text AS name FROM pg_class
       WHERE relnamespace = 'maskinporten_audit'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'migrations'`,
    );
    expect(tables.length).toBeGreaterThanOrEqual(6);
    for (const { name } of tables) {
      const column = String(name).endsWith('checkpoints') ? 'signature' : 'caller';
      for (const statement of [
        `UPDATE ${String(name)} SET ${column} = 'x'`,
        `UPDATE ${String(name)} SET ${column} = 'x' WHERE false`,
        `DELETE FROM ${String(name)}`,
        `TRUNCATE ${String(name)}`,
        `TRUNCATE ${String(name)} CASCADE`,
      ]) {
        await expect(backend.asOwner(statement)).rejects.toThrow(/can only be added to/);
      }
      await expect(
        backend.asSuperuser(`SET session_replication_role = replica; DELETE FROM ${String(name)}`),
      ).rejects.toThrow(/can only be added to/);
      await backend.asSuperuser('RESET session_replication_role');
    }
    expect(await verifyAuditLog(store)).toMatchObject({ records: 3, findingCount: 0 });
  });

  it('has a partition for this month and the next two, and one for everything else', async () => {
    const now = new Date();
    const later = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 2, 1));
    for (const date of [now, later, new Date('2019-01-01'), new Date('2199-01-01')])
      await log.write({ kind: 'token', at: date });
    const names = (
      await backend.asSuperuser('SELECT DISTINCT tableoid::regclass::text AS name FROM maskinporten_audit.records')
    ).map(({ name }) => String(name).replace('maskinporten_audit.', ''));
    expect(names.toSorted()).toEqual([partitionOf(now), partitionOf(later), 'records_default'].toSorted());
  });

  it('prepares months ahead, except those that have records already', async () => {
    await log.write({ kind: 'token', at: inMonths(4) });
    const prepare = async (): Promise<unknown> =>
      (await backend.asService('SELECT maskinporten_audit.prepare_months(5) AS made'))[0]?.['made'];
    expect(await prepare()).toBe(2);
    expect(await prepare()).toBe(0);
    await log.write({ kind: 'token', at: inMonths(5) });
    const [row] = await backend.asSuperuser(
      `SELECT count(*)::integer AS count FROM pg_trigger t JOIN pg_inherits i ON t.tgrelid = i.inhrelid WHERE tgname = 'refuse_change'`,
    );
    expect(row).toEqual({ count: 6 });
    await expect(backend.asOwner('TRUNCATE maskinporten_audit.records')).rejects.toThrow(/can only be added to/);
  });

  it('months begin in UTC, whatever the session of the one who prepares them says', async () => {
    // In this style a time is written with IST, which PostgreSQL reads as Israel's.
    await backend.asService(
      `SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SELECT maskinporten_audit.prepare_months(4)`,
    );
    await backend.asService('RESET TimeZone; RESET DateStyle');
    const month = inMonths(4);
    await log.write({ kind: 'token', at: new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth(), 1)) });
    const rows = await backend.asSuperuser('SELECT tableoid::regclass::text AS name FROM maskinporten_audit.records');
    expect(rows.map(({ name }) => String(name).replace('maskinporten_audit.', ''))).toContain(partitionOf(month));
  });

  it('T-67: what one who may do everything changes in the database is found where it is', async () => {
    const columns = `caller = 'x'|at = at + interval '1 microsecond'|at = concat(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '+00 BC')::timestamptz|scopes = array_append(scopes, 'x')|status = NULL|duration_ms = 13|kind = 'token'|lost = 1|hash = 'x'|previous = 'x'|path_template = ''`;
    const tamperings: [statement: string, found: RegExp][] = [
      ...columns
        .split('|')
        .map((set): [string, RegExp] => [
          `UPDATE maskinporten_audit.records SET ${set} WHERE seq = 9`,
          /^altered [89]$/,
        ]),
      ['DELETE FROM maskinporten_audit.records WHERE seq = 9', /^removed 9$/],
      [
        'UPDATE maskinporten_audit.records SET seq = seq - 40 WHERE seq IN (15, 25); UPDATE maskinporten_audit.records SET seq = -seq WHERE seq < 0',
        /^reordered (15|25)$/,
      ],
      [
        `INSERT INTO maskinporten_audit.records SELECT (jsonb_populate_record(r, '{"caller":"x","at":"2019-01-01"}')).* FROM maskinporten_audit.records r WHERE seq = 9`,
        /^(inserted|altered) 9$/,
      ],
      ['DELETE FROM maskinporten_audit.records WHERE seq > 1', /^tail-cut 2$/],
      ['TRUNCATE maskinporten_audit.records', /^writer-missing 1$/],
      [`UPDATE maskinporten_audit.checkpoints SET hash = repeat('0', 64)`, /^(bad-checkpoint|inserted) \d+$/],
    ];
    await Promise.all(Array.from({ length: 30 }, (_, index) => log.write({ ...everything, requestId: `r-${index}` })));
    await log.write({ kind: 'token' });
    expect(await change('SELECT')).toEqual([]);
    for (const [statement, expected] of tamperings) {
      const found = await change(statement);
      expect([statement, found.length]).not.toEqual([statement, 0]);
      for (const each of found) expect([statement, each]).toEqual([statement, expect.stringMatching(expected)]);
    }
  });
}

function refusesWrongSearches(backendOf: () => Backend): void {
  let log: AuditLog;
  beforeAll(async () => {
    log = new AuditLog({ store: await backendOf().reset() });
  });
  afterAll(() => log?.close());

  it.each([
    [{ day: '2026-02-30' }, /day/],
    [{ day: '14.03.2026' }, /day/],
    [{ limit: 0 }, /limit/],
    [{ limit: 1_001 }, /limit/],
    [{ after: 'x' }, /after/],
    [{ after: Buffer.from('["2026",null,1]').toString('base64url') }, /after/],
    [{ day: '0000-01-01' }, /day/],
    [{ day: '9999-12-31' }, /day/],
    [{ after: Buffer.from(JSON.stringify(['2026-03-14', '-'.repeat(36), 1])).toString('base64url') }, /after/],
    [{ after: Buffer.from(JSON.stringify(['+275760-01-01T00:00:00Z', NOBODY, 1])).toString('base64url') }, /after/],
  ])('refuses a search for %j', async (wrong, message) => {
    await expect(log.search({ organisation: CUSTOMER, day: DAY, ...wrong })).rejects.toThrow(message);
  });
}

describe('the audit log in PGlite', () => {
  const backend = running(() => PgliteBackend.start());
  describe('that is empty', () => {
    keepsItsPromises(backend);
  });
  describe('of anybody', () => {
    refusesWrongSearches(backend);
  });
});

describe('the audit log in PostgreSQL', () => {
  withPostgres(() => {
    const backend = running(() => PostgresBackend.start());
    describe('that is empty', () => {
      keepsItsPromises(backend);
    });
    describe('of anybody', () => {
      refusesWrongSearches(backend);
    });

    describe('who may run the service', () => {
      let connectionString: string;
      beforeAll(async () => {
        const { cluster } = backend();
        const database = await cluster.createDatabase();
        connectionString = cluster.url(database, 'owner');
        await cluster.asSuperuser(
          database,
          'CREATE ROLE heir IN ROLE owner',
          'CREATE ROLE idle NOINHERIT IN ROLE owner',
        );
      });

      it.each(['owner', 'postgres', 'heir', 'idle'])(
        'T-67: %s can do what the owner can, and is refused',
        async (role) => {
          await expect(migrateAuditDatabase({ connectionString, runningRole: role })).rejects.toMatchObject({
            code: 'MP_CONFIG',
          });
        },
      );

      it('T-67: a role with no way to the owner is not', async () => {
        await expect(migrateAuditDatabase({ connectionString, runningRole: 'service' })).resolves.toHaveLength(2);
      });
    });
  });
});
