import { randomUUID } from 'node:crypto';
import { Agent, get } from 'node:http';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { killChildren, ServiceProcess } from './support/child.js';
import { AUTHORIZATION, closeAll, makeTestBed, refusalOf, type TestBed } from './support/service.js';
import { Shell } from './support/shell.js';

const root = join(import.meta.dirname, '..');

interface Demo {
  readonly service: ServiceProcess;
  readonly url: string;
  readonly operatorUrl: string;
  /** Header of the demo's own caller. */
  readonly headers: { readonly authorization: string };
}

async function startDemo(variables: Record<string, string> = {}): Promise<Demo> {
  const service = ServiceProcess.start({ PORT: '0', ...variables });
  const [, url = ''] = await service.says(/service +(http:\S+)/);
  const [, operatorUrl = ''] = await service.says(/operator +(http:\/\/[^/\s]+)/);
  await service.says(/start again\.\n─+\n/);
  const [, key] = await service.says(/your API key +(\S+)/);
  return { service, url, operatorUrl, headers: { authorization: `Bearer ${key}` } };
}

/** The lines that are there to be pasted, in order. */
const printedLines = ({ output }: ServiceProcess): string[] =>
  [...output.matchAll(/^ +(\S*(?:curl |\$\(curl ).+)$/gm)].map(([, line = '']) => line);

describe('the built service without credentials', () => {
  /** The tests use it one after the other; the last of them ends it. */
  let demo: Demo;
  beforeAll(async () => {
    demo = await startDemo({ LOG_LEVEL: 'verbose' });
  });
  afterAll(killChildren);

  it('starts on the simulator, says so, and prints curl lines that work', async () => {
    const { service } = demo;
    expect(service.output).toContain('DEMO MODE');
    const [callLine = '', logLine = '', auditLine = ''] = printedLines(service);
    await using shell = new Shell();
    expect(JSON.parse(await shell.paste(callLine))).toMatchObject({
      data: { items: [] },
    });
    const entries = JSON.parse(await shell.paste(logLine)) as { kind: string; status: number }[];
    // Before them the service has looked its system up in Altinn's register.
    const checked = entries.filter(({ kind }) => kind !== 'request').slice(-2);
    expect(checked.map(({ kind, status }) => [kind, status])).toEqual([
      ['grant', 200],
      ['call', 200],
    ]);
    const { data: records } = JSON.parse(await shell.paste(auditLine)) as { data: { kind: string; caller: string }[] };
    expect(records.map(({ kind }) => kind).toSorted()).toEqual(['call-intent', 'call-outcome', 'token']);
  });

  it('prints a tour of a delegation that works line by line', async () => {
    const { service, url } = demo;
    await using shell = new Shell();
    const [, , , ...lines] = printedLines(service);
    const answers: string[] = [];
    for (const line of lines) answers.push(await shell.paste(line));
    const bodies = answers.map((answer) => answer.trim().split('\n'));
    expect(bodies.map((parts) => parts.at(-1))).toEqual(['403', '201', '204', '200', '200', '204', '403', '200']);
    const [asked, requested, , followed, claims, , revoked] = bodies.map(([body = '']): unknown =>
      body.startsWith('{') ? JSON.parse(body) : body,
    );
    const organisation = '310000027';
    const csv = answers.at(-1) ?? '';
    expect(csv).toMatch(/^writer,seq,/);
    for (const decision of ['system_user_missing', 'allowed', 'right_missing']) expect(csv).toContain(`,${decision},`);
    expect(asked).toMatchObject({ code: 'system_user_missing', organisation, hint: { nb: expect.any(String) } });
    expect(requested).toMatchObject({
      data: { status: 'New', organisation, confirmUrl: expect.stringMatching(/^http/) },
    });
    expect(followed).toMatchObject({ data: { status: 'Accepted', organisation } });
    expect(claims).toMatchObject({ data: { organisasjonsnummer: organisation, aapnekrav: [{}, {}] } });
    expect(revoked).toMatchObject({ code: 'right_missing', organisation });
    // What else is printed to be opened.
    const [, page = ''] = await service.says(/operator +(http:\S+)/);
    for (const address of [`${url}/docs`, page, (requested as { data: { confirmUrl: string } }).data.confirmUrl]) {
      const response = await fetch(address);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringMatching(/html/)]);
    }
  });

  it('prints nothing secret, at the most talkative level either', async () => {
    const { service, url, headers } = demo;
    for (const path of ['broker/transfers', 'organisations/310000043/claims', 'organisations/310000027/claims']) {
      await (await fetch(`${url}/${path}`, { headers })).text();
    }
    await service.says(/token obtained/);
    expect(service.output).not.toMatch(/PRIVATE KEY|eyJ|redacted/);
  });

  it('answers what is in flight on SIGTERM, takes nothing new, and exits with 0', async () => {
    const { service, url, operatorUrl, headers } = demo;
    const agent = new Agent({ keepAlive: true });
    await call(`${url}/broker/transfers`, agent, headers);
    const before = await seenByApi(operatorUrl, 1);
    await fetch(`${operatorUrl}/operator/api/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ path: '/broker/api/v1/*', delayMs: 1000 }),
    });
    const inFlight = call(`${url}/broker/transfers`, agent, headers);
    await seenByApi(operatorUrl, before + 1);
    service.signal('SIGTERM');
    await service.says(/SIGTERM: finishing the requests in flight/);
    expect(await inFlight).toBe(200);
    expect(await service.ended()).toBe(0);
    await expect(once(connect(Number(new URL(url).port), '127.0.0.1'), 'connect')).rejects.toThrow(/ECONNREFUSED/);
    await expect(once(connect(Number(new URL(operatorUrl).port), '127.0.0.1'), 'connect')).rejects.toThrow(
      /ECONNREFUSED/,
    );
    agent.destroy();
  });
});

describe('a start of the built service without credentials', () => {
  afterEach(killChildren);

  it('refuses to run in production', async () => {
    const service = ServiceProcess.start({ PORT: '0', NODE_ENV: 'production' });
    expect(await service.ended()).toBe(1);
    expect(service.output).toMatch(/NODE_ENV +is production.*demo mode.*refused in production/);
  });

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const service = ServiceProcess.start({ PORT: String(port) });
    expect(await service.ended()).toBe(1);
    expect(service.output).toMatch(/EADDRINUSE.*Set PORT/);
    other.close();
  });
});

describe('the built service with credentials, in production', () => {
  let bed: TestBed;
  let service: ServiceProcess;
  let url: string;
  // A connection for each, so that none is used that the server has just closed.
  const ask = async (path: string): Promise<Response> =>
    fetch(`${url}${path}`, { headers: { ...AUTHORIZATION, connection: 'close' } });

  beforeAll(async () => {
    bed = await makeTestBed();
    service = ServiceProcess.start({
      ...bed.variables,
      NODE_ENV: 'production',
      LOG_LEVEL: 'log',
      NODE_DEBUG: 'http',
      PORT: '0',
    });
    const [, port] = await service.says(/"port":(\d+)/);
    url = `http://127.0.0.1:${port}`;
  });
  afterAll(async () => {
    killChildren();
    await closeAll();
  });

  it('runs without any simulator of its own', async () => {
    expect((await ask('/broker/transfers')).status).toBe(200);
    expect(bed.simulator.log.some(({ kind }) => kind === 'grant')).toBe(true);
    expect(service.output).not.toContain('DEMO MODE');
  });

  it('T-08: warns about debug switches that print tokens', async () => {
    const [line] = await service.says(/"level":"warn".*NODE_DEBUG makes the process print/);
    expect(line).not.toContain('Bearer');
  });

  it('says shutting_down on SIGTERM, goes on serving for a while, and ends with 0', async () => {
    // The search is answered when the database has been made.
    await ask(`/audit/${randomUUID()}`);
    const ready = async (): Promise<unknown> => {
      const answer = await ask('/health/ready');
      return [answer.status, await answer.json()];
    };
    expect(await ready()).toEqual([200, { status: 'ok' }]);
    // Its token is there and everything is loaded: what is asked while it drains takes milliseconds of the five seconds.
    service.signal('SIGTERM');
    await service.says(/draining/);
    expect(await ready()).toEqual([503, { status: 'shutting_down' }]);
    expect((await ask('/health/live')).status).toBe(200);
    expect((await ask('/broker/transfers')).status).toBe(200);
    expect(await service.ended()).toBe(0);
  });
});

