import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { configurationError } from '../errors/index.js';
import { compileRooms } from './compiled-rooms.fixtures.js';
import { makeKey, TestAuthority, type TestKey } from './keys.fixtures.js';
import { opensslPkcs12 } from './pkcs12.fixtures.js';
import {
  loadWatchedKeyRing,
  type FileKeySource,
  type KeyFileWatch,
  type KeyReloadFailure,
  type KeyRing,
} from './index.js';

const [first, second, third] = [makeKey(), makeKey(), makeKey()] as const;
const secretOf = ({ jwk }: TestKey): string => String(jwk.d).slice(0, 30);

interface Watched {
  readonly ring: KeyRing;
  readonly watch: KeyFileWatch;
  readonly failures: KeyReloadFailure[];
}

const open: KeyFileWatch[] = [];
afterEach(() => {
  for (const watch of open.splice(0)) watch.close();
});

async function watched(source: FileKeySource, check?: () => void): Promise<Watched> {
  const failures: KeyReloadFailure[] = [];
  const options = { onReloadFailure: (failure: KeyReloadFailure) => failures.push(failure) };
  const { ring, watches } = await loadWatchedKeyRing(source, check === undefined ? options : { ...options, check });
  const [watch] = watches;
  if (watch === undefined) throw new Error('not watched');
  open.push(watch);
  return { ring, watch, failures };
}

function fileWith(content: string | Buffer): {
  readonly file: string;
  readonly write: (next: string | Buffer) => void;
} {
  const file = join(mkdtempSync(join(tmpdir(), 'maskinporten-watch-')), 'key');
  const write = (next: string | Buffer): void => {
    writeFileSync(file, next);
    chmodSync(file, 0o600);
  };
  write(content);
  return { file, write };
}

const jwk = (key: TestKey, kid: string): string => JSON.stringify({ ...key.jwk, kid });

