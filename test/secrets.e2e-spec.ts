import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { putEmptyPglite } from '../libs/maskinporten/src/audit-postgres/prepared-pglite.fixtures.js';
import { killChildren, ServiceProcess } from './support/child.js';
import { closeAll, makeTestBed, refusalOf, sha256, type TestBed } from './support/service.js';

const CALLER_KEY = 'canary-of-the-caller-4711';
const PASSPHRASE = 'canary-passphrase-4711';
/** Has the form of a person number. */
const PERSON = '01017012345';

/** Every byte that the embedded database has on disk. */
function filesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

/** An API that gives back everything it gets, as careless error pages do, and keeps the tokens to look for. */
class EchoingApi {
  status = 500;
  readonly tokens = new Set<string>();
  readonly #server: Server = createServer((request, response) => {
    const { authorization = '' } = request.headers;
    this.tokens.add(authorization.replace('Bearer ', ''));
    response.writeHead(this.status, { 'content-type': 'application/json', 'x-seen': authorization });
    response.end(JSON.stringify({ seen: request.headers, message: `refused ${authorization}` }));
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Stands between the service and the simulator's token endpoint, keeps the assertions, and can answer with them. */
class RecordingTokenEndpoint {
  readonly assertions = new Set<string>();
  echo: ((assertion: string) => { readonly status: number; readonly body: string }) | undefined;
  readonly #server: Server;

