import { readMetadata } from './read-metadata.js';

/** Is this method called over HTTP, and not as a message as well? */
export const isHttpRoute = (method: object): boolean =>
  readMetadata('path', method) !== undefined && readMetadata('microservices:handler_type', method) === undefined;
