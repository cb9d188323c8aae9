import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GRANT_TYPE, GrantBench, KEY, sign } from '../grants.fixtures.js';
import { type Simulator, startSimulator } from '../index.js';
import { expectRefusal } from '../refusals.fixtures.js';

const FORM = 'application/x-www-form-urlencoded';

describe('a token request that is no form POST', () => {
  let bench: GrantBench;
  let assertion: string;

  beforeAll(async () => {
    bench = await GrantBench.start();
    assertion = await bench.assertion();
  });
  afterAll(() => bench.close());

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('is refused when it is a %s', async (method) => {
    const response = await fetch(bench.simulator.tokenEndpoint, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it.each([
    ['JSON', 'application/json', (jwt: string) => JSON.stringify({ grant_type: GRANT_TYPE, assertion: jwt })],
    ['text', 'text/plain', (jwt: string) => `grant_type=${encodeURIComponent(GRANT_TYPE)}&assertion=${jwt}`],
  ])('is refused when the body is %s', async (_name, type, body) => {
    const reply = await bench.post(body(assertion), { 'content-type': type });
    expect(reply.status).toBe(415);
    expect(reply.json).toMatchObject({ error: 'invalid_request' });
    expect(bench.simulator.log.at(-1)).toMatchObject({ kind: 'grant', status: 415 });
  });

  it('is refused when the parameters are in the query', async () => {
    const query = new URLSearchParams({ grant_type: GRANT_TYPE, assertion });
    const response = await fetch(`${bench.simulator.tokenEndpoint}?${query.toString()}`, {
      method: 'POST',
      headers: { 'content-type': FORM },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    expect(JSON.stringify(bench.simulator.log)).not.toContain(assertion);
  });

  it('is refused when the body is too large', async () => {
    const reply = await bench.post(new URLSearchParams({ grant_type: GRANT_TYPE, assertion: 'a'.repeat(70_000) }));
    expect(reply.status).toBe(413);
    expect(reply.json).toMatchObject({ error: 'invalid_request' });
  });

  it.each([
    ['grant_type is missing', (jwt: string) => `assertion=${jwt}`, 'invalid_request'],
    ['grant_type is empty', (jwt: string) => `grant_type=&assertion=${jwt}`, 'invalid_request'],
    [
      'grant_type is another',
      (jwt: string) => `grant_type=client_credentials&assertion=${jwt}`,
      'unsupported_grant_type',
    ],
    ['assertion is missing', () => `grant_type=${GRANT_TYPE}`, 'invalid_request'],
    ['assertion is empty', () => `grant_type=${GRANT_TYPE}&assertion=`, 'invalid_request'],
    [
      'assertion is repeated',
      (jwt: string) => `grant_type=${GRANT_TYPE}&assertion=${jwt}&assertion=${jwt}`,
      'invalid_request',
    ],
    [
      'another parameter is repeated',
      (jwt: string) => `grant_type=${GRANT_TYPE}&assertion=${jwt}&a=1&a=2`,
      'invalid_request',
    ],
    ['the body is empty', () => '', 'invalid_request'],
  ])('is refused when %s', async (_name, body, error) => {
    const reply = await bench.post(body(assertion), { 'content-type': FORM });
    expect(reply.status).toBe(400);
    expect(reply.json['error']).toBe(error);
    expect(bench.simulator.log.at(-1)?.checks).toMatchObject([{ check: 'request', ok: false }]);
  });

  it('ignores parameters that it does not know (RFC 6749 §3.2) and says so in the log', async () => {
    const reply = await bench.post(
      new URLSearchParams({ grant_type: GRANT_TYPE, assertion: await bench.assertion(), client_id: 'client-1' }),
    );
    expect(reply.status).toBe(200);
    expect(bench.simulator.log.at(-1)?.checks[0]).toEqual({
      check: 'request',
      ok: true,
      detail: 'ignored parameters: client_id',
    });
  });
});

describe('an assertion that is no JWT is refused with MP-011', () => {
  let bench: GrantBench;

  beforeAll(async () => {
    bench = await GrantBench.start();
  });
  afterAll(() => bench.close());

  const cases: readonly [string, (parts: readonly string[]) => string][] = [
    ['with two segments', ([header, body]) => `${header}.${body}`],
    ['with four segments', (parts) => `${parts.join('.')}.x`],
    ['with a line break inside', ([header, body, signature]) => `${header}.${body}\r\n.${signature}`],
    ['in base64 instead of base64url', ([header, body, signature]) => `${header}.${body}==.${signature}`],
    ['with a header that is no JSON', ([, body, signature]) => `eHg.${body}.${signature}`],
    ['with claims that are a list', ([header, , signature]) => `${header}.W10.${signature}`],
    ['with claims that are no UTF-8', ([header, , signature]) => `${header}._w.${signature}`],
    ['with a character too many', ([header, body, signature]) => `${header}.${body}.${signature}!`],
    ['with an empty header', ([, body, signature]) => `.${body}.${signature}`],
  ];
  it.each(cases)('%s', async (_name, damage) => {
    const reply = await bench.send(damage((await bench.assertion()).split('.')));
    expectRefusal(bench, reply, {
      error: 'invalid_request',
      text: /^Invalid assertion\. Invalid parameter value/,
      code: 'MP-011',
      check: 'assertion',
    });
  });

  it('signed over a text', async () => {
    const reply = await bench.send(await sign('"text"', { alg: 'RS256', kid: 'key-1' }, KEY.privateKey));
    expect(reply.json).toMatchObject({ error: 'invalid_request' });
  });
});

describe('error_uri', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.close());

  it('leads to a page that explains the code, for every code that the simulator gives', async () => {
    const folder = import.meta.dirname;
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !file.includes('.spec.') && !file.endsWith('error-page.ts'),
    );
    const codes = files.flatMap((file) => readFileSync(join(folder, file), 'utf8').match(/(?<=')MP-\d{3}(?=')/g) ?? []);
    expect(new Set(codes).size).toBeGreaterThan(12);
    for (const code of new Set(codes)) {
      const answer = await fetch(`${simulator.issuer}errors/${code}`);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(await answer.text()).toContain(`<h1>${code}</h1>`);
    }
  });

  it('repeats nothing of an address that has no code', async () => {
    const answer = await fetch(`${simulator.issuer}errors/${encodeURIComponent('<script>')}`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain('script');
  });
});