describe('a start of the built service', () => {
  afterEach(async () => {
    killChildren();
    await closeAll();
  });

  it('lists everything that a partial configuration lacks and that is wrong, in one go', async () => {
    const service = ServiceProcess.start({
      MASKINPORTEN_CLIENT_ID: 'my-client',
      MASKINPORTEN_TOKEN_ENDPOINT: 'http://token.example/token',
      MASKINPORTEN_PRIVATE_KEYFILE: '/key.pem',
      MASKINPORTEN_PRIVATE_KEY: 'canary-key',
      MASKINPORTEN_DESTINATIONS: 'https://*.example',
      PORT: 'http',
    });
    expect(await service.ended()).toBe(1);
    for (const line of [
      /MASKINPORTEN_PRIVATE_KEYFILE +is not a setting; did you mean MASKINPORTEN_PRIVATE_KEY_FILE\?/,
      /PORT +must be a port/,
      /MASKINPORTEN_ENVIRONMENT +is missing/,
      /MASKINPORTEN_PRIVATE_KEY {2,}\S/,
      /MASKINPORTEN_DESTINATIONS +\(entry 1\) /,
      /explained in \.env\.example/,
    ]) {
      expect(service.output).toMatch(line);
    }
    expect(service.output).not.toContain('canary-key');
    expect(service.output).not.toMatch(/^\s+at /m);
  });

  it('names the variable of a key that cannot be used', async () => {
    const { variables } = await makeTestBed();
    const printed = await refusalOf({
      ...variables,
      MASKINPORTEN_PRIVATE_KEY: '',
      MASKINPORTEN_PRIVATE_KEY_FILE: '/nowhere/key.pem',
    });
    expect(printed).toMatch(/MASKINPORTEN_PRIVATE_KEY_FILE +"\/nowhere\/key\.pem" does not exist/);
  });

  it('F-25: refuses to start in production when certificate checks are switched off', async () => {
    const { variables } = await makeTestBed();
    const service = ServiceProcess.start({ ...variables, NODE_ENV: 'production', NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(await service.ended()).toBe(1);
    expect(service.output).toMatch(/NODE_TLS_REJECT_UNAUTHORIZED +switches certificate checks off/);
  });
});

describe('the end of the service', () => {
  afterEach(killChildren);

  it('gives up what still hangs at the limit, and says so by its exit code', async () => {
    // The same shutdown with a shorter limit and a handler that never answers.
    const source = `
      import { NestFactory } from '@nestjs/core';
      import { Controller, Get, Module } from '@nestjs/common';
      import { closeOnSignals } from ${JSON.stringify(pathToFileURL(join(root, 'dist/shutdown.js')).href)};
      class Hanging { hang() { process.kill(process.pid, 'SIGINT'); return new Promise(() => {}); } }
      Get()(Hanging.prototype, 'hang', Object.getOwnPropertyDescriptor(Hanging.prototype, 'hang'));
      Controller()(Hanging);
      class App {}
      Module({ controllers: [Hanging] })(App);
      const app = await NestFactory.create(App);
      closeOnSignals(app, 100);
      await app.listen(0, '127.0.0.1');
      console.log('listening on ' + (await app.getUrl()) + ' now');
    `;
    const service = ServiceProcess.start({}, ['--input-type=module', '--eval', source], root);
    const [, url = ''] = await service.says(/listening on (\S+) now/);
    await expect(call(url, new Agent())).rejects.toThrow(/hang up|ECONNRESET/);
    expect(await service.ended()).toBe(1);
    expect(service.output).toMatch(/given up/);
  });
});

async function call(url: string, agent: Agent, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    }).once('error', reject);
  });
}

/** Waits until the API has received this many calls, answered or not, and says how many it has. */
async function seenByApi(operatorUrl: string, count: number): Promise<number> {
  for (;;) {
    const log = (await (await fetch(`${operatorUrl}/operator/api/log`)).json()) as { path: string }[];
    const seen = log.filter(({ path }) => path.startsWith('/broker/')).length;
    if (seen >= count) return seen;
  }
}
