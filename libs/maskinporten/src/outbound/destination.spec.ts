import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/size.js';
import { checkDestination, type CheckedDestination } from '../issuer/index.js';
import { DestinationList } from './destination-list.js';
import { parseOutboundUrl } from './outbound-url.js';

const listed = (...entries: readonly (string | { origin: string; pathPrefix?: string })[]): DestinationList =>
  new DestinationList(
    entries.map((entry): CheckedDestination => {
      const checked = checkDestination(entry);
      if ('reason' in checked) throw new Error(checked.reason);
      return checked;
    }),
  );

const goes = (list: DestinationList, address: string): boolean => {
  try {
    return list.allows(parseOutboundUrl(address));
  } catch {
    return false;
  }
};

const ALTINN = 'https://platform.altinn.no';

/** Addresses that look like the listed origin and are not, or that hide where they go. */
const HOSTILE = [
  'https://platform.altinn.no.evil.com/x',
  'https://platform.altinn.no@evil.com/x',
  'https://platform.altinn.no:443@evil.com/x',
  'https://platform.altinn.no%2eevil.com/x',
  'https://platform.altinn.no\t.evil.com/x',
  'https://plat\nform.altinn.no/x',
  'https://platform.altinn.no\\@evil.com/x',
  'https://evil.com\\.platform.altinn.no/x',
  'https:\\\\platform.altinn.no/x',
  'https://user@platform.altinn.no/x',
  'https://user:pass@platform.altinn.no/x',
  'https://@platform.altinn.no/x',
  'https://platform.altinn.no:8443/x',
  'https://platform.altinn.no./x',
  'https://xplatform.altinn.no/x',
  'https://sub.platform.altinn.no/x',
  'https://altinn.no/x',
  'https://plаtform.altinn.no/x',
  'http://platform.altinn.no/x',
  'http://platform.altinn.no:443/x',
  '//platform.altinn.no/x',
  '//evil.com/x',
  '/x',
  'x',
  '',
  'ftp://platform.altinn.no/x',
  'file:///etc/passwd',
  'data:text/plain,x',
  'javascript:alert(1)',
  'ws://platform.altinn.no/x',
  'blob:https://platform.altinn.no/x',
  'https:evil.com',
  'https://[::ffff:127.0.0.1]/x',
  'https://evil.com/https://platform.altinn.no/',
  'https://evil.com#https://platform.altinn.no/',
  'https://evil.com?https://platform.altinn.no/',
  ' https://evil.com/',
  'https://platform.altinn.no\u0000.evil.com/',
];

