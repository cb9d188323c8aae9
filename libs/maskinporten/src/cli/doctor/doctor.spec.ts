import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CUSTOMER, DoctorBench, KB, SCOPE, SYSTEM, publicJwk, sharedKey } from '../../doctor/doctor.fixtures.js';
import type { Diagnosis } from '../../doctor/index.js';
import { openssl, TestAuthority } from '../../keys/keys.fixtures.js';
import { opensslPkcs12 } from '../../keys/pkcs12.fixtures.js';
import { runInProcess, type CliRun, type CliRunOptions } from '../cli.fixtures.js';

let bench: DoctorBench;
let folder: string;
beforeAll(async () => {
  bench = await DoctorBench.start();
  folder = mkdtempSync(join(tmpdir(), 'maskinporten-doctor-'));
  writeFileSync(join(folder, 'key.pem'), sharedKey().pem, { mode: 0o600 });
  writeFileSync(join(folder, 'uploaded.json'), JSON.stringify({ keys: [publicJwk(sharedKey())] }));
  writeFileSync(join(folder, 'wrong.json'), JSON.stringify({ keys: [publicJwk(sharedKey(), { use: 'enc' })] }));
});
afterAll(async () => {
  await bench.close();
  rmSync(folder, { recursive: true });
});

const variables = (): Record<string, string> => ({
  MASKINPORTEN_ISSUER: bench.simulator.issuer,
  MASKINPORTEN_CLIENT_ID: 'client-1',
  MASKINPORTEN_KID: 'kid-1',
  MASKINPORTEN_PRIVATE_KEY_FILE: 'key.pem',
  MASKINPORTEN_DESTINATIONS: bench.simulator.apiUrl,
  ALTINN_PLATFORM_URL: bench.simulator.platformUrl,
  ALTINN_SYSTEM_ID: SYSTEM,
});

const doctor = (args: readonly string[], options: CliRunOptions = {}): Promise<CliRun> =>
  runInProcess(['doctor', ...args], { cwd: folder, env: variables(), ...options });

/** Everything that `doctor` can be asked. */
const ALL = ['--scope', SCOPE, '--jwks', 'uploaded.json', '--organisation', CUSTOMER, '--resource', KB];

