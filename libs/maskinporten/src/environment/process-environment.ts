/**
 * Reads the environment of the process, and only to refuse or warn: no setting of a client comes from here. Besides it,
 * `issuer/proxy-settings.ts` reads the proxy variables when `proxy: 'environment'` asks for them, and the command its own.
 */
import type { Failure } from '../errors/index.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** With certificate checks switched off for the whole process, anybody on the way can take the tokens (F-25). */
export function unsafeProcess(environment: Environment = process.env): Failure[] {
  const { NODE_ENV, NODE_TLS_REJECT_UNAUTHORIZED } = environment;
  if (NODE_ENV !== 'production' || NODE_TLS_REJECT_UNAUTHORIZED !== '0') return [];
  return [
    {
      field: 'NODE_TLS_REJECT_UNAUTHORIZED',
      code: 'MP_CONFIG',
      reason:
        'switches certificate checks off for the whole process, which is refused in production: use http.ca for own roots',
    },
  ];
}

/** Debug switches that make Node or axios's redirect library print headers, the bearer token included (T-08). */
export function printingSwitches(environment: Environment = process.env): string[] {
  const { NODE_ENV, NODE_DEBUG = '', DEBUG = '' } = environment;
  if (NODE_ENV !== 'production') return [];
  return [
    ...(/(^|,)\s*(http|http2|https|net|tls|stream|undici|fetch|\*)/i.test(NODE_DEBUG) ? ['NODE_DEBUG'] : []),
    ...(/(^|[\s,])(follow-redirects|\*)/i.test(DEBUG) ? ['DEBUG'] : []),
  ];
}
