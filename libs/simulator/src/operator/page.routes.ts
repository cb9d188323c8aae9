import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { AltinnState } from '../altinn/index.js';
import type { Faults } from '../kernel/index.js';
import { overview } from './overview.js';

/** Beside this file in the source and in the build alike. */
const ASSETS = join(import.meta.dirname, 'page');

const FILES = {
  'operator.html': 'text/html; charset=utf-8',
  'confirm.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'api.js': 'text/javascript; charset=utf-8',
  'elements.js': 'text/javascript; charset=utf-8',
  'operator.js': 'text/javascript; charset=utf-8',
  'customers.js': 'text/javascript; charset=utf-8',
  'controls.js': 'text/javascript; charset=utf-8',
  'setup.js': 'text/javascript; charset=utf-8',
  'log.js': 'text/javascript; charset=utf-8',
  'confirm.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

/** Nothing from elsewhere, nothing inline, no frames: the page shows what strangers sent. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

const send = (reply: FastifyReply, file: keyof typeof FILES): FastifyReply =>
  reply
    .headers(HEADERS)
    .type(FILES[file])
    .send(readFileSync(join(ASSETS, file), 'utf8'));

/** The operator's web page, and the page behind a `confirmUrl`. */
export function pageRoutes(app: FastifyInstance, altinn: AltinnState, faults: Faults): void {
  app.get('/', (_request, reply) => reply.redirect('/operator'));
  for (const url of ['/operator', '/operator/']) app.get(url, (_request, reply) => send(reply, 'operator.html'));
  for (const kind of ['request', 'agentrequest', 'changerequest']) {
    app.get(`/accessmanagement/ui/systemuser/${kind}`, (_request, reply) => send(reply, 'confirm.html'));
  }
  app.get('/accessmanagement/ui/consent/request', (_request, reply) => send(reply, 'confirm.html'));
  for (const file of Object.keys(FILES) as (keyof typeof FILES)[]) {
    if (!file.endsWith('.html')) app.get(`/operator/page/${file}`, (_request, reply) => send(reply, file));
  }
  app.get<{ Querystring: { known?: string } }>('/operator/api/overview', ({ query }, reply) => {
    const { version, body } = overview(altinn, faults);
    reply.header('cache-control', 'no-store');
    return query.known === version ? reply.code(204).send() : reply.send({ version, ...body });
  });
}