describe('doctor', () => {
  it('says that all is good, plain when it is piped, and ends with 0', async () => {
    const { exitCode, stdout, stderr } = await doctor(ALL);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`✔ good     Scope ${SCOPE}: Granted; tokens live`);
    expect(stdout).toContain(`✔ good     Right of the system user: It may use ${KB} for ${CUSTOMER}`);
    expect(stdout).toMatch(/\n3 skipped, 13 good\nNothing to fix\.\n$/);
    expect(stdout).not.toContain('\u001B');
  });

  it('names the cause first, with fix and who must act, and ends with 1', async () => {
    const env = { ...variables(), MASKINPORTEN_ISSUER: bench.simulator.issuer.slice(0, -1) };
    const { exitCode, stdout } = await doctor(ALL, { env });
    expect(exitCode).toBe(1);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      '✖ failed   Issuer and audience (pitfall 2)',
      expect.stringMatching(/^ {2}Cause: {5}The slash at the end is missing/),
      `  Fix:       Write the issuer exactly so: ${bench.simulator.issuer}`,
      '  Who acts:  you – MASKINPORTEN_ISSUER',
    ]);
    expect(lines.at(-2)).toMatch(/^Start with: Issuer and audience – The slash/);
    expect(stdout).toContain('Not looked at, because this failed: Issuer and audience.');
  });

  it('speaks Norwegian', async () => {
    const { exitCode, stdout } = await doctor(['--lang', 'nb', '--scope', 'altinn:broker.read']);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/^✖ feilet {4}Scope altinn:broker\.read \(fallgruve 4, MP-200, trace [0-9a-f]{32}\)$/),
      '  Årsak:     altinn:broker.read er ikke registrert på klienten (eller finnes ikke under dette navnet).',
      '  Løsning:   Legg scopet til på klienten i selvbetjeningen hos Digdir, bokstav for bokstav.',
      '  Hvem:      du – scope',
    ]);
    expect(stdout).not.toMatch(/\b(failed|skipped|Cause|Fix|Who acts)\b/);
  });

  it('gives one JSON document with both languages, and no progress', async () => {
    const { exitCode, stderr, document } = await doctor(['--json', '--jwks', 'wrong.json'], { isTerminal: true });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    const { healthy, cause, findings } = document as { cause: string } & Omit<Diagnosis, 'cause'>;
    expect({ healthy, cause }).toEqual({ healthy: false, cause: 'uploaded-key.use-enc' });
    expect(findings[0]).toMatchObject({
      id: 'uploaded-key.use-enc',
      level: 'failed',
      pitfall: 8,
      actBy: 'you',
      field: 'jwks',
      cause: { en: expect.any(String), nb: expect.any(String) },
      fix: { en: expect.any(String), nb: expect.any(String) },
    });
  });

  it('has colours, wrapped lines and a progress line in a terminal', async () => {
    const { stdout, stderr } = await doctor(['--jwks', 'wrong.json'], { isTerminal: true, columns: 60 });
    expect(stdout).toContain('\u001B[31m✖ failed\u001B[39m');
    expect(stderr).toContain('1/16 Issuer and audience …');
    expect(stderr.endsWith('\r\u001B[K')).toBe(true);
    // oxlint-disable-next-line no-control-regex -- colour codes
    const visible = stdout.replaceAll(/\u001B\[\d+m/g, '').split('\n');
    expect(visible.filter((line) => line.length > 60 && line.trim().includes(' ') && !line.includes('http'))).toEqual(
      [],
    );
    const plain = await doctor(['--jwks', 'wrong.json'], { isTerminal: true, env: { ...variables(), NO_COLOR: '1' } });
    expect(plain.stdout).not.toContain('\u001B[31m');
  });

  it('diagnoses a set-up without any setting, which is no wrong usage', async () => {
    const { exitCode, document } = await doctor(['--json'], { env: {} });
    expect(exitCode).toBe(1);
    expect((document as { findings: { id: string }[] }).findings.slice(0, 3).map(({ id }) => id)).toEqual([
      'audience.missing',
      'client-id.missing',
      'key.missing',
    ]);
  });

  it('reads a NAIS environment and an environment file', async () => {
    const { MASKINPORTEN_ISSUER: issuer, ...rest } = variables();
    const env = {
      ...rest,
      MASKINPORTEN_WELL_KNOWN_URL: `${issuer}.well-known/oauth-authorization-server`,
      MASKINPORTEN_SCOPES: `${SCOPE} altinn:authorization/authorize`,
    };
    const nais = await doctor([], { env });
    expect(nais.exitCode).toBe(0);
    expect(nais.stdout.match(/Scope \S+: Granted/g)).toHaveLength(2);
    const lines = Object.entries(variables()).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(folder, 'settings'), lines.join('\n'));
    expect((await doctor(['--scope', SCOPE, '--env-file', 'settings'], { env: {} })).exitCode).toBe(0);
  });

  it.each([
    [['--resource', KB], '--resource is about a customer'],
    [['--organisation', '310000010'], '--organisation must be an organisation number'],
    [['--consumer-org', '12'], '--consumer-org must be an organisation number'],
    [['--jwks', 'absent.json'], 'absent.json cannot be read'],
    [['--nonsense'], 'nonsense'],
  ])('ends with 2 for wrong usage: %j', async (args, message) => {
    const { exitCode, stdout, stderr } = await doctor(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('ends with 2 for settings that contradict each other', async () => {
    const env = { ...variables(), MASKINPORTEN_PRIVATE_KEY: sharedKey().pem };
    const { exitCode, stderr } = await doctor([], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('keep one of them');
    expect(stderr).not.toContain(sharedKey().pem.slice(40, 80));
  });

  it('takes several scopes in every way that people write them', async () => {
    const { document } = await doctor([
      '--json',
      '--scope',
      `${SCOPE},altinn:authorization/authorize`,
      '--scope',
      'altinn:accessmanagement/authorizedparties',
    ]);
    const { findings } = document as Diagnosis;
    expect(findings.filter(({ id, level }) => id === 'scope' && level === 'good')).toHaveLength(3);
  });

  it('T-01: prints nothing secret', async () => {
    const env = { ...variables(), ALTINN_SUBSCRIPTION_KEY: 'canary-subscription-key' };
    for (const args of [ALL, [...ALL, '--json'], ['--scope', 'nothing:at.all', '--lang', 'nb']]) {
      const { stdout, stderr } = await doctor(args, { env });
      expect(`${stdout}${stderr}`).not.toMatch(/canary-subscription-key|eyJ[\w-]{10,}\.|BEGIN/);
      for (const line of sharedKey().pem.split('\n').slice(1, 5)) expect(stdout).not.toContain(line);
    }
  });
});

const keyFinding = async (env: Record<string, string>): Promise<Diagnosis['findings'][number] | undefined> => {
  const run = await doctor(['--json'], { env });
  return (run.document as Diagnosis).findings.find(({ id }) => id.startsWith('key'));
};

describe('secrets as mounted files', () => {
  const certificate = new TestAuthority().issue({ subject: '/C=NO/CN=Test/organizationIdentifier=NTRNO-310000019' });
  const pkcs12 = (): Record<string, string> => {
    writeFileSync(join(folder, 'key.p12'), opensslPkcs12(certificate.key.pem + certificate.certificate, 'geheim'), {
      mode: 0o600,
    });
    const { MASKINPORTEN_PRIVATE_KEY_FILE: _, MASKINPORTEN_KID: __, ...others } = variables();
    return { ...others, MASKINPORTEN_PKCS12_FILE: 'key.p12' };
  };

  it('names the passphrase of a PKCS#12 file when that is what is wrong, and its file when it has one', async () => {
    expect(await keyFinding({ ...pkcs12(), MASKINPORTEN_PKCS12_PASSPHRASE: 'wrong' })).toMatchObject({
      id: 'key.passphrase',
      field: 'MASKINPORTEN_PKCS12_PASSPHRASE',
    });
    writeFileSync(join(folder, 'passphrase'), 'wrong\n');
    expect(await keyFinding({ ...pkcs12(), MASKINPORTEN_PKCS12_PASSPHRASE_FILE: 'passphrase' })).toMatchObject({
      id: 'key.passphrase',
      field: 'MASKINPORTEN_PKCS12_PASSPHRASE_FILE',
    });
    const env = {
      ...variables(),
      MASKINPORTEN_PRIVATE_KEY_FILE: 'encrypted.pem',
      MASKINPORTEN_PRIVATE_KEY_PASSPHRASE: 'x',
    };
    const encrypted = openssl(['pkcs8', '-topk8', '-v2', 'aes256', '-passout', 'pass:geheim'], sharedKey().pem);
    writeFileSync(join(folder, 'encrypted.pem'), encrypted, { mode: 0o600 });
    expect(await keyFinding(env)).toMatchObject({ field: 'MASKINPORTEN_PRIVATE_KEY_PASSPHRASE' });
  });

  it('takes a passphrase from its file, without the line break at the end', async () => {
    writeFileSync(join(folder, 'passphrase'), '\uFEFFgeheim\n');
    const env = { ...pkcs12(), MASKINPORTEN_PKCS12_PASSPHRASE_FILE: 'passphrase' };
    // The file was opened: what is missing now is the kid of a client with registered keys.
    expect(await keyFinding(env)).toMatchObject({ id: 'key.kid-missing' });
  });

  it('says which file cannot be read, and that a secret stands in two places', async () => {
    const missing = await doctor(['--json'], { env: { ...pkcs12(), MASKINPORTEN_PKCS12_PASSPHRASE_FILE: 'nowhere' } });
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr + missing.stdout).toContain(
      'MASKINPORTEN_PKCS12_PASSPHRASE_FILE names a file that cannot be read',
    );
    const env = { ...variables(), ALTINN_SUBSCRIPTION_KEY: 'canary', ALTINN_SUBSCRIPTION_KEY_FILE: 'passphrase' };
    const twice = await doctor(['--json'], { env });
    expect(twice.stderr + twice.stdout).toContain(
      'ALTINN_SUBSCRIPTION_KEY_FILE is set besides ALTINN_SUBSCRIPTION_KEY',
    );
    expect(twice.stderr + twice.stdout).not.toContain('canary');
  });
});

describe('hosts that may be spoken to over http', () => {
  it('are named as what is wrong, when production is meant', async () => {
    const { MASKINPORTEN_ISSUER: _, ...others } = variables();
    const env = { ...others, MASKINPORTEN_ENVIRONMENT: 'prod', MASKINPORTEN_ALLOW_INSECURE_HOSTS: 'simulator' };
    const { exitCode, document } = await doctor(['--json'], { env });
    expect(exitCode).toBe(1);
    expect((document as Diagnosis).findings).toContainEqual(
      expect.objectContaining({ id: 'audience.insecure-hosts', field: 'MASKINPORTEN_ALLOW_INSECURE_HOSTS' }),
    );
  });
});
