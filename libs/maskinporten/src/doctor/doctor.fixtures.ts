import { expect } from '@jest/globals';
import type { ClientInput, Simulator, SimulatorConfig } from 'maskinporten-simulator';
import { startTestSimulator } from '../testing/simulator.fixtures.js';
import { makeKey, type TestKey } from '../keys/keys.fixtures.js';
import { createTokenService } from '../tokens/index.js';
import { examine, type Diagnosis, type DoctorSetup } from './index.js';

export const VENDOR = '310000019';
export const CUSTOMER = '310000027';
export const STRANGER = '310000035';
export const SYSTEM = `${VENDOR}_payroll`;
export const KB = 'ske-krav-og-betalinger';
export const SCOPE = 'skatteetaten:kravogbetalinger';
export const REGISTER = 'altinn:authentication/systemregister.write';
export const REQUEST_WRITE = 'altinn:authentication/systemuser.request.write';
export const REQUEST_READ = 'altinn:authentication/systemuser.request.read';
export const PARTIES = 'altinn:accessmanagement/authorizedparties';
export const AUTHORIZE = 'altinn:authorization/authorize';
export const ALTINN_SCOPES = [REGISTER, REQUEST_WRITE, REQUEST_READ, PARTIES, AUTHORIZE];

export const DAY_MS = 86_400_000;

let shared: TestKey | undefined;
/** For tests that need no other. */
export const sharedKey = (): TestKey => (shared ??= makeKey());

export interface PublicJwk extends Record<string, unknown> {
  readonly kty: string;
}

/** What `keys jwk` would print. */
export function publicJwk(key: TestKey, more: Record<string, unknown> = {}): PublicJwk {
  const { kty = 'RSA', n, e } = key.publicKey.export({ format: 'jwk' });
  return { kty, n, e, kid: 'kid-1', alg: 'RS256', use: 'sig', ...more };
}

export const client = (key: TestKey, more: Partial<ClientInput> = {}): ClientInput => ({
  clientId: 'client-1',
  orgno: VENDOR,
  jwks: { keys: [publicJwk(key)] },
  scopes: [SCOPE, ...ALTINN_SCOPES],
  ...more,
});

/** A vendor whose system has one customer with one right. */
export const ALTINN: SimulatorConfig = {
  systems: [{ id: SYSTEM, vendor: VENDOR, clientIds: ['client-1'], rights: [KB] }],
  systemUsers: [{ systemId: SYSTEM, orgno: CUSTOMER, rights: [KB] }],
};

/** A running simulator and a set-up that is right for it. */
export class DoctorBench {
  readonly simulator: Simulator;
  readonly key: TestKey;

  private constructor(simulator: Simulator, key: TestKey) {
    this.simulator = simulator;
    this.key = key;
  }

  static async start(config: SimulatorConfig = {}, key: TestKey = sharedKey()): Promise<DoctorBench> {
    const simulator = await startTestSimulator({ config: { clients: [client(key)], ...ALTINN, ...config } });
    return new DoctorBench(simulator, key);
  }

  setup(more: Partial<DoctorSetup> = {}): DoctorSetup {
    return {
      issuer: this.simulator.issuer,
      clientId: 'client-1',
      key: { pem: this.key.pem, kid: 'kid-1', registeredAt: new Date(Date.now() - 30 * DAY_MS) },
      organisation: VENDOR,
      scopes: [SCOPE],
      destinations: [this.simulator.apiUrl],
      altinn: { platformUrl: this.simulator.platformUrl, systemId: SYSTEM },
      ...more,
    };
  }

  async examine(more: Partial<DoctorSetup> = {}): Promise<Diagnosis> {
    return examine(this.setup(more));
  }

  /** A real one. */
  async accessToken(): Promise<string> {
    const { issuer } = this.simulator;
    const tokens = await createTokenService({ issuer, clientId: 'client-1', key: { pem: this.key.pem, kid: 'kid-1' } });
    const { value } = await tokens.getToken(SCOPE);
    await tokens.close();
    return value;
  }

  async close(): Promise<void> {
    await this.simulator.close();
  }
}

/** The first thing that is said is `id`, with its number, and what to do and who in both languages. */
export function expectCause(
  diagnosis: Diagnosis,
  id: string,
  pitfall: number,
  level: 'failed' | 'warning' = 'failed',
): void {
  const { cause, findings } = diagnosis;
  expect({ id: cause?.id, pitfall: cause?.pitfall, level: cause?.level }).toEqual({ id, pitfall, level });
  expect(findings[0]).toBe(cause);
  // Consequences are skipped; they are not failures of their own.
  expect(findings.filter((finding) => finding.level === 'failed').map((finding) => finding.id)).toEqual(
    level === 'failed' ? [id] : [],
  );
  expect(diagnosis.healthy).toBe(level === 'warning');
  for (const text of [cause?.cause, cause?.fix, cause?.title]) {
    expect(text?.en).toMatch(/^\S.*\S$/);
    expect(text?.nb).toMatch(/^\S.*\S$/);
  }
  expect(cause?.fix?.en).not.toBe(cause?.fix?.nb);
  expect(cause?.actBy).toMatch(/^(you|api-owner|customer|digdir)$/);
  expect(cause?.field).toMatch(/^\S+$/);
}
