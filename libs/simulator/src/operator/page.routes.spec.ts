import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { AltinnBench, KB, REQUEST_WRITE, SYSTEM } from '../altinn.fixtures.js';
import { CUSTOMER } from '../grants.fixtures.js';
import { CHECK_WORDS, wordsOf } from './check-words.js';

const PAGE = join(import.meta.dirname, 'page');
const SOURCE = join(import.meta.dirname, '..');

/** Status of a request with exactly these headers; fetch would set `Sec-Fetch-Mode` itself. */
function statusOf(url: string, headers: Record<string, string>, method = 'GET'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the operator page, on the wire', () => {
  let bench: AltinnBench;

  const get = (path: string, headers: Record<string, string> = {}) =>
    bench.send(bench.simulator.operatorUrl, path, { headers });

  beforeAll(async () => {
    bench = await AltinnBench.start();
  });
  afterAll(() => bench.close());
  beforeEach(() => bench.operator.reset());

  it.each(['/operator', '/operator/', '/accessmanagement/ui/systemuser/request?id=x'])(
    '%s is a page that loads nothing from elsewhere and cannot be framed',
    async (path) => {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(answer.headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    },
  );

  it('serves every file of its folder and nothing else', async () => {
    const files = readdirSync(PAGE).filter((file) => !file.endsWith('.html'));
    expect(files).toContain('page.css');
    for (const file of files) expect((await get(`/operator/page/${file}`)).status).toBe(200);
    for (const path of ['/operator/page/', '/operator/page/..%2fpage.routes.ts', '/operator/page/none.js']) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('names no other host in its files, and writes no markup from texts', () => {
    for (const file of readdirSync(PAGE)) {
      const text = readFileSync(join(PAGE, file), 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
      expect(text).not.toMatch(/https?:\/\/|innerHTML|insertAdjacentHTML|document\.write|\seval\(/);
    }
  });

  it('leads the root to the page', async () => {
    const answer = await get('/');
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/operator']);
  });

  it('answers 204 when nothing has changed, and the whole overview when anything has', async () => {
    const first = await get('/operator/api/overview');
    const version = String(first.json['version']);
    expect((await get(`/operator/api/overview?known=${version}`)).status).toBe(204);
    await bench.request();
    const second = await get(`/operator/api/overview?known=${version}`);
    expect(second.status).toBe(200);
    expect(second.json).toMatchObject({
      customers: [{ orgno: CUSTOMER, requests: [{ status: 'New', systemId: SYSTEM, rights: [{ resource: KB }] }] }],
    });
  });

  it('holds no token, no assertion and no signature', async () => {
    const token = await bench.token(REQUEST_WRITE);
    await bench.request();
    const { text } = await get('/operator/api/overview');
    expect(text).not.toContain(token);
    expect(text).not.toMatch(/eyJ[\w-]+\.[\w-]+\.[\w-]+/);
  });

  const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

  it('may be linked to from other sites, and nothing more', async () => {
    const page = `${bench.simulator.operatorUrl}/operator`;
    expect(await statusOf(page, navigation)).toBe(200);
    expect(await statusOf(page, { ...navigation, 'sec-fetch-dest': 'iframe' })).toBe(403);
    expect(await statusOf(page, { ...navigation, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' })).toBe(403);
    expect(await statusOf(page, { ...navigation, host: 'evil.example' })).toBe(403);
  });

  it.each([
    ['a form of another site', navigation],
    ['a page of another origin', { origin: 'http://evil.example' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
  ])('lets %s approve nothing', async (_name, headers) => {
    const { id } = await bench.request();
    const url = `${bench.simulator.operatorUrl}/operator/api/requests/${String(id)}/approve`;
    expect(await statusOf(url, headers, 'POST')).toBe(403);
    expect(bench.operator.requests.get(String(id))?.status).toBe('New');
  });
});

describe('the words of the checks', () => {
  it('exist for every check that the simulator makes', () => {
    const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !/\.(spec|fixtures)\.ts$/.test(file),
    );
    const made = sources.flatMap((file) => {
      const text = readFileSync(join(SOURCE, file), 'utf8');
      return [...text.matchAll(/(?:check: |note\(request, |TokenFailure\()'([a-z0-9_.]+)'/g)].map(
        ([, check]) => check ?? '',
      );
    });
    expect(made.length).toBeGreaterThan(60);
    const withoutWords = [...new Set(made)].filter((check) => CHECK_WORDS[check] === undefined);
    expect(withoutWords).toEqual([]);
  });

  it('tell passed, failed and not judged apart', () => {
    expect(wordsOf('signature', true)).toBe('The signature is right');
    expect(wordsOf('signature', false)).toBe('The signature is wrong');
    expect(wordsOf('signature', undefined)).toBe('Not judged: the signature is right');
    expect(wordsOf('new.check', false)).toBe('new.check');
  });
});
