import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { readExchangedToken } from '../libs/maskinporten/src/altinn/exchanged-token.js';
import { readProblem } from '../libs/maskinporten/src/altinn/altinn-problem.js';
import { readParties } from '../libs/maskinporten/src/altinn/authorized-party.js';
import { readPage } from '../libs/maskinporten/src/altinn/pages.js';
import { readPdpAnswer } from '../libs/maskinporten/src/altinn/pdp-decision.js';
import { readChangeRequest, readRequest } from '../libs/maskinporten/src/altinn/system-user-request.js';
import { readSystemUser } from '../libs/maskinporten/src/altinn/system-user.js';
import { checkSearch, cursorOf } from '../libs/maskinporten/src/audit/search-page.js';
import { GENESIS, seal } from '../libs/maskinporten/src/audit/chain.js';
import { verifyAuditLog, type AuditRecord } from '../libs/maskinporten/src/audit/index.js';
import { isMaskinportenError } from '../libs/maskinporten/src/errors/index.js';
import { normaliseTokenRequest } from '../libs/maskinporten/src/grants/index.js';
import { ServerClock } from '../libs/maskinporten/src/issuer/index.js';
import { MetadataRefusal, parseIssuerMetadata } from '../libs/maskinporten/src/issuer/issuer-metadata.js';
import { loadSigningKey } from '../libs/maskinporten/src/keys/index.js';
import { checkOptions } from '../libs/maskinporten/src/module/check-options.js';
import { recordOf } from '../libs/maskinporten/src/audit-postgres/record-row.js';
import { SEALED_MEMBERS } from '../libs/maskinporten/src/audit/audit-record.js';
import { readKeySet } from '../libs/maskinporten/src/self-service/registered-key.js';
import { parseRetryAfter } from '../libs/maskinporten/src/token-endpoint/retry-after.js';
import { readTokenAnswer } from '../libs/maskinporten/src/token-endpoint/token-response.js';
import { EnvironmentError, readEnvironment } from '../src/config/index.js';
import { foreignBytes } from './support/foreign-bytes.js';
import { sized } from './support/size.js';

/** What is sent here comes from outside: no byte of it may crash us, hang us, or come back in an error. */
interface Parser {
  readonly seeds: readonly Buffer[];
  /** Parses, and throws when the result or the error is not one of those that are allowed. */
  readonly parse: (bytes: Buffer) => unknown;
}

const SECRET = 'secret-0f9d1c-that-must-not-come-back';
const request = normaliseTokenRequest({ scopes: 'a:b c:d', systemUser: { organisation: '310000027' } });
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};
/** The result, or undefined for one of our own errors; those never show the secret that was in the input. */
function refusalOr<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    expectOurs(error);
    return undefined;
  }
}
function expectOurs(error: unknown): void {
  if (!isMaskinportenError(error)) throw error;
  const shown = `${inspect(error, { depth: 8, showHidden: true })}${JSON.stringify(error)}`;
  if (shown.includes(SECRET)) throw new Error(`The secret is in the error: ${shown}`);
}
function must(condition: boolean, what: string, value: unknown): void {
  if (!condition) throw new Error(`${what}: ${inspect(value)}`);
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const { privateKey: curve } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keyFiles = [
  Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  Buffer.from(privateKey.export({ type: 'pkcs1', format: 'pem' })),
  Buffer.from(
    privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: SECRET }).toString(),
  ),
  privateKey.export({ type: 'pkcs8', format: 'der' }),
  json(privateKey.export({ format: 'jwk' })),
  json({ keys: [privateKey.export({ format: 'jwk' }), curve.export({ format: 'jwk' })] }),
  Buffer.from(Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64')),
];
/** A long enough run of the private key that finding it in an error is no accident. */
const keyText = keyFiles[0]?.toString().split('\n').slice(3, 4).join('') ?? '';

