// May this system user do that: presence, rights, strategies and memory, for both sides of the counter. No Nest.
export { DelegationCheck } from './delegation-check.js';
export { DelegatedRights } from './delegated-rights.js';
export type { RightsClient } from './delegated-rights.js';
export { RightsRefusal, unanswered } from './rights-refusal.js';
export type { RefusalDetails } from './rights-refusal.js';
export { DELEGATION_CODES, OWN_ORGANISATION } from './delegation-code.js';
export type { DelegationCode, DelegationCodeFacts } from './delegation-code.js';
export { DEFAULT_ACTION, GRANULARITY } from './right-decision.js';
export type { RightDecision, RightGranularity, RightQuestion, RightsStrategy } from './right-decision.js';
export type { RightAnswer, TimedRight } from './right-source.js';
export { keyOf, memoryKey } from './presence.js';
export type { Presence } from './presence.js';
export type { ResourceCheck } from './resource-check.js';
