export { RequestLogMiddleware } from './request-log.middleware.js';
export { printable, ServiceLogger } from './service-logger.js';