const systemUser = {
  id: '3a2f2e3c-1f0e-4c38-8a9b-0b6f5d1f8a10',
  reporteeOrgNo: '310000027',
  userType: 'Standard',
  systemId: '991825827_system',
  integrationTitle: 'Title',
  created: '2026-01-01T00:00:00Z',
};
const systemUserRequest = {
  id: systemUser.id,
  status: 'New',
  partyOrgNo: '310000027',
  systemId: 'x',
  externalRef: 'y',
  confirmUrl: 'https://am.ui.tt02.altinn.no/accessmanagement/ui/systemuser/request?id=1',
  rights: [{ resource: [{ id: 'urn:altinn:resource', value: 'r' }] }],
  accessPackages: [{ urn: 'urn:altinn:accesspackage:p' }],
  requiredRights: [],
};
const permit = {
  response: [
    {
      decision: 'Permit',
      obligations: [
        { id: 'o', attributeAssignment: [{ category: 'urn:altinn:minimum-authenticationlevel', value: '3' }] },
      ],
    },
  ],
};

const writer = '5d0e7a52-6d0c-4c53-9c0c-8f3f2f6b7c11';
const log: AuditRecord[] = [];
for (const kind of ['opened', 'token', 'token'] as const) {
  const previous = log.at(-1)?.hash ?? GENESIS;
  log.push(seal({ writer, seq: log.length + 1, previous, kind, at: '2026-11-28T10:00:00.000Z', caller: 'acme' }));
}
const MEMBERS = [...SEALED_MEMBERS, 'hash'] as const;
const storeOf = (records: readonly AuditRecord[]): Parameters<typeof verifyAuditLog>[0] => ({
  async *records({
    kind,
    writer: of,
    afterSeq = -Infinity,
  }: { kind?: string; writer?: string; afterSeq?: number } = {}) {
    for (const record of records) {
      if ((kind ?? record.kind) === record.kind && (of ?? record.writer) === record.writer && record.seq > afterSeq) {
        yield record;
      }
    }
  },
  async *checkpoints() {},
});

