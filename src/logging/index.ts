export { printable } from './printable.js';
export { RequestLogMiddleware } from './request-log.middleware.js';
export { ServiceLogger } from './service-logger.js';
