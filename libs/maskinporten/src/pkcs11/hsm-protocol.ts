import type { SigningAlgorithm } from '../key-files/index.js';

/** Which token in which library, and which key on it; all that the process beside ours needs to know. */
export interface HsmAddress {
  readonly library: string;
  readonly tokenLabel?: string | undefined;
  readonly tokenSerial?: string | undefined;
  readonly keyLabel?: string | undefined;
  /** Hexadecimal, lower case. */
  readonly keyId?: string | undefined;
  readonly sessions: number;
  readonly environment: Readonly<Record<string, string>>;
}

export type HsmCommand =
  | { readonly type: 'open'; readonly address: HsmAddress; readonly pin?: string | undefined }
  | { readonly type: 'sign'; readonly id: number; readonly alg: SigningAlgorithm; readonly data: Uint8Array };

/** What is public on the token: the key's public half, and every X.509 certificate in DER. */
export interface HsmFacts {
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
  readonly certificates: readonly Uint8Array[];
}

/** Why a token could not be opened. */
export type HsmRefusalKind =
  | 'module'
  | 'library'
  | 'token-missing'
  | 'token-ambiguous'
  | 'pin'
  | 'key-missing'
  | 'key-ambiguous'
  | 'public-half'
  | 'mechanism'
  | 'cryptoki';

export type HsmReply =
  | { readonly type: 'opened'; readonly facts: HsmFacts }
  | { readonly type: 'refused'; readonly refusal: HsmRefusalKind; readonly code: string }
  | { readonly type: 'signed'; readonly id: number; readonly signature: Uint8Array }
  | { readonly type: 'failed'; readonly id: number; readonly code: string };

/** A token that cannot be opened, as the process that tried says it. */
export class HsmRefusal extends Error {
  readonly refusal: HsmRefusalKind;
  readonly code: string;

  constructor(refusal: HsmRefusalKind, code: string) {
    super(refusal);
    this.refusal = refusal;
    this.code = code;
  }
}