describe('DestinationList', () => {
  it.each(HOSTILE)('T-22, T-23, S-15: %j is not the listed origin', (address) => {
    expect(goes(listed(ALTINN), address)).toBe(false);
  });

  it.each([
    'https://platform.altinn.no',
    'https://platform.altinn.no/storage/api/v1?x=@evil.com',
    'https://PLATFORM.altinn.no:443/x',
    'HTTPS://platform.altinn.no/a\u0020b',
    'https://platform.altinn.no/x#@evil.com',
    'https://platform.altinn.no/users/someone@example.no',
  ])('allows %j, which is the listed origin written in another way', (address) => {
    expect(goes(listed(ALTINN), address)).toBe(true);
  });

  it('T-22: a URL goes through only if its parsed origin is listed, for any URL', () => {
    const list = listed(ALTINN, 'https://api.example.no:8443');
    const piece = fc.constantFrom(
      'https://',
      'http://',
      'platform.altinn.no',
      '@',
      ':',
      '/',
      '\\',
      '.',
      '%2e',
      '?',
      '#',
      '443',
      'evil.com',
      '\t',
      '..',
      '[::1]',
      'api.example.no:8443',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.webUrl(),
          fc.array(piece, { maxLength: 9 }).map((parts) => parts.join('')),
        ),
        (address) => {
          if (!goes(list, address)) return;
          const { origin, username, password } = new URL(address);
          expect(['https://platform.altinn.no', 'https://api.example.no:8443']).toContain(origin);
          expect(username + password).toBe('');
        },
      ),
      { numRuns: runs(1_000) },
    );
  });

  it('T-22: a wildcard of the presets stands for exactly one label', () => {
    const list = new DestinationList([{ origin: 'https://*.apps.tt02.altinn.no' }]);
    expect(goes(list, 'https://ttd.apps.tt02.altinn.no/ttd/app')).toBe(true);
    for (const host of [
      'apps.tt02.altinn.no',
      'a.b.apps.tt02.altinn.no',
      'ttd.apps.tt02.altinn.no.evil.com',
      'ttd.appsxtt02.altinn.no',
      '.apps.tt02.altinn.no',
      '-.apps.tt02.altinn.no',
      'evil.com/.apps.tt02.altinn.no',
      'evil.com?.apps.tt02.altinn.no',
    ]) {
      expect(goes(list, `https://${host}`)).toBe(false);
    }
    expect(goes(list, 'https://ttd.apps.tt02.altinn.no:8443/')).toBe(false);
    expect(goes(list, 'http://ttd.apps.tt02.altinn.no/')).toBe(false);
  });

  it('keeps to the path prefix, by whole segments of the normalised path', () => {
    const list = listed({ origin: 'https://felles.example.no', pathPrefix: '/krav/v1/' });
    for (const path of ['/krav/v1', '/krav/v1/', '/krav/v1/a?b=/../c', '/x/../krav/v1/a']) {
      expect(goes(list, `https://felles.example.no${path}`)).toBe(true);
    }
    for (const path of [
      '/',
      '/krav',
      '/krav/v10',
      '/krav/v1/../v2',
      '/krav/v1/%2e%2e/v2',
      '/krav/v1/..%2fv2',
      '/krav/v1/a%5c..',
      '/krav/v1/%252e%252e/',
      '/KRAV/v1',
      '//krav/v1',
    ]) {
      expect(goes(list, `https://felles.example.no${path}`)).toBe(false);
    }
  });

  it('refuses below a pathPrefix what a server may read as another path', () => {
    const origin = 'https://felles.example.no';
    const list = listed({ origin, pathPrefix: '/krav/v1' });
    for (const path of [
      '/krav/v1/..;/admin',
      '/krav/v1/..;',
      '/krav/v1/..;v=1/admin',
      '/krav/v1/..;v=1;w=2/..;/admin',
      '/krav/v1/.;/..;/admin',
      '/krav/v1/a;b/..;c/..;d/admin',
      '/krav/v1/%2e%2e;/admin',
      '/krav/v1/.%2E;/admin',
      '/krav/v1/%2e;x/..,y/admin',
      '/krav/v1/..,/admin',
      '/krav/v1/..%3b/admin',
      '/krav/v1/..%20/admin',
      '/krav/v1/..%00/admin',
      '/krav/v1/..%2f..%2fadmin',
      '/krav/v1/x%2F..%2F..%2Fadmin',
      '/krav/v1/..%5cadmin',
      '/krav/v1/%5C..%5Cadmin',
      '/krav/v1/%252e%252e/admin',
      '/krav/v1/..%252fadmin',
      '/krav/v1/%25252e%25252e/admin',
      '/krav/v1/..%c0%afadmin',
      '/krav/v1/%c0%ae%c0%ae/admin',
      '/krav/v1/%e0%80%ae%e0%80%ae/admin',
      '/krav/v1/..%u2215admin',
      '/krav/v1;/../admin',
      '/krav;a/v1/x',
    ]) {
      expect([path, goes(list, `${origin}${path}`)]).toEqual([path, false]);
    }
    for (const path of [
      '/krav/v1/a;version=2/b',
      '/krav/v1/a,b;c=d',
      '/krav/v1/.well-known/x',
      '/krav/v1/..x',
      '/krav/v1/file%2Ejson',
      '/krav/v1/%C3%A6',
      '/krav/v1/a%20b',
      '/krav/v1/a?next=/..;/admin',
    ]) {
      expect([path, goes(list, `${origin}${path}`)]).toEqual([path, true]);
    }
    // Without a prefix the whole origin is meant, and nothing is guessed about its paths.
    expect(goes(listed(origin), `${origin}/a/..;/b`)).toBe(true);
    expect(list.reasonAgainst(new URL(`${origin}/krav/v1/..;/admin`))).toContain('two ways');
    expect(list.reasonAgainst(new URL(`${origin}/other`))).toContain('not below the pathPrefix');
  });

  it('takes the widest of several entries for one origin', () => {
    const list = listed({ origin: ALTINN, pathPrefix: '/a' }, { origin: ALTINN, pathPrefix: '/b' });
    expect([goes(list, `${ALTINN}/a`), goes(list, `${ALTINN}/b/c`), goes(list, `${ALTINN}/c`)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(goes(listed({ origin: ALTINN, pathPrefix: '/a' }, ALTINN), `${ALTINN}/c`)).toBe(true);
  });
});

describe('checkDestination', () => {
  it.each([
    'https://api.example.no',
    'https://api.example.no/',
    'https://api.example.no:8443',
    'http://localhost:3000',
    'http://127.0.0.1:1',
    'http://[::1]:1',
  ])('accepts %s', (origin) => {
    expect(checkDestination(origin)).toEqual({ origin: new URL(origin).origin, pathPrefix: undefined });
  });

  it.each([
    'api.example.no',
    'http://api.example.no',
    'http://10.0.0.1',
    'http://localhost.evil.com',
    'https://api.example.no/path',
    'https://api.example.no?x',
    'https://api.example.no#x',
    'https://user@api.example.no',
    'https://*.apps.altinn.no',
    'https://*.example.no',
    'https://api.example.no.',
    'https://api.example.no\t',
    'https:\\\\api.example.no',
    'ftp://api.example.no',
    '',
    undefined,
    null,
    7,
    {},
    { origin: 7 },
    { origin: 'https://api.example.no', pathPrefix: 'v1' },
    { origin: 'https://api.example.no', pathPrefix: '/a/../b' },
    { origin: 'https://api.example.no', pathPrefix: '/a//b' },
    { origin: 'https://api.example.no', pathPrefix: '/a?b' },
    { origin: 'https://api.example.no', pathPrefix: '/%61' },
    { origin: 'https://api.example.no', pathPrefix: 7 },
  ])('refuses %j', (destination) => {
    expect(checkDestination(destination)).toEqual({ reason: expect.any(String) });
  });
});
