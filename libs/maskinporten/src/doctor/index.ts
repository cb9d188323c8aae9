// What is wrong with a set-up, found before the first real call.
export { examine } from './examine.js';
export type { Diagnosis, ExamineOptions } from './examine.js';
export type { DoctorSetup, ExaminedCustomer } from './setup.js';
export { ALL_CHECKS } from './all-checks.js';
export type { Check } from './examination.js';
