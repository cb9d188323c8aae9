// What is wrong with a set-up, found before the first real call.
export { examine } from './examine.js';
export type { Diagnosis, ExamineOptions } from './examine.js';
export type { DoctorSetup, ExaminedCustomer } from './setup.js';
export type { Finding, FindingLevel } from './finding.js';
export { ALL_CHECKS } from './all-checks.js';
export type { Check } from './check.js';
// Checks of things that somebody else has measured, such as a running token service.
export { checkClock } from './checks/clock.js';
export type { MeasuredClock } from './checks/clock.js';
export { checkExpiry } from './checks/expiry.js';
