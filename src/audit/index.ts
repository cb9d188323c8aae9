export { AuditModule } from './audit.module.js';
export { migrateDatabase } from './open-store.js';