describe('key files that change', () => {
  it('F-117: a new key in the file signs, the old one is its fallback', async () => {
    const { file, write } = fileWith(jwk(first, 'one'));
    const { ring, watch, failures } = await watched({ file });
    await watch.look();
    expect([ring.current.kid, ring.generation]).toEqual(['one', 0]);
    write(jwk(second, 'two'));
    await watch.look();
    expect([ring.current.kid, ring.others.map(({ kid }) => kid), failures]).toEqual(['two', ['one'], []]);
    await watch.look();
    expect(ring.generation).toBe(1);
  });

  it('F-117: a Kubernetes secret is swapped by its link, several times', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-secret-'));
    const swap = (version: string, content: string): void => {
      mkdirSync(join(directory, `..${version}`));
      writeFileSync(join(directory, `..${version}`, 'key.jwk'), content, { mode: 0o400 });
      symlinkSync(`..${version}`, join(directory, '..data_tmp'));
      renameSync(join(directory, '..data_tmp'), join(directory, '..data'));
    };
    swap('2026_01', jwk(first, 'one'));
    symlinkSync('..data/key.jwk', join(directory, 'key.jwk'));
    const { ring, watch } = await watched({ file: join(directory, 'key.jwk') });
    for (const [version, key, kid] of [
      ['2026_02', second, 'two'],
      ['2026_03', third, 'three'],
    ] as const) {
      swap(version, jwk(key, kid));
      await watch.look();
      expect(ring.current.kid).toBe(kid);
    }
    expect(ring.others.map(({ kid }) => kid)).toEqual(['two']);
  });

  it('F-118: a half-written file is waited for: no failure is told when it is whole at the next look', async () => {
    const { file, write } = fileWith(first.pem);
    const { ring, watch, failures } = await watched({ file, kid: 'k' });
    write(second.pem.slice(0, 700));
    await watch.look();
    expect([ring.generation, failures, watch.failure]).toEqual([0, [], undefined]);
    write(second.pem);
    await watch.look();
    expect([ring.generation, failures, ring.current.publicKey?.equals(second.publicKey)]).toEqual([1, [], true]);
  });

  it.each([
    ['F-113: damaged', second.pem.slice(0, 700), /^key\.file$/],
    ['F-113: encrypted with another passphrase', opensslPkcs12(second.pem, 'other', ['-nocerts']), /^key\.passphrase$/],
    ['F-116: a public key', second.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /^key\.file$/],
    ['F-118: empty', '', /^key\.file$/],
  ])('%s: the old key stays, and it is told once', async (_, content, field) => {
    const { file, write } = fileWith(first.pem);
    const { ring, watch, failures } = await watched({ file, kid: 'k', passphrase: 'right' });
    const [before] = [ring.current];
    write(content);
    for (let looks = 0; looks < 4; looks += 1) await watch.look();
    expect([ring.current === before, failures]).toEqual([true, [watch.failure]]);
    expect(watch.failure).toMatchObject({ field: expect.stringMatching(field), error: { code: 'MP_CONFIG' } });
    expect(String(watch.failure?.error)).not.toContain(secretOf(second));
    write(first.pem);
    await watch.look();
    expect([watch.failure, ring.current === before]).toEqual([undefined, true]);
  });

  it('F-111: a key file that goes away leaves the loaded key, and its return ends the failure', async () => {
    const { file, write } = fileWith(first.pem);
    const { ring, watch, failures } = await watched({ file, kid: 'k' });
    rmSync(file);
    await watch.look();
    expect(failures).toEqual([]);
    await watch.look();
    await watch.look();
    expect(failures).toEqual([{ field: 'key.file', error: expect.objectContaining({ code: 'MP_CONFIG' }) }]);
    expect(failures[0]?.error.message).toContain('does not exist');
    expect(ring.current.publicKey?.equals(first.publicKey)).toBe(true);
    write(second.pem);
    await watch.look();
    expect([watch.failure, ring.current.publicKey?.equals(second.publicKey)]).toEqual([undefined, true]);
  });

  it('F-114: key and certificate are taken together, when both have changed', async () => {
    const authority = new TestAuthority();
    const certificate = (key: TestKey): string => authority.issue({ subject: '/CN=Test', key }).certificate;
    const key = fileWith(first.pem);
    const chain = fileWith(certificate(first));
    const { ring, watch, failures } = await watched({ file: key.file, certificateFile: chain.file });
    key.write(second.pem);
    await watch.look();
    await watch.look();
    expect(failures[0]?.error.message).toContain('key.certificateFile: belongs to another key');
    expect(ring.generation).toBe(0);
    chain.write(certificate(second));
    await watch.look();
    expect([ring.generation, watch.failure]).toEqual([1, undefined]);
  });

  it('a key that is not for this client is refused by the check, and the old one stays', async () => {
    const { file, write } = fileWith(first.pem);
    const { ring, watch } = await watched({ file, kid: 'k' }, () => {
      throw configurationError([{ field: 'organisation', code: 'MP_CONFIG', reason: 'is of somebody else' }]);
    });
    write(second.pem);
    await watch.look();
    await watch.look();
    expect([ring.generation, watch.failure?.field]).toEqual([0, 'organisation']);
  });

  it('watch: false, and sources that are no files, are not looked at', async () => {
    const { file } = fileWith(first.pem);
    const { watches } = await loadWatchedKeyRing([
      { file, kid: 'a', watch: false },
      { pem: second.pem, kid: 'b' },
      { file, kid: 'c', watch: { intervalMs: 60_000 } },
    ]);
    expect(watches).toHaveLength(1);
  });

  it.each([99, 0, -1, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001])(
    'an interval of %s ms is refused',
    async (intervalMs) => {
      const { file } = fileWith(first.pem);
      await expect(loadWatchedKeyRing({ file, kid: 'k', watch: { intervalMs } })).rejects.toMatchObject({
        failures: [{ field: 'key.watch.intervalMs' }],
      });
    },
  );

  it('started, it looks by itself until it is closed', async () => {
    const { file, write } = fileWith(jwk(first, 'one'));
    const { ring, watch } = await watched({ file, watch: { intervalMs: 100 } });
    watch.start();
    const changed = new Promise((resolve) => ring.onChange(resolve));
    write(jwk(second, 'two'));
    await changed;
    expect(ring.current.kid).toBe('two');
    watch.close();
    write(jwk(third, 'three'));
    await watch.look();
    expect(ring.current.kid).toBe('two');
  });

  it('does not keep a process alive', () => {
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-exit-'));
    compileRooms(directory, ['errors', 'key-files', 'certificates', 'keys']);
    const { file } = fileWith(first.pem);
    writeFileSync(
      join(directory, 'child.js'),
      `import { loadWatchedKeyRing } from './keys/index.js';
       const { watches } = await loadWatchedKeyRing({ file: process.argv[2], kid: 'k', watch: { intervalMs: 100 } });
       for (const watch of watches) watch.start();
       console.log('started', watches.length);`,
    );
    expect(execFileSync(process.execPath, [join(directory, 'child.js'), file], { timeout: 300_000 }).toString()).toBe(
      'started 1\n',
    );
  });
});
