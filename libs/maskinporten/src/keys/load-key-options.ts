import { KeyFailure, type SecretBytes } from '../key-files/index.js';
import type { KeyDates } from './key-source.js';

/** Something about a key that works but ought to be changed. Nothing in it is secret. */
export interface KeyWarning {
  readonly code:
    | 'file-readable-by-others'
    | 'text-repaired'
    | 'small-key'
    | 'certificate-expired'
    | 'certificate-not-yet-valid'
    | 'certificate-environment';
  readonly field: string;
  readonly message: string;
}

export type KeyWarningListener = (warning: KeyWarning) => void;

export interface LoadKeyOptions {
  /** What failures call the source: `failures[].field` becomes `key.pem`, `key[1].kid` … Default `key`. */
  readonly field?: string;
  /** Refuse a key file that others may read, instead of warning. Default false. */
  readonly strictFilePermissions?: boolean;
  /** Longest wait for one signature of a remote signer, in milliseconds. Default 3000. */
  readonly signerTimeoutMs?: number;
  /** Which environment the issuer belongs to; a certificate of the other one that is not sent gives a warning. */
  readonly environment?: 'test' | 'prod' | undefined;
  /** Wall clock in milliseconds, for the validity of certificates. */
  readonly now?: () => number;
  readonly onWarning?: KeyWarningListener;
}

/** Options with their defaults, and where what is read is kept until it is wiped. */
export interface Loading extends Required<LoadKeyOptions> {
  readonly secrets: SecretBytes;
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]{5,15}(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** @throws KeyFailure for an invalid date. */
export function datesOf(source: KeyDates): { registeredAt: Date | undefined; activeFrom: Date | undefined } {
  return {
    registeredAt: dateOf(source.registeredAt, 'registeredAt'),
    activeFrom: dateOf(source.activeFrom, 'activeFrom'),
  };
}

function dateOf(value: Date | string | undefined, member: string): Date | undefined {
  if (value === undefined) return undefined;
  const date = value instanceof Date ? new Date(value) : ISO_DATE.test(value) ? new Date(value) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime())) throw new KeyFailure(member, 'must be an ISO date such as 2026-01-31', 'source');
  return date;
}