const PARSERS: Readonly<Record<string, Parser>> = {
  'answer of the token endpoint': {
    seeds: [
      json({ access_token: SECRET, token_type: 'Bearer', expires_in: 119, scope: 'a:b c:d' }),
      json({ error: 'invalid_grant', error_description: `MP-012 ${SECRET}`, error_uri: 'https://docs.digdir.no' }),
      Buffer.from('<html><body>Bad gateway</body></html>'),
    ],
    parse: (body) => {
      for (const status of [200, 400, 401, 403, 429, 502, 302]) {
        const answer = refusalOr(() =>
          readTokenAnswer({ status, headers: { 'content-type': 'application/json' }, body }, request, [SECRET]),
        );
        if (answer === undefined) continue;
        const { accessToken, expiresInSeconds: seconds, scopes } = answer;
        must(status === 200 && /^[\x21-\x7e]{1,16384}$/.test(accessToken), 'a token', accessToken);
        must(seconds === undefined || (seconds > 0 && seconds <= 3_600), 'a life', seconds);
        must(scopes.join(' ') === 'a:b c:d', 'scopes', scopes);
      }
    },
  },
  'metadata of the issuer': {
    seeds: [
      json({
        issuer: 'https://test.maskinporten.no/',
        token_endpoint: 'https://test.maskinporten.no/token',
        jwks_uri: 'https://test.maskinporten.no/jwk',
        grant_types_supported: ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      }),
    ],
    parse: (bytes) => {
      try {
        const metadata = parseIssuerMetadata(bytes, 'https://test.maskinporten.no/');
        for (const url of [metadata.tokenEndpoint, metadata.jwksUri ?? metadata.tokenEndpoint]) {
          must(new URL(url).origin === 'https://test.maskinporten.no', 'an endpoint', url);
        }
      } catch (error) {
        if (!(error instanceof MetadataRefusal)) throw error;
      }
    },
  },
  'set of registered keys (JWKS)': {
    seeds: [
      json({
        keys: [{ kid: 'a', n: 'AQAB', e: 'AQAB', kty: 'RSA', exp: 1_900_000_000 }],
        last_updated: '2026-01-01T00:00:00Z',
      }),
    ],
    parse: (bytes) => {
      const set = readKeySet(parsed(bytes));
      for (const key of set?.keys ?? []) {
        must(typeof key.kid === 'string' && !Number.isNaN(key.expiresAt?.getTime() ?? 0), 'a key', key);
      }
    },
  },
  'Retry-After': {
    seeds: [Buffer.from('120'), Buffer.from('Sat, 28 Nov 2026 10:00:00 GMT')],
    parse: (bytes) => {
      const ms = parseRetryAfter(bytes.toString('latin1'), Date.UTC(2026, 10, 28, 10));
      must(ms === undefined || (ms >= 0 && ms <= 60_000), 'a wait', ms);
    },
  },
  Date: {
    seeds: [Buffer.from('Sat, 28 Nov 2026 10:00:00 GMT'), Buffer.from('Saturday, 28-Nov-26 10:00:00 GMT')],
    parse: (bytes) => {
      const now = Date.UTC(2026, 10, 28, 10);
      const clock = new ServerClock({ wallMs: () => now, monotonicMs: () => 0 });
      clock.observe(bytes.toString('latin1'), now, now + 10);
      must(Math.abs(clock.offsetMs) <= 300_000, 'an offset', clock.offsetMs);
    },
  },
  'key files': {
    seeds: keyFiles,
    parse: async (bytes) => {
      try {
        const key = await loadSigningKey({ pem: bytes, kid: 'k', passphrase: SECRET });
        must(key.alg.startsWith('RS'), 'an algorithm', key.alg);
      } catch (error) {
        expectOurs(error);
        must(!inspect(error, { depth: 8 }).includes(keyText), 'the key in the error', error);
      }
    },
  },
  'answers of Altinn': {
    seeds: [
      json({ links: { next: 'https://platform.altinn.no/x?token=abc' }, data: [systemUser] }),
      json(systemUser),
      json(systemUserRequest),
      json(permit),
      json({ code: 'AUTH-00001', title: `Title ${SECRET}`, traceId: '00-abcdef0123456789-01', validationErrors: [] }),
      json([{ organizationNumber: '310000027', authorizedResources: ['r'], authorizedAccessPackages: ['p'] }]),
    ],
    parse: (bytes) => {
      const value = parsed(bytes);
      const records = refusalOr(() => readPage('a list', value))?.records ?? [];
      for (const record of records) {
        const user = refusalOr(() => readSystemUser('a system user', record));
        must(user === undefined || /^\d{9}$/.test(user.organisation), 'an owner', user);
      }
      refusalOr(() => readParties(records));
      const read = refusalOr(() => readRequest('a request', value, 'standard'));
      must(read?.confirmUrl === undefined || read.confirmUrl.startsWith('https:'), 'a link', read?.confirmUrl);
      refusalOr(() => readChangeRequest('a request', value));
      const problem = readProblem(value, bytes.toString('utf8'), [SECRET]);
      must(!inspect(problem).includes(SECRET), 'a secret', problem);
      const decisions = readPdpAnswer(value, 1);
      must(decisions.length === 1, 'one decision', decisions);
      // Whatever was damaged, a Permit is only read from a document that says so.
      must(decisions[0]?.outcome !== 'permit' || bytes.toString('utf8').includes('Permit'), 'a Permit', decisions);
    },
  },
  'exchanged token': {
    seeds: [
      Buffer.from(
        `${base64url({ alg: 'RS256' })}.${base64url({
          exp: 1_900_000_000,
          iat: 1_899_999_000,
          scope: 'a:b c:d',
          authorization_details: [{ type: 'urn:altinn:systemuser', systemuser_org: { ID: '0192:310000027' } }],
        })}.c2ln`,
      ),
    ],
    parse: (bytes) => {
      const token = refusalOr(() => readExchangedToken(bytes.toString('utf8'), request, 1_899_999_000_000));
      must(token === undefined || (token.expiresInSeconds > 0 && token.expiresInSeconds <= 3_600), 'a life', token);
    },
  },
  'rows of the audit log': {
    seeds: [json(log)],
    parse: async (bytes) => {
      const rows = parsed(bytes);
      if (!Array.isArray(rows)) return;
      const records = rows
        .filter((row: unknown): row is Record<string, unknown> => typeof row === 'object' && row !== null)
        // The types of the columns are the database's promise.
        .filter((row) => Number.isSafeInteger(row['seq']) && row['writer'] === writer)
        .filter((row) => ['hash', 'at'].every((column) => typeof row[column] === 'string'))
        .map((row) => recordOf(row, MEMBERS));
      const { findingCount } = await verifyAuditLog(storeOf(records.toSorted((a, b) => a.seq - b.seq)));
      const whole = records.every((record, index) => JSON.stringify(record) === JSON.stringify(log[index]));
      // A log that lost its end is found by checkpoints, which this one does not have.
      must(whole || findingCount > 0, 'nothing was found in', records);
    },
  },
  'cursor of an audit search': {
    seeds: [Buffer.from(cursorOf({ at: '2026-11-28T10:00:00.000Z', writer, seq: 7 })), Buffer.from('W10')],
    parse: (bytes) => {
      try {
        const { after } = checkSearch({
          organisation: '310000027',
          day: '2026-11-28',
          after: bytes.toString('latin1'),
        });
        must(after !== undefined && Number.isSafeInteger(after.seq), 'a position', after);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    },
  },
  options: {
    seeds: [
      json({
        environment: 'test',
        issuer: 'https://test.maskinporten.no/',
        clientId: 'c',
        key: { pem: SECRET, kid: 'k' },
        destinations: ['https://api.example.no', { origin: 'https://api.example.no', pathPrefix: '/v1' }],
        altinn: { systemId: 's', subscriptionKey: SECRET, rights: 'pdp' },
        tokens: { refreshAt: [0.5, 0.75], maxEntries: 10 },
        retry: { attempts: 3 },
        http: { proxy: 'http://proxy.example.no:8080' },
      }),
    ],
    parse: (bytes) => {
      const failures = checkOptions(parsed(bytes));
      must(
        failures.every(({ field, reason }) => /^[ -~]+$/.test(field) && reason !== ''),
        'failures',
        failures,
      );
      must(!inspect(failures).includes(SECRET), 'a secret', failures);
    },
  },
  environment: {
    seeds: [
      json({
        MASKINPORTEN_ENVIRONMENT: 'test',
        MASKINPORTEN_CLIENT_ID: 'c',
        MASKINPORTEN_KID: 'k',
        MASKINPORTEN_PRIVATE_KEY: SECRET,
        MASKINPORTEN_DESTINATIONS: 'https://api.example.no',
        ALTINN_PLATFORM_URL: 'https://platform.tt02.altinn.no',
        API_KEYS: JSON.stringify([{ name: 'acme', sha256: 'a'.repeat(64), organisations: ['310000027'] }]),
        DATABASE_URL: `postgresql://user:${SECRET}@localhost/log`,
        PORT: '3000',
        LOG_LEVEL: 'info',
      }),
    ],
    parse: (bytes) => {
      const variables = parsed(bytes);
      if (typeof variables !== 'object' || variables === null) return;
      try {
        readEnvironment(variables as Record<string, unknown>);
      } catch (error) {
        if (!(error instanceof EnvironmentError)) throw error;
        must(!inspect(error.failures).includes(SECRET) && !error.message.includes(SECRET), 'a secret', error.failures);
      }
    },
  },
};

/** Inputs that went wrong once, in base64. */
const found = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/foreign-bytes.json'), 'utf8')) as Readonly<
  Record<string, readonly string[]>
>;
const count = Number(process.env['FUZZ_RUNS'] ?? sized({ test: 200, soak: 10_000 }));
/** The same inputs in each `npm test`, others in each longer run. */
const first = count <= 200 ? 1 : Math.trunc(Math.random() * 0x7fff_0000);

describe('T-31: bytes from outside', () => {
  it.each(Object.entries(PARSERS))('%s: nothing crashes, and nothing secret comes back', async (name, parser) => {
    const check = async (bytes: Buffer, origin: string): Promise<void> => {
      try {
        await parser.parse(bytes);
      } catch (error) {
        const { stack = String(error) } = error as Error;
        throw new Error(`${name}, ${origin}, ${bytes.toString('base64').slice(0, 4_000)}\n${stack}`, { cause: error });
      }
    };
    for (const seed of parser.seeds) await check(seed, 'a seed');
    for (const input of found[name] ?? []) await check(Buffer.from(input, 'base64'), 'found before');
    for (let number = first; number < first + count; number += 1) {
      await check(foreignBytes(parser.seeds, number), `input ${number}`);
    }
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});
