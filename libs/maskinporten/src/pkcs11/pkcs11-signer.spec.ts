import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isMaskinportenError, type MaskinportenError } from '../errors/index.js';
import { isSigningAlgorithm, jwkThumbprint, type SigningAlgorithm } from '../key-files/index.js';
import { loadSigningKey } from '../keys/index.js';
import { openssl, TestAuthority } from '../keys/keys.fixtures.js';
import { pkcs11Signer, type Pkcs11SignerOptions } from './index.js';
import { closeSigners, openSigner, PIN, SoftHsm, tokenProcesses, until, withSoftHsm } from './softhsm.fixtures.js';
import { HsmConnection } from './hsm-connection.js';
import { HsmRefusal } from './hsm-protocol.js';

const data = Buffer.from('header.claims');
const ROOT = '/C=NO/CN=Buypass Class 3 Test4 CA 3';
const SUBJECT = '/CN=Prøve/organizationIdentifier=NTRNO-310000019';

async function startRefusal(options: unknown): Promise<MaskinportenError> {
  const error: unknown = await pkcs11Signer(options as Pkcs11SignerOptions).catch((thrown: unknown) => thrown);
  if (!isMaskinportenError(error)) throw new Error(`expected our error, got ${String(error)}`);
  return error;
}

describe('options', () => {
  it('all that is wrong is told at once, by name, and the PIN is not repeated', async () => {
    const error = await startRefusal({
      token: { label: 5 },
      key: { id: 'xyz' },
      pin: PIN,
      pinFile: '/run/secrets/pin',
      alg: 'PS256',
      sessions: 5,
      timeoutMs: 1,
      openTimeoutMs: Number.NaN,
      reopenEveryMs: '5',
      maxWaiting: -1,
      environment: { SOFTHSM2_CONF: 1 },
    });
    expect(error.code).toBe('MP_CONFIG');
    expect(error.failures.map(({ field }) => field.replace('pkcs11.', '')).toSorted()).toEqual(
      // prettier-ignore
      ['alg', 'environment.SOFTHSM2_CONF', 'key.id', 'library', 'maxWaiting', 'openTimeoutMs', 'pin', 'reopenEveryMs',
       'sessions', 'timeoutMs', 'token.label'],
    );
    expect(inspect(error, { depth: 9 })).not.toContain(PIN);
  });

  it('PS256 is none of the algorithms that Maskinporten takes', () => {
    expect(isSigningAlgorithm('PS256')).toBe(false);
  });

  it('a PIN file that is not there, or is not one line, is named', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'maskinporten-pin-')), 'pin');
    for (const content of [undefined, '', 'two\nlines\n', 'x'.repeat(300)]) {
      if (content !== undefined) writeFileSync(file, content);
      expect(await startRefusal({ library: '/nowhere.so', pinFile: file })).toMatchObject({
        code: 'MP_CONFIG',
        failures: [{ field: 'pkcs11.pinFile' }],
      });
    }
  });
});

