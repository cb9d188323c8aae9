// Which methods Nest calls through guards and interceptors, and whether a decorator of ours has an effect where it stands.
export { DecoratorUses } from './decorator-uses.js';
export { Unguarded } from './unguarded.decorator.js';
export { guardedBy } from './guarded-by.js';
export { applicationClasses } from './application-class.js';
export type { ApplicationClass } from './application-class.js';
export { fieldEnhancers } from './field-enhancers.js';
export { Placement } from './placement.js';
export type { CheckedDecorator, FoundUse } from './placement.js';
export { isGuardReplaced, replaceableGuards } from './replaced-guard.js';
