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
