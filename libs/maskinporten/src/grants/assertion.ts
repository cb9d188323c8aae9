import { randomUUID } from 'node:crypto';
import type { ConcurrencyGate, SigningKey } from '../keys/index.js';
import { grantClaims } from './grant-claims.js';
import type { NormalisedTokenRequest } from './normalised-token-request.js';

/** A signed grant, used for one HTTP attempt and then forgotten. */
export interface Assertion {
  /** The compact JWS; secret until it has been used. */
  readonly value: string;
  readonly jti: string;
  readonly kid?: string;
}

export interface AssertionFactoryOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Server time in milliseconds: the local clock corrected by the measured offset. */
  readonly nowMs: () => number;
  readonly gate: ConcurrencyGate;
  readonly newJti?: () => string;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Makes assertions (RFC 7523 §3). Claims are built only when a signing slot is free: `iat` must be within ten seconds of
 * Maskinporten's clock, which an assertion that waited in a queue would miss.
 */
export class AssertionFactory {
  readonly #options: AssertionFactoryOptions;

  constructor(options: AssertionFactoryOptions) {
    this.#options = options;
  }

  /**
   * @param onTurn called when the wait for a signing slot is over
   * @throws SigningCredentialError when the key or the remote signer refuses; MP_ABORTED when `signal` fires.
   */
  async create(
    request: NormalisedTokenRequest,
    key: SigningKey,
    signal: AbortSignal,
    onTurn?: () => void,
  ): Promise<Assertion> {
    const { issuer, clientId, nowMs, gate, newJti = randomUUID } = this.#options;
    return (key.gate ?? gate).run(
      async () => {
        onTurn?.();
        const jti = newJti();
        const header = { alg: key.alg, ...(key.kid === undefined ? { x5c: key.x5c } : { kid: key.kid }) };
        const signingInput = `${encode(header)}.${encode(grantClaims(request, { issuer, clientId, nowMs: nowMs(), jti }))}`;
        const signature = await key.sign(Buffer.from(signingInput), { signal });
        return {
          value: `${signingInput}.${Buffer.from(signature).toString('base64url')}`,
          jti,
          ...(key.kid === undefined ? {} : { kid: key.kid }),
        };
      },
      { signal },
    );
  }
}
