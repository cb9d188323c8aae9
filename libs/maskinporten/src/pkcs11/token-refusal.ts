import type { Refusal } from './token-protocol.js';

/** A token that cannot be opened, as the process that tried says it. */
export class TokenRefusal extends Error {
  readonly refusal: Refusal;
  readonly code: string;

  constructor(refusal: Refusal, code: string) {
    super(refusal);
    this.refusal = refusal;
    this.code = code;
  }
}
