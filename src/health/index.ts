export { HealthModule } from './health.module.js';
export { HealthReaders } from './health-readers.js';
