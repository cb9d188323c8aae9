import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { transformSync } from '@swc/core';
import { CertificateAuthority } from '../certificates.fixtures.js';

// The runner's own process has loaded TLS long ago, and what is broken stays broken: this is a process of its own.
const SCRIPT = `
import { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { organisationNumberOf } from './certificates.js';
const answer = organisationNumberOf(new X509Certificate(process.env.CERTIFICATE));
console.log(answer, typeof createRequire(import.meta.url)('node:tls').createSecureContext);
`;

describe('the organisation number of a certificate', () => {
  it('read before anything has loaded TLS leaves TLS as it is', () => {
    const directory = mkdtempSync(join(tmpdir(), 'simulator-names-'));
    const authority = new CertificateAuthority();
    try {
      const { pem } = authority.issue({ subject: '/CN=Leaf/organizationIdentifier=NTRNO-310000019' });
      const source = readFileSync(join(import.meta.dirname, 'certificates.ts'), 'utf8');
      const { code } = transformSync(source, {
        swcrc: false,
        configFile: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
      });
      writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
      writeFileSync(join(directory, 'certificates.js'), code);
      writeFileSync(join(directory, 'child.js'), SCRIPT);
      const output = execFileSync(process.execPath, [join(directory, 'child.js')], { env: { CERTIFICATE: pem } });
      expect(output.toString()).toBe('310000019 function\n');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
