import { issuerOfWellKnown } from 'nestjs-maskinporten/environment';
import type { Environment } from './environment.js';

interface Preset {
  readonly issuer: string;
  readonly platformUrl: string;
}

/** Hosts of Maskinporten's two environments; https://docs.digdir.no/docs/Maskinporten/maskinporten_func_wellknown */
const PRESETS: Readonly<Record<'test' | 'prod', Preset>> = {
  test: { issuer: 'https://test.maskinporten.no/', platformUrl: 'https://platform.tt02.altinn.no' },
  prod: { issuer: 'https://maskinporten.no/', platformUrl: 'https://platform.altinn.no' },
};

/** The issuer that the settings name, unless `MASKINPORTEN_ENVIRONMENT` alone decides. */
export function issuerOf(environment: Environment): string | undefined {
  const { MASKINPORTEN_ISSUER: issuer, MASKINPORTEN_WELL_KNOWN_URL: wellKnown } = environment;
  return issuer ?? (wellKnown === undefined ? undefined : issuerOfWellKnown(wellKnown));
}

/** The environment that is named, or that the issuer belongs to: NAIS gives the issuer only. */
export function environmentName(environment: Environment): 'test' | 'prod' | undefined {
  const names = ['test', 'prod'] as const;
  const { MASKINPORTEN_ENVIRONMENT: named } = environment;
  // What is named may be anything as long as it has not been refused yet.
  if (named !== undefined) return names.find((name) => name === named);
  const issuer = issuerOf(environment);
  return names.find((name) => PRESETS[name].issuer === issuer);
}

/** Altinn's platform of the environment: the one host of our calls that may receive tokens without being listed. */
export function presetPlatform(environment: Environment): string | undefined {
  const name = environmentName(environment);
  return name === undefined ? undefined : PRESETS[name].platformUrl;
}

/** Base address of the Broker API, when it is known. */
export function brokerUrl(environment: Environment): string | undefined {
  const platform = environment.ALTINN_PLATFORM_URL ?? presetPlatform(environment);
  return environment.BROKER_URL ?? (platform === undefined ? undefined : brokerUrlBelow(platform));
}

export const brokerUrlBelow = (platform: string): string => `${platform.replace(/\/$/, '')}/broker/api/v1`;
