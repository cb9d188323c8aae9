import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority } from '../certificates.fixtures.js';
import { GRANT_TYPE, GrantBench, type GrantChanges, SCOPE, VENDOR, asClaims, makeClient } from '../grants.fixtures.js';
import type { Tolerance } from '../index.js';

const authority = new CertificateAuthority();
const root = authority.issue({ subject: '/C=NO/O=Test CA/CN=Root', ca: true });
const intermediate = authority.issue({ subject: '/C=NO/O=Test CA/CN=Business', ca: true, issuer: root });
const subject = `/C=NO/O=Acme AS/organizationIdentifier=NTRNO-${VENDOR}/CN=Acme`;
const leaf = authority.issue({ subject, issuer: intermediate });
const selfSigned = authority.issue({ subject });
const sealed = (der: string, key = leaf.privateKey): GrantChanges => ({
  claims: { iss: 'sealed' },
  header: { kid: undefined, x5c: [der] },
  key,
});

let bench: GrantBench;
beforeAll(async () => {
  const trustedRoots = [root.pem];
  bench = await GrantBench.start({
    clients: [makeClient(), { clientId: 'sealed', orgno: VENDOR, scopes: [SCOPE], certificate: true, trustedRoots }],
  });
});
afterAll(() => bench.close());
beforeEach(() => bench.simulator.operator.reset());

const tolerate = (...names: Tolerance[]): unknown => bench.simulator.operator.tolerate.add(names);

interface Verdict {
  readonly status: number;
  readonly description: string;
  readonly remarks: readonly (string | undefined)[];
}

async function verdictOf(changes: GrantChanges): Promise<Verdict> {
  const { status, json } = await bench.grant(changes);
  const remarks = bench.simulator.log.at(-1)?.checks.map(({ detail }) => detail) ?? [];
  return { status, description: String(json['error_description']), remarks };
}

const cases: readonly [Tolerance, GrantChanges][] = [
  ['nbf', { claims: { nbf: 1_795_000_000 } }],
  ['sub', { claims: { sub: 'client-1' } }],
  ['missing-jti', { claims: { jti: undefined } }],
  ['iss_onbehalfof', { claims: { iss_onbehalfof: 'an-old-supplier' } }],
  ['leaf-only-x5c', sealed(leaf.der)],
];