describe('the process beside ours', () => {
  it('T-78: gets the variables of the system and those of the options, and nothing of the service', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'maskinporten-child-'));
    // In place of the real worker, one that says in its refusal which variables it has.
    const worker = join(directory, 'worker.mjs');
    writeFileSync(
      worker,
      `process.on('message', () => {
         const code = JSON.stringify(process.env);
         process.send({ type: 'refused', refusal: 'library', code });
       });`,
    );
    const canaries = {
      NODE_OPTIONS: '--title=canary',
      MASKINPORTEN_PRIVATE_KEY: 'canary',
      DATABASE_URL: 'canary',
      TZ: 'UTC',
    };
    const before = { ...process.env };
    Object.assign(process.env, canaries);
    try {
      const address = { library: 'any', sessions: 1, environment: {} };
      const refused: unknown = await HsmConnection.open(pathToFileURL(worker), address, {
        pin: undefined,
        timeoutMs: 60_000,
      }).catch((error: unknown) => error);
      if (!(refused instanceof HsmRefusal)) throw new Error(`expected a refusal, got ${String(refused)}`);
      const seen = JSON.parse(refused.code) as Record<string, string>;
      expect(seen).toMatchObject({ PATH: process.env['PATH'], TZ: 'UTC' });
      expect(JSON.stringify(seen)).not.toContain('canary');
      expect(seen).not.toHaveProperty('NODE_OPTIONS');
    } finally {
      for (const name of Object.keys(canaries)) {
        const value = before[name];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

withSoftHsm(() => {
  describe('a key that cannot leave its token', () => {
    const hsm = new SoftHsm();
    const common = { library: hsm.library, environment: hsm.environment, pin: PIN };

    beforeAll(() => {
      hsm.initialise('first').initialise('second');
      hsm.generate('first', { label: 'sign', id: '01' }).generate('first', { label: 'large', id: '02', bits: 3072 });
      hsm.generate('second', { label: 'only', id: '0a' });
    });
    afterEach(closeSigners);
    afterAll(() => hsm.remove());

    const refusalOf = async (options: Partial<Pkcs11SignerOptions>): Promise<unknown> =>
      openSigner({ ...common, ...options }).catch((error: unknown) => error);

    it('is made on the token, and the token refuses to give it away', () => {
      const printed = hsm.script(`
        const p = require('pkcs11js'), m = new p.PKCS11(), said = [];
        m.load(${JSON.stringify(hsm.library)});
        m.C_Initialize();
        const slot = m.C_GetSlotList(true).find((each) => m.C_GetTokenInfo(each).label.trim().startsWith('first'));
        const session = m.C_OpenSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION);
        m.C_Login(session, p.CKU_USER, ${JSON.stringify(PIN)});
        m.C_FindObjectsInit(session, [{ type: p.CKA_CLASS, value: p.CKO_PRIVATE_KEY }, { type: p.CKA_LABEL, value: 'sign' }]);
        const key = m.C_FindObjects(session);
        m.C_FindObjectsFinal(session);
        const wrapping = m.C_GenerateKey(session, { mechanism: p.CKM_AES_KEY_GEN },
          [{ type: p.CKA_VALUE_LEN, value: 32 }, { type: p.CKA_WRAP, value: true }, { type: p.CKA_ENCRYPT, value: true }]);
        const attempt = (name, action) => { try { action(); said.push(name + ' worked'); } catch (e) { said.push(e.message); } };
        for (const part of ['PRIVATE_EXPONENT', 'PRIME_1', 'PRIME_2', 'COEFFICIENT'])
          attempt(part, () => m.C_GetAttributeValue(session, key, [{ type: p['CKA_' + part] }]));
        attempt('wrap', () => m.C_WrapKey(session, { mechanism: p.CKM_AES_KEY_WRAP_PAD }, wrapping, key, Buffer.alloc(8192)));
        attempt('loosen', () => m.C_SetAttributeValue(session, key, [{ type: p.CKA_EXTRACTABLE, value: true }]));
        attempt('tell', () => m.C_SetAttributeValue(session, key, [{ type: p.CKA_SENSITIVE, value: false }]));
        const flags = ['LOCAL', 'SENSITIVE', 'ALWAYS_SENSITIVE', 'NEVER_EXTRACTABLE', 'EXTRACTABLE'].map((name) =>
          m.C_GetAttributeValue(session, key, [{ type: p['CKA_' + name] }])[0].value[0]);
        console.log(JSON.stringify({ said, flags }));
      `);
      const { said, flags } = JSON.parse(printed) as { said: string[]; flags: number[] };
      expect(said.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => 'CKR_ATTRIBUTE_SENSITIVE'));
      expect(said[4]).toBe('CKR_KEY_UNEXTRACTABLE');
      expect(said.slice(5)).toEqual([expect.stringMatching(/^CKR_/), expect.stringMatching(/^CKR_/)]);
      expect(flags).toEqual([1, 1, 1, 1, 0]);
    });

    it.each([
      ['01', 'RS256'],
      ['01', 'RS384'],
      ['01', 'RS512'],
      ['02', 'RS256'],
    ] as const)('key %s signs %s, and OpenSSL verifies with the public key another program reads', async (id, alg) => {
      const signer = await openSigner({ ...common, token: { label: 'first' }, key: { id }, alg });
      const key = await loadSigningKey({ signer });
      const signature = await key.sign(data);
      const publicKey = hsm.publicKey('first', id);
      expect(createPublicKey(publicKey).equals(signer.publicKey)).toBe(true);
      const folder = mkdtempSync(join(tmpdir(), 'maskinporten-verify-'));
      writeFileSync(join(folder, 'public.pem'), publicKey);
      writeFileSync(join(folder, 'signature'), signature);
      const verify = ['dgst', `-sha${alg.slice(2)}`, '-verify', join(folder, 'public.pem')];
      expect(openssl([...verify, '-signature', join(folder, 'signature')], data)).toContain('Verified OK');
    });

    it('without kid and certificate the kid is the thumbprint; a kid of one’s own wins', async () => {
      const signer = await openSigner({ ...common, token: { label: 'first' }, key: { label: 'sign' } });
      expect(signer.kid).toBe(await jwkThumbprint(signer.publicKey));
      const named = await openSigner({ ...common, token: { label: 'second' }, kid: 'my-kid' });
      expect(await loadSigningKey({ signer: named })).toMatchObject({ kid: 'my-kid', alg: 'RS256' });
    });

    it('many signatures at the same time share the sessions', async () => {
      const signer = await openSigner({ ...common, token: { label: 'first' }, key: { label: 'sign' }, sessions: 4 });
      const asked = Array.from({ length: 40 }, (_, index) => Buffer.from(`data ${index}`));
      const signed = await Promise.all(
        asked.map((bytes) => signer.sign(bytes, { alg: 'RS256', signal: new AbortController().signal })),
      );
      expect(new Set(signed.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(40);
      expect(signer.concurrency).toBe(4);
    });

    it('the PIN comes from a file as well, with or without a line break', async () => {
      const pinFile = join(mkdtempSync(join(tmpdir(), 'maskinporten-pin-')), 'pin');
      for (const end of ['', '\n', '\r\n']) {
        writeFileSync(pinFile, `${PIN}${end}`);
        const { library, environment } = common;
        const signer = await openSigner({ library, environment, pinFile, token: { label: 'second' } });
        expect(await signer.sign(data, { alg: 'RS256', signal: new AbortController().signal })).toHaveLength(256);
      }
    });

    it.each([
      ['a library that is not there', { library: '/nowhere/libpkcs11.so' }, 'pkcs11.library'],
      ['a library that is none', { library: process.execPath }, 'pkcs11.library'],
      ['an unknown token', { token: { label: 'third' } }, 'pkcs11.token'],
      ['an unknown serial number', { token: { serial: '0000' } }, 'pkcs11.token'],
      ['two tokens and no name', {}, 'pkcs11.token'],
      ['a wrong PIN', { token: { label: 'first' }, pin: 'wrong-pin-canary' }, 'pkcs11.pin'],
      ['an unknown key', { token: { label: 'first' }, key: { label: 'typo' } }, 'pkcs11.key'],
      [
        'label of one key and id of another',
        { token: { label: 'first' }, key: { label: 'sign', id: '02' } },
        'pkcs11.key',
      ],
      ['two keys and no name', { token: { label: 'first' } }, 'pkcs11.key'],
    ] satisfies [string, Partial<Pkcs11SignerOptions>, string][])(
      'F-110: %s is refused at start',
      async (_, options, field) => {
        const error = await refusalOf(options);
        expect(error).toMatchObject({ code: 'MP_CONFIG', retryable: false, actBy: 'you', failures: [{ field }] });
        const { hint } = error as MaskinportenError;
        expect([hint.en.length > 20, hint.nb.length > 20, hint.en === hint.nb]).toEqual([true, true, false]);
        expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('canary');
        await until(() => tokenProcesses().length === 0);
      },
    );

    it('F-116: an EC key does not count, nor does one that may not sign', async () => {
      hsm.tool('second', [
        '--keypairgen',
        '--key-type',
        'EC:prime256v1',
        '--label',
        'curve',
        '--id',
        '0b',
        '--usage-sign',
      ]);
      hsm.generate('second', { label: 'seal', id: '0c' });
      hsm.script(`
        const p = require('pkcs11js'), m = new p.PKCS11();
        m.load(${JSON.stringify(hsm.library)});
        m.C_Initialize();
        const slot = m.C_GetSlotList(true).find((each) => m.C_GetTokenInfo(each).label.trim().startsWith('second'));
        const session = m.C_OpenSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION);
        m.C_Login(session, p.CKU_USER, ${JSON.stringify(PIN)});
        m.C_FindObjectsInit(session, [{ type: p.CKA_CLASS, value: p.CKO_PRIVATE_KEY }, { type: p.CKA_LABEL, value: 'seal' }]);
        m.C_SetAttributeValue(session, m.C_FindObjects(session), [{ type: p.CKA_SIGN, value: false }]);
      `);
      for (const label of ['curve', 'seal']) {
        const refused = await refusalOf({ token: { label: 'second' }, key: { label } });
        expect(refused).toMatchObject({ code: 'MP_CONFIG', failures: [{ field: 'pkcs11.key' }] });
      }
      const signer = await openSigner({ ...common, token: { label: 'second' } });
      expect(signer.health.name).toBe('pkcs11:second');
    });

    it('the certificate on the token is presented with its chain, and others on the token are left out', async () => {
      const own = new SoftHsm().initialise('t');
      own.generate('t', { label: 'k', id: '01' });
      const root = new TestAuthority(ROOT);
      const between = new TestAuthority('/C=NO/CN=Between', root);
      const certificate = between.issuePublic({ subject: SUBJECT, publicKey: own.publicKey('t', '01') });
      for (const [pem, id] of [
        [root.certificate, '31'],
        [new TestAuthority().issue({ subject: '/CN=Other' }).certificate, '32'],
        [between.certificate, '33'],
        [certificate, '01'],
      ] as const) {
        own.store('t', pem, id);
      }
      const place = { library: own.library, environment: own.environment, pin: PIN };
      const key = await loadSigningKey({ signer: await openSigner(place) });
      expect(key.kid).toBeUndefined();
      const sent = key.x5c?.map((der) => new X509Certificate(Buffer.from(der, 'base64')).fingerprint256);
      const chain = [certificate, between.certificate, root.certificate];
      expect(sent).toEqual(chain.map((pem) => new X509Certificate(pem).fingerprint256));
      expect(key).toMatchObject({ certificateOrganisation: '310000019', certificateEnvironment: 'test' });
      // A kid wins, and the certificate is still watched.
      const named = await loadSigningKey({ signer: await openSigner({ ...place, kid: 'k' }) });
      expect([named.kid, named.x5c, named.certificateNotAfter]).toEqual(['k', undefined, expect.any(Date)]);
      own.remove();
    });

    it('F-114: a certificate chain of another key is refused', async () => {
      const certificateChain = new TestAuthority().issue({ subject: '/CN=Other' }).certificate;
      const signer = await openSigner({
        ...common,
        token: { label: 'first' },
        key: { label: 'sign' },
        certificateChain,
      });
      await expect(loadSigningKey({ signer })).rejects.toMatchObject({
        failures: [{ field: 'key.signer.certificateChain', reason: expect.stringContaining('another key') }],
      });
    });

    it('a token that cannot hash signs what was hashed outside; one without RSA is refused', async () => {
      const bare = new SoftHsm('slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN,CKM_RSA_PKCS').initialise('t');
      bare.generate('t', { label: 'k', id: '01' });
      const place = { library: bare.library, environment: bare.environment, pin: PIN };
      for (const alg of ['RS256', 'RS384', 'RS512'] satisfies SigningAlgorithm[]) {
        const key = await loadSigningKey({ signer: await openSigner({ ...place, alg }) });
        await expect(key.sign(data)).resolves.toHaveLength(256);
      }
      const without = new SoftHsm('slots.mechanisms = CKM_RSA_PKCS_KEY_PAIR_GEN').initialise('t');
      without.generate('t', { label: 'k', id: '01' });
      await expect(openSigner({ ...place, environment: without.environment })).rejects.toMatchObject({
        code: 'MP_CONFIG',
        failures: [{ field: 'pkcs11.library', reason: expect.stringContaining('PKCS #1') }],
      });
      bare.remove();
      without.remove();
    });

    it('a key that wants the PIN before every signature gets it', async () => {
      const own = new SoftHsm().initialise('t');
      own.generate('t', { label: 'k', id: '01', args: ['--always-auth'] });
      const signer = await openSigner({ library: own.library, environment: own.environment, pin: PIN });
      const key = await loadSigningKey({ signer });
      for (let index = 0; index < 3; index += 1) await expect(key.sign(data)).resolves.toHaveLength(256);
      own.remove();
    });

    it('a caller that goes is let go, before and during; a closed signer signs no more and leaves no process', async () => {
      const signer = await openSigner({ ...common, token: { label: 'first' }, key: { label: 'sign' } });
      const gone = { alg: 'RS256', signal: AbortSignal.abort() } as const;
      await expect(signer.sign(data, gone)).rejects.toMatchObject({ code: 'MP_ABORTED' });
      const controller = new AbortController();
      const signing = signer.sign(data, { alg: 'RS256', signal: controller.signal });
      controller.abort();
      await expect(signing).rejects.toMatchObject({ code: 'MP_ABORTED' });
      expect(await signer.sign(data, { alg: 'RS256', signal: new AbortController().signal })).toHaveLength(256);
      expect(signer.health.report()).toEqual({ status: 'up' });
      await signer.close();
      await expect(signer.sign(data, { alg: 'RS256', signal: new AbortController().signal })).rejects.toMatchObject({
        code: 'MP_ABORTED',
      });
      await signer.close();
      await until(() => tokenProcesses().length === 0);
    });

    it('T-06: nothing that can be printed of a signer holds the PIN, nor does the command line of its process', async () => {
      const signer = await openSigner({ ...common, token: { label: 'first' }, key: { label: 'sign' } });
      const printed = inspect(signer, { depth: 9, showHidden: true, getters: true }) + JSON.stringify(signer);
      expect(printed).not.toContain(PIN);
      const [pid] = tokenProcesses();
      const told = hsm.script(`const fs = require('fs');
        for (const name of ['cmdline', 'environ']) console.log(fs.readFileSync('/proc/${pid}/' + name, 'latin1'));`);
      expect(told).toContain('hsm-worker.js');
      expect(told).not.toContain(PIN);
    });
  });
});
