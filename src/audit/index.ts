export { AuditModule } from './audit.module.js';
export { migrateDatabase } from './open-store.js';
export { OpenLogGuard } from './open-log.guard.js';
export { OpeningAuditStore } from './opening-audit-store.js';