describe('what the real service has been seen to let pass', () => {
  it.each(cases)('%s: refused with the name of the switch, and taken when it is on', async (name, changes) => {
    const refused = await verdictOf(changes);
    expect(refused.status).toBe(400);
    expect(refused.description).toContain(`The simulator lets it pass with "tolerate": ["${name}"].`);
    expect(refused.remarks.filter((remark) => remark?.includes(`"tolerate": ["${name}"]`))).toHaveLength(1);
    tolerate(name);
    const taken = await verdictOf(changes);
    expect([taken.status, taken.remarks.includes(`tolerated: ${name}`)]).toEqual([200, true]);
  });

  it.each(cases)('%s: no other switch lets it pass', async (name, changes) => {
    const others = cases.map(([other]) => other).filter((other) => other !== name);
    tolerate(...others, 'query-parameters');
    expect(await verdictOf(changes)).toMatchObject({ status: 400 });
  });

  it('nbf and sub at once: both are named, and both are needed', async () => {
    const both = { claims: { nbf: 1, sub: 'x' } };
    expect((await verdictOf(both)).description).toContain('"tolerate": ["nbf","sub"]');
    tolerate('nbf');
    expect((await verdictOf(both)).description).toContain(
      'Unknown claim "sub". The simulator lets it pass with "tolerate": ["sub"]',
    );
    tolerate('sub');
    expect(await verdictOf(both)).toMatchObject({ status: 200 });
  });

  it('a claim that nobody lets pass beside one that has a switch: no switch is offered', async () => {
    const { description } = await verdictOf({ claims: { nbf: 1, foo: 'x' } });
    expect(description).not.toContain('tolerate');
    tolerate('nbf');
    expect((await verdictOf({ claims: { nbf: 1, foo: 'x' } })).description).toContain('Unknown claim "foo"');
  });

  it('missing-jti: the same assertion still counts once, and an empty or wrong jti is refused', async () => {
    tolerate('missing-jti');
    const assertion = await bench.assertion({ claims: { jti: undefined } });
    expect(await bench.send(assertion)).toMatchObject({ status: 200 });
    expect(await bench.send(assertion)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await verdictOf({ claims: { jti: undefined, exp: bench.clock.seconds + 30 } })).toMatchObject({
      status: 200,
    });
    for (const jti of ['', 7]) expect(await verdictOf({ claims: { jti } })).toMatchObject({ status: 400 });
  });

  it('leaf-only-x5c: not for a certificate that signed itself, and not for another organisation’s', async () => {
    tolerate('leaf-only-x5c');
    const alone = await verdictOf(sealed(selfSigned.der, selfSigned.privateKey));
    expect(alone.status).toBe(400);
    expect(alone.description).not.toContain('tolerate');
    const foreign = authority.issue({
      subject: '/C=NO/O=Other AS/organizationIdentifier=NTRNO-310000027/CN=Other',
      issuer: intermediate,
    });
    expect((await verdictOf(sealed(foreign.der, foreign.privateKey))).description).toContain(
      'Does not match certificate orgno',
    );
  });

  it('query-parameters: refused with the name of the switch, taken when it is on, and never in the log', async () => {
    const send = async (body?: URLSearchParams) => {
      const assertion = await bench.assertion();
      const query = new URLSearchParams({ grant_type: GRANT_TYPE, assertion }).toString();
      const answer = await fetch(`${bench.simulator.tokenEndpoint}?${query}`, {
        method: 'POST',
        ...(body && { body }),
      });
      expect(JSON.stringify(bench.simulator.log)).not.toContain(assertion);
      return { status: answer.status, json: asClaims(await answer.json()) };
    };
    expect(String((await send()).json['error_description'])).toContain('"tolerate": ["query-parameters"]');
    tolerate('query-parameters');
    expect(await send()).toMatchObject({ status: 200 });
    expect(bench.simulator.log.at(-1)?.checks[0]).toEqual({
      check: 'request',
      ok: true,
      detail: 'tolerated: query-parameters',
    });
    expect(await send(new URLSearchParams({ grant_type: GRANT_TYPE }))).toMatchObject({ status: 400 });
  });

  it('is a list of the configuration and the operator API, and unknown names are refused', async () => {
    const url = `${bench.simulator.operatorUrl}/operator/api/tolerate`;
    const post = (body: unknown) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    expect((await post(['nbf', 'sub'])).status).toBe(201);
    expect(await (await fetch(url)).json()).toEqual([{ name: 'nbf' }, { name: 'sub' }]);
    expect((await fetch(`${url}/nbf`, { method: 'DELETE' })).status).toBe(204);
    expect(await verdictOf({ claims: { sub: 'x' } })).toMatchObject({ status: 200 });
    expect(await (await post(['nfb'])).json()).toMatchObject({ failures: [{ field: 'tolerate[0]' }] });
  });

  it('every switch is in the README', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
    for (const name of [...cases.map(([each]) => each), 'query-parameters'])
      expect(readme).toContain(`| \`${name}\` |`);
  });
});

describe('line breaks in x5c', () => {
  it.each(['\r', '\n', '\r\n'])('%j between groups is left out, without a switch', async (lineBreak) => {
    const broken = (der: string): string => der.replaceAll(/.{64}/g, (line) => `${line}${lineBreak}`);
    const header = { kid: undefined, x5c: [broken(leaf.der), broken(intermediate.der)] };
    expect(await verdictOf({ claims: { iss: 'sealed' }, header, key: leaf.privateKey })).toMatchObject({ status: 200 });
  });

  it.each([' ', '\t', '-----BEGIN CERTIFICATE-----'])('%j is not', async (text) => {
    const header = { kid: undefined, x5c: [`${text}${leaf.der}`, intermediate.der] };
    expect(await verdictOf({ claims: { iss: 'sealed' }, header, key: leaf.privateKey })).toMatchObject({ status: 400 });
  });
});
