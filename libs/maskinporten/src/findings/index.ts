// What is wrong with a set-up, in the words that health and the doctor share.
export { failed, good, skipped, topicOf, warning, words } from './finding.js';
export type { Complaint, Finding, FindingLevel, Topic } from './finding.js';
export { CLOCK, clockFinding } from './clock-finding.js';
export type { MeasuredClock } from './clock-finding.js';
export { EXPIRY, expiryFindings } from './expiry-findings.js';