  constructor(target: string) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        void this.#answer(target, Buffer.concat(chunks).toString()).then(({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' });
          return response.end(body);
        });
      });
    });
  }

  async #answer(target: string, form: string): Promise<{ status: number; body: string }> {
    const assertion = new URLSearchParams(form).get('assertion') ?? '';
    this.assertions.add(assertion);
    if (this.echo !== undefined) return this.echo(assertion);
    const answer = await fetch(target, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    return { status: answer.status, body: await answer.text() };
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('secrets of the running service', () => {
  const api = new EchoingApi();
  let bed: TestBed;
  let endpoint: RecordingTokenEndpoint;
  let variables: Record<string, string>;
  let keyCanaries: string[];
  const auditFolder = mkdtempSync(join(tmpdir(), 'secrets-audit-'));
  let service: ServiceProcess;
  let url: string;

  beforeAll(async () => {
    bed = await makeTestBed();
    endpoint = new RecordingTokenEndpoint(bed.simulator.tokenEndpoint);
    const key = createPrivateKey(bed.variables['MASKINPORTEN_PRIVATE_KEY'] ?? '');
    const encrypted = key
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
      .toString();
    const apiUrl = await api.listen();
    variables = {
      ...bed.variables,
      MASKINPORTEN_TOKEN_ENDPOINT: await endpoint.listen(),
      MASKINPORTEN_PRIVATE_KEY: encrypted,
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: PASSPHRASE,
      MASKINPORTEN_DESTINATIONS: apiUrl,
      API_KEYS: JSON.stringify([{ name: 'careless', sha256: sha256(CALLER_KEY), organisations: [] }]),
      BROKER_URL: apiUrl,
      LOG_LEVEL: 'verbose',
      PORT: '0',
    };
    const { d = '', p = '', q = '' } = key.export({ format: 'jwk' });
    const plain = key.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    keyCanaries = [PASSPHRASE, d, p, q, plain.slice(100, 164), encrypted.split('\n')[5] ?? ''].map((text) =>
      text.slice(0, 40),
    );
    await putEmptyPglite(join(auditFolder, 'database'));
    service = ServiceProcess.start({ ...variables, AUDIT_DATA_DIR: auditFolder });
    const [, port] = await service.says(/"port":(\d+)/);
    url = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    killChildren();
    await Promise.all([api.close(), endpoint?.close(), closeAll()]);
    rmSync(auditFolder, { recursive: true, force: true });
  });

  /** Asks the service for what needs a token, and for what it must refuse; gives every answer. */
  async function answersTo(work: (call: () => Promise<number>) => Promise<void>): Promise<string> {
    const answers: string[] = [];
    const own = { authorization: `Bearer ${CALLER_KEY}` };
    const hear = async (path: string, headers: Record<string, string>): Promise<number> => {
      const response = await fetch(`${url}${path}`, { headers });
      answers.push(JSON.stringify([...response.headers]), await response.text());
      return response.status;
    };
    await work(async () => hear('/broker/transfers', own));
    const hostile: [path: string, headers: Record<string, string>][] = [
      [`/people/${PERSON}`, own],
      [`/organisations/${PERSON}/claims?pid=${PERSON}`, own],
      [`/broker/transfers?pid=${PERSON}`, own],
      [`/audit/${PERSON}`, own],
      [`/audit?organisation=${PERSON}&day=2026-01-31`, own],
      ['/broker/transfers', { authorization: `Bearer ${CALLER_KEY}-wrong` }],
      ['/broker/transfers', { authorization: `Basic ${CALLER_KEY}` }],
      ['/broker/transfers', { ...own, traceparent: `00-${CALLER_KEY}-01`, 'x-request-id': PERSON }],
      ['/health', own],
      ['/metrics', {}],
      ['/docs-json', {}],
    ];
    for (const [path, headers] of hostile) await hear(path, headers);
    return answers.join('\n');
  }

  function expectNoSecretIn(everything: string): void {
    const canaries = [
      ...keyCanaries,
      CALLER_KEY,
      sha256(CALLER_KEY),
      // Signatures alone would do for misuse; payloads must not be readable either.
      ...[...api.tokens, ...endpoint.assertions].flatMap((jwt) => jwt.split('.').slice(1)),
    ];
    for (const canary of canaries) {
      expect(canary.length).toBeGreaterThan(20);
      expect(everything.includes(canary)).toBe(false);
    }
    expect(everything.includes(PERSON)).toBe(false);
  }

  /** The token endpoint answers with the assertion in it from the first assertion that comes. */
  async function expectSilence(echo: (assertion: string) => { status: number; body: string }): Promise<void> {
    endpoint.echo = echo;
    endpoint.assertions.clear();
    const refused = service.output.split('token refused').length;
    const answers = await answersTo(async (call) => {
      // What the endpoint said before is remembered for a second.
      do expect(await call()).toBeGreaterThanOrEqual(500);
      while (endpoint.assertions.size === 0);
    });
    await service.says(new RegExp(`(?:token refused[^]*){${refused}}`));
    expectNoSecretIn(`${service.output}\n${answers}`);
  }

  it.each<[string, (assertion: string) => { status: number; body: string }]>([
    ['stops in the middle', (a) => ({ status: 200, body: `{"access_token": "${a}` })],
    ['answers nonsense', (a) => ({ status: 200, body: JSON.stringify({ access_token: `${a} ${a}`, token_type: a }) })],
  ])(
    'T-03: a token endpoint that %s and gives back the assertion makes the service print nothing secret',
    async (_name, echo) => {
      await expectSilence(echo);
    },
  );

  it('T-03, T-11, T-67, T-69: a failing API that gives back what it got makes the service print, answer, measure and record nothing secret', async () => {
    endpoint.echo = undefined;
    const answers = await answersTo(async (call) => {
      do await call();
      while (api.tokens.size === 0);
      for (const [status, ours] of [
        [500, 502],
        [403, 403],
        [401, 502],
        [429, 503],
        [302, 502],
      ] as const) {
        api.status = status;
        expect(await call()).toBe(ours);
      }
    });
    await service.says(/call to an API failed/);
    expectNoSecretIn(`${service.output}\n${answers}`);
  });

  it('T-03: a token endpoint that refuses and gives back the assertion makes the service print nothing secret', async () => {
    // So that the token of before has to be renewed.
    api.status = 401;
    await expectSilence((a) => ({
      status: 400,
      body: JSON.stringify({ error: a, error_description: `MP-124 ${a}`, error_uri: a }),
    }));
  });

  it('T-03, T-67: the audit log holds nothing secret when all that has happened, and all was printed', async () => {
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(0);
    const audited = filesBelow(auditFolder);
    // The scan looks where the records are.
    expect(audited).toContain('/filetransfer');
    expectNoSecretIn(`${service.output}\n${audited}`);
  });

  it('T-10: a start that fails on a damaged key does not print it', async () => {
    const damaged = (variables['MASKINPORTEN_PRIVATE_KEY'] ?? '').replaceAll('A', '%');
    const wrong = [damaged, `{"kty":"RSA","d":"${keyCanaries[1]}"`, keyCanaries[4] ?? ''];
    const printed = await Promise.all(
      wrong.map(async (key) => refusalOf({ ...variables, LOG_LEVEL: 'fatal', MASKINPORTEN_PRIVATE_KEY: key })),
    );
    const failed = ServiceProcess.start({ ...variables, MASKINPORTEN_PRIVATE_KEY: damaged });
    expect(await failed.ended()).toBe(1);
    for (const output of [...printed, failed.output]) {
      expect(output).toMatch(/MASKINPORTEN_PRIVATE_KEY /);
      for (const canary of [...keyCanaries, damaged.split('\n')[3] ?? '']) expect(output.includes(canary)).toBe(false);
    }
  });
});
