export { contextOf } from './contexts.js';
export type { AnyRequest } from './contexts.js';
export { NestingPipe } from './nesting.pipe.js';
export { RequestContextMiddleware } from './request-context.middleware.js';
export { RequestMeta } from './request-meta.js';
export type { Meta } from './request-meta.js';
export { RequestsModule } from './requests.module.js';
