import { afterEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestAuthority } from '../keys/keys.fixtures.js';
import { createTokenService, type MaskinportenTokenService, type TokenEvent } from './index.js';

const file = join(mkdtempSync(join(tmpdir(), 'maskinporten-certificate-')), 'certificate.pem');
const authority = new TestAuthority();
let service: MaskinportenTokenService | undefined;
afterEach(async () => service?.close());

/** Puts a new enterprise certificate with its key in the file, as a rotation does. */
function put(organisation: string): void {
  const { certificate, key } = authority.issue({ subject: `/C=NO/CN=Test/serialNumber=${organisation}` });
  writeFileSync(file, key.pem + certificate);
  chmodSync(file, 0o600);
}

describe('F-117: a certificate file that changes', () => {
  it('is taken when it belongs to the same organisation, and told without a kid, for it has none', async () => {
    put('310000027');
    const events: TokenEvent[] = [];
    const seen = async (type: TokenEvent['type']): Promise<TokenEvent> => {
      for (;;) {
        const found = events.find((event) => event.type === type);
        if (found !== undefined) return found;
        await delay(20);
      }
    };
    service = await createTokenService({
      environment: 'test',
      clientId: 'a-client',
      organisation: '310000027',
      key: { file, watch: { intervalMs: 100 } },
      onEvent: (event) => events.push(event),
    });
    const { identity } = service.status.key;
    put('310000027');
    expect(await seen('key-changed')).toEqual({ type: 'key-changed', reason: 'reloaded' });
    expect(service.status.key.identity).not.toBe(identity);
    put('310000019');
    expect(await seen('key-reload-failed')).toMatchObject({
      error: { failures: [{ reason: expect.stringContaining('310000019') }] },
    });
  });
});
