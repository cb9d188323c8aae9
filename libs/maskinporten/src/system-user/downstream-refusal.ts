import { isMaskinportenError } from '../errors/index.js';

export type DownstreamRefusal = 'system-user-missing' | 'refused';

/**
 * Does an error that a handler failed with say that an API, or Maskinporten, refused the system user? Axios's errors
 * only: an exception that the application made itself may have any status for its own reasons.
 */
export function downstreamRefusal(error: unknown): DownstreamRefusal | undefined {
  if (isMaskinportenError(error, 'MP_SYSTEMUSER_MISSING')) return 'system-user-missing';
  if (!(error instanceof Error) || !('isAxiosError' in error) || error.isAxiosError !== true) return undefined;
  const response: unknown = 'response' in error ? error.response : undefined;
  const status: unknown =
    typeof response === 'object' && response !== null ? Reflect.get(response, 'status') : undefined;
  // NAV answers 401 where others answer 403 (NAV, sykepenger API).
  return status === 401 || status === 403 ? 'refused' : undefined;
}
