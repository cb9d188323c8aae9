// Health of the Maskinporten clients for `@nestjs/terminus`, and answers for probes.
export { MaskinportenHealthModule } from './maskinporten-health.module.js';
export type { MaskinportenHealthOptions } from './health-options.js';
export { MaskinportenHealthIndicator } from './maskinporten-health.indicator.js';
export type { HealthCheckOptions } from './maskinporten-health.indicator.js';
export { MaskinportenProbes } from './maskinporten-probes.js';
export type { ProbeAnswer } from './maskinporten-probes.js';
export type { ClientReport, ExpiryReport, FaultReport, ReportPart } from './client-report.js';
export type { HealthState } from './health-state.js';
export type { ExpiryTier } from '../keys/index.js';
export { HealthContributors } from '../signals/index.js';
export type { HealthContribution, HealthContributor } from '../signals/index.js';
