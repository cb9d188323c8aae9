export { NestingPipe } from './nesting.pipe.js';
export { contextOf, RequestContextMiddleware } from './request-context.middleware.js';
export type { AnyRequest } from './request-context.middleware.js';
export { RequestMeta } from './request-meta.js';
export type { Meta } from './request-meta.js';
export { RequestsModule } from './requests.module.js';
