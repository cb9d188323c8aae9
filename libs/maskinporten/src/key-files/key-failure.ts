import { errorCode } from '../basics/index.js';
import { configurationError, type Failure, type KeyFailureKind, type MaskinportenError } from '../errors/index.js';

/** One refused setting of a key; `loadSigningKey` turns it into `MP_CONFIG`. Its text never quotes what was read. */
export class KeyFailure extends Error {
  readonly member: string;
  readonly kind: KeyFailureKind;

  /**
   * @param member where in the source the fault is: `pem`, `kid`, `passphrase` …
   * @param kind what sort of fault it is. Default: what was read cannot be used.
   */
  constructor(member: string, reason: string, kind: KeyFailureKind = 'content') {
    super(reason);
    this.name = 'KeyFailure';
    this.member = member;
    this.kind = kind;
  }

  toFailure(field: string): Failure {
    const { member, message, kind } = this;
    return { field: member === '' ? field : `${field}.${member}`, code: 'MP_CONFIG', reason: message, kind };
  }

  toError(field: string): MaskinportenError {
    return configurationError([this.toFailure(field)]);
  }
}

/** OpenSSL knows what this is, and does not offer it. */
export const isUnsupported = (error: unknown): boolean => errorCode(error)?.includes('UNSUPPORTED') === true;
