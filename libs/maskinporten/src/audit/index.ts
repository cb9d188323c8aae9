// Who did what for whom, provable afterwards.
export { MaskinportenAuditModule } from './maskinporten-audit.module.js';
export type {
  MaskinportenAuditModuleAsyncOptions,
  MaskinportenAuditOptions,
  MaskinportenAuditOptionsFactory,
} from './maskinporten-audit.module.js';
export type { OtherCalls } from './audit-watch.js';
export { AuditLog } from './audit-log.js';
export type { AuditConflict, AuditLogOptions, AuditStatus } from './audit-log-options.js';
export { SEALED_MEMBERS } from './audit-record.js';
export type { AuditEntry, AuditFacts, AuditKind, AuditRecord } from './audit-record.js';
export { AuditConflictError } from './audit-store.js';
export type { AuditPage, AuditScan, AuditSearch, AuditStore } from './audit-store.js';
export { GENESIS, canonicalText, hashOf } from './chain.js';
export type { AuditHead, UnsealedRecord } from './chain.js';
export { CheckpointSigner, CheckpointVerifier } from './checkpoint.js';
export type { AuditCheckpoint, CheckpointKey } from './checkpoint.js';
export { cleanText } from './clean-facts.js';
export { checkSearch, cursorOf } from './search-page.js';
export type { CheckedSearch, SearchPosition } from './search-page.js';
export { verifyAuditLog } from './verify-audit-log.js';
export type { AuditVerification, VerifyAuditOptions } from './verify-audit-log.js';
export type { AuditFinding, AuditFindingKind } from './finding.js';
