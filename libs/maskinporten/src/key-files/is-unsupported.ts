import { errorCode } from '../basics/index.js';

/** OpenSSL knows what this is, and does not offer it. */
export const isUnsupported = (error: unknown): boolean => errorCode(error)?.includes('UNSUPPORTED') === true;
