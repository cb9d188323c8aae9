import type { DoctorSetup } from '../../doctor/index.js';
import { examineSettings, usage, type Variables } from '../settings.js';

type ClientSetup = Omit<DoctorSetup, 'scopes' | 'consumerOrg' | 'customer' | 'uploadedJwks' | 'project' | 'clock'>;

/**
 * The settings as they stand, for one who looks for faults: what is missing is left out instead of refused.
 *
 * @throws UsageError for settings that contradict each other.
 */
export function doctorSetup(variables: Variables, path: (file: string) => string): ClientSetup {
  const { settings, problems } = examineSettings(variables, path);
  const wrong = problems.filter(({ kind }) => kind !== 'missing');
  if (wrong.length > 0) throw usage(wrong);
  const { environment, issuer, altinn, ...rest } = settings;
  const selfServiceUrl = variables['MASKINPORTEN_SELF_SERVICE_URL']?.trim();
  return {
    ...rest,
    // Without an issuer nobody knows whose Altinn it is.
    ...(environment === undefined && issuer === undefined ? {} : { environment, issuer, altinn }),
    selfServiceUrl: selfServiceUrl === undefined || selfServiceUrl === '' ? undefined : selfServiceUrl,
  };
}
