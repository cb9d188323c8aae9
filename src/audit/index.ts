export { AuditModule } from './audit.module.js';
export { migrateDatabase } from './open-store.js';
export { OpenLogGuard, OpeningAuditStore } from './opening-audit-store.js';
