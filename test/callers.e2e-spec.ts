import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import {
  API_KEY,
  CUSTOMER,
  api,
  askedOf,
  closeAll,
  makeTestBed,
  refusalOf,
  serve,
  sha256,
  type TestBed,
} from './support/service.js';

const PROBLEM = /^application\/problem\+json/;
const folder = mkdtempSync(join(tmpdir(), 'callers-'));
afterAll(() => rmSync(folder, { recursive: true }));

const entry = (key: string): object => ({ name: 'acme', sha256: sha256(key), organisations: [CUSTOMER] });

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('callers of the service on %s', (_name, makeAdapter) => {
  let bed: TestBed;
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    bed = await makeTestBed();
    ({ app, url } = await serve(bed.variables, makeAdapter()));
  });
  afterAll(closeAll);

  it('are told how to authenticate when they show no key', async () => {
    const { body, headers } = await request(url).get('/broker/transfers').expect(401).expect('content-type', PROBLEM);
    expect(headers['www-authenticate']).toBe('Bearer realm="service"');
    expect(body).toMatchObject({ status: 401, code: 'UNAUTHORIZED', detail: expect.stringContaining('API key') });
  });

  it.each([
    ['another key', `Bearer ${randomBytes(24).toString('base64url')}`],
    ['its hash', `Bearer ${sha256(API_KEY)}`],
    ['a part of it', `Bearer ${API_KEY.slice(0, -1)}`],
    ['the key and more', `Bearer ${API_KEY}, Bearer ${API_KEY}`],
    ['two spaces', `Bearer  ${API_KEY}`],
    ['another scheme', `Basic ${API_KEY}`],
    ['no scheme', API_KEY],
    ['an empty key', 'Bearer '],
    ['a very long key', `Bearer ${'x'.repeat(4096)}`],
  ])('are refused with %s, and nothing is sent to anybody', async (_what, authorization) => {
    bed.simulator.operator.clearLog();
    const { body, headers } = await request(url).get('/broker/transfers').set({ authorization }).expect(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="service", error="invalid_token"');
    expect(JSON.stringify([body, headers])).not.toContain(authorization.replace('Bearer ', '').trim() || '\0');
    expect(askedOf(bed.simulator)).toEqual([]);
  });

  it('are known by their key, however the scheme is written', async () => {
    await api(url).get('/broker/transfers').expect(200);
    await request(url)
      .get('/broker/transfers')
      .set({ authorization: `bearer ${API_KEY}` })
      .expect(200);
  });

  it('are asked before their request is looked at', async () => {
    await request(url).post('/broker/transfers').send({ wrong: true }).expect(401);
  });

  it.each([
    ['content-length: 1000', '{', '/broker/transfers'],
    ['transfer-encoding: chunked', '1\r\n{\r\n', '/health'],
    ['content-length: 1000', '{', '/nothing'],
  ])('have no body read without a key (%s): the answer comes and the connection ends', async (header, begun, path) => {
    const { port } = new URL(url);
    const heard = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const socket = connect(Number(port), '127.0.0.1');
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        const key = index % 2 === 0 ? '' : 'authorization: Bearer wrong\r\n';
        // The rest of the body never comes.
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: a\r\n${key}content-type: application/json\r\n${header}\r\n\r\n${begun}`,
        );
        await once(socket, 'end');
        socket.destroy();
        return Buffer.concat(chunks).toString();
      }),
    );
    for (const answer of heard) {
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(answer).toMatch(/\r\nwww-authenticate: Bearer realm="service"/i);
      expect(answer).toMatch(/\r\nx-request-id: /i);
      expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    }
  });

  it('have their whole request read within a limit, and a bounded body', async () => {
    const server = app.getHttpServer() as Server;
    expect([server.headersTimeout, server.requestTimeout]).toEqual([10_000, 30_000]);
    await api(url)
      .post('/broker/transfers')
      .send({ fileName: 'x'.repeat(2 ** 21) })
      .expect(413)
      .expect('content-type', PROBLEM);
  });

  it.each(['/health', '/health/live', '/health/ready', '/metrics'])('need no key for %s', async (path) => {
    await request(url).get(path).expect(200);
  });
});

describe('keys of callers', () => {
  afterEach(closeAll);

  it('come from a file, and are changed by having two of one name', async () => {
    const { variables } = await makeTestBed();
    const [old, next] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
    const file = join(folder, 'keys.json');
    writeFileSync(file, JSON.stringify([entry(old), entry(next)]));
    const { url } = await serve({ ...variables, API_KEYS: '', API_KEYS_FILE: file });
    for (const [key, status] of [
      [old, 200],
      [next, 200],
      [API_KEY, 401],
    ] as const) {
      await request(url)
        .get('/broker/transfers')
        .set({ authorization: `Bearer ${key}` })
        .expect(status);
    }
  });

  it('are explained when they are wrong, without a value', async () => {
    const { variables } = await makeTestBed();
    const file = join(folder, 'wrong.json');
    writeFileSync(file, JSON.stringify([{ name: 'acme', sha256: 'canary-4711', organisations: [] }]));
    for (const [given, said] of [
      [{ API_KEYS: '' }, /API_KEYS_FILE +is missing/],
      [{ API_KEYS: '[{"name":"canary-4711 "}]' }, /API_KEYS +\(entry 1\) name must/],
      [{ API_KEYS: '', API_KEYS_FILE: file }, /API_KEYS_FILE +\(entry 1\) sha256 must/],
      [
        { API_KEYS: '', API_KEYS_FILE: join(folder, 'missing.json') },
        /API_KEYS_FILE +names a file that cannot be read/,
      ],
    ] as const) {
      const printed = await refusalOf({ ...variables, ...given });
      expect(printed).toMatch(said);
      expect(printed).not.toContain('canary-4711');
    }
  });
});
