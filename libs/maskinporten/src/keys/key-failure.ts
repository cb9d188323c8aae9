import { configurationError, type Failure, type MaskinportenError } from '../errors/index.js';

/** One refused setting of a key; `loadSigningKey` turns it into `MP_CONFIG`. Its text never quotes what was read. */
export class KeyFailure extends Error {
  readonly member: string;

  /** @param member where in the source the fault is: `pem`, `kid`, `passphrase` … */
  constructor(member: string, reason: string) {
    super(reason);
    this.name = 'KeyFailure';
    this.member = member;
  }

  toFailure(field: string): Failure {
    return { field: this.member === '' ? field : `${field}.${this.member}`, code: 'MP_CONFIG', reason: this.message };
  }

  toError(field: string): MaskinportenError {
    return configurationError([this.toFailure(field)]);
  }
}
