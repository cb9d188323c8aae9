import type { DoctorSetup } from '../../doctor/index.js';
import { KEY_VARIABLES } from '../../environment/index.js';
import { readSettings, type Variables } from '../settings.js';

const ISSUERS = ['MASKINPORTEN_ENVIRONMENT', 'MASKINPORTEN_ISSUER', 'MASKINPORTEN_WELL_KNOWN_URL'];

type ClientSetup = Omit<DoctorSetup, 'scopes' | 'consumerOrg' | 'customer' | 'uploadedJwks' | 'project' | 'clock'>;

/**
 * The settings as they stand, for one who looks for faults: what is missing is left out instead of refused. Something is
 * put in its place while the rest is read, so that there is one reader of settings.
 *
 * @throws UsageError for settings that contradict each other.
 */
export async function doctorSetup(variables: Variables, path: (file: string) => string): Promise<ClientSetup> {
  const lacks = (names: readonly string[]): boolean => names.every((name) => (variables[name] ?? '').trim() === '');
  const noClient = lacks(['MASKINPORTEN_CLIENT_ID']);
  const noKey = lacks(KEY_VARIABLES);
  const noIssuer = lacks(ISSUERS);
  const selfServiceUrl = variables['MASKINPORTEN_SELF_SERVICE_URL']?.trim();
  const { clientId, key, environment, issuer, tokenEndpoint, destinations, altinn, http } = await readSettings(
    {
      ...variables,
      ...(noClient ? { MASKINPORTEN_CLIENT_ID: 'missing' } : {}),
      ...(noKey ? { MASKINPORTEN_PRIVATE_KEY_FILE: 'missing' } : {}),
      ...(noIssuer ? { MASKINPORTEN_ENVIRONMENT: 'test' } : {}),
    },
    path,
  );
  return {
    ...(noClient ? {} : { clientId }),
    ...(noKey ? {} : { key }),
    ...(noIssuer ? {} : { environment, issuer, altinn }),
    tokenEndpoint,
    destinations,
    selfServiceUrl: selfServiceUrl === undefined || selfServiceUrl === '' ? undefined : selfServiceUrl,
    http,
  };
}
