/** Something that looks like an attack or a grave mistake, for the log that a security officer reads. Nothing secret. */
export interface SecurityEvent {
  readonly type: 'server-certificate-refused' | 'metadata-issuer-mismatch' | 'metadata-endpoint-refused';
  readonly host: string;
  readonly reason: string;
}

export type SecurityEventListener = (event: SecurityEvent) => void;
