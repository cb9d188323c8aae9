import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readApiKeyEntries } from './api-key-entries.js';

const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
const good = { name: 'acme', sha256: hash('a'), organisations: ['310000027'] };
const reasons = (list: unknown): readonly string[] => {
  const read = readApiKeyEntries(typeof list === 'string' ? list : JSON.stringify(list));
  return 'reasons' in read ? read.reasons : [];
};

describe('readApiKeyEntries', () => {
  it('reads names, hashes and organisations; a name may have two keys while they are changed', () => {
    const next = { ...good, sha256: hash('b').toUpperCase(), organisations: ['0192:310000027', '310000027'] };
    expect(readApiKeyEntries(JSON.stringify([good, next]))).toEqual({
      entries: [
        { name: 'acme', sha256: Buffer.from(hash('a'), 'hex'), organisations: ['310000027'] },
        { name: 'acme', sha256: Buffer.from(hash('b'), 'hex'), organisations: ['310000027'] },
      ],
    });
  });

  it('takes a caller that may act for nobody: it can use what needs no organisation', () => {
    expect(reasons([{ ...good, organisations: [] }])).toEqual([]);
  });

  it.each([
    ['[{', /^is not JSON$/],
    [{}, /^must be a list/],
    [[], /^must be a list/],
    [[good, 'canary'], /^\(entry 2\) must be an object/],
    [[{ ...good, name: 'canary canary' }], /^\(entry 1\) name must/],
    [[{ ...good, sha256: 'canary' }], /^\(entry 1\) sha256 must/],
    [[{ ...good, sha256: `${hash('a')}0` }], /^\(entry 1\) sha256 must/],
    [[{ ...good, organisations: '310000027' }], /^\(entry 1\) organisations must/],
    [[{ ...good, organisations: ['310000028'] }], /^\(entry 1\) organisations must/],
    [[{ ...good, organisations: [310_000_027] }], /^\(entry 1\) organisations must/],
    [[{ ...good, key: 'canary' }], /^\(entry 1\) has a member besides/],
    [[good, { ...good, name: 'other' }], /^\(entry 2\) sha256 is the same as in entry 1/],
  ])('refuses %j, names the element and repeats no value', (list, reason) => {
    expect(reasons(list)).toEqual([expect.stringMatching(reason)]);
    expect(reasons(list).join(' ')).not.toContain('canary');
  });

  it('says everything that is wrong at once', () => {
    expect(reasons([{ name: '', sha256: '', organisations: null }, good, null])).toHaveLength(4);
  });
});

describe('a list that an editor on Windows has saved', () => {
  it('F-149: is read with its byte order mark', () => {
    expect(reasons(`\uFEFF${JSON.stringify([good])}`)).toEqual([]);
  });
});
