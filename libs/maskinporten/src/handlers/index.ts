// Nest's side: which methods it calls through guards and interceptors, whether a decorator of ours has an effect where it
// stands, and options that are known only when the application starts.
export { asyncOptions } from './async-options.js';
export type { AsyncOptions } from './async-options.js';
export { DecoratorUses } from './decorator-uses.js';
export { Unguarded } from './unguarded.decorator.js';
export { guardedBy } from './guarded-by.js';
export { applicationClasses } from './application-class.js';
export type { ApplicationClass } from './application-class.js';
export { fieldEnhancers } from './field-enhancers.js';
export { Placement } from './placement.js';
export type { CheckedDecorator, FoundUse } from './placement.js';
export { isGuardReplaced, replaceableGuards } from './replaced-guard.js';
export { fromBody, fromParam } from './value-source.js';
export type { ValueSource } from './value-source.js';
export { invocationOf } from './invocation-of.js';
export { answerMessage, writeProblemHeaders } from './message-answer.js';
export { FIRST_GUARD } from './first-guard.js';
export { isHttpRoute } from './http-route.js';
export { needsFreshAnswer } from './needs-fresh-answer.js';
