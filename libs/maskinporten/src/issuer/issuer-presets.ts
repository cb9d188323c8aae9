export type EnvironmentName = 'test' | 'prod';

/** Everything that is fixed about one of Maskinporten's environments and its Altinn counterpart. */
export interface IssuerPreset {
  /** Audience of grants and `iss` of tokens, byte for byte with its trailing slash. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  readonly altinn: { readonly platformUrl: string };
  /** Origins that may receive tokens without being listed by the application. */
  readonly destinations: readonly string[];
}

/** https://docs.digdir.no/docs/Maskinporten/maskinporten_func_wellknown */
export const ISSUER_PRESETS: Readonly<Record<EnvironmentName, IssuerPreset>> = {
  test: {
    issuer: 'https://test.maskinporten.no/',
    tokenEndpoint: 'https://test.maskinporten.no/token',
    jwksUri: 'https://test.maskinporten.no/jwk',
    altinn: { platformUrl: 'https://platform.tt02.altinn.no' },
    destinations: ['https://platform.tt02.altinn.no', 'https://*.apps.tt02.altinn.no'],
  },
  prod: {
    issuer: 'https://maskinporten.no/',
    tokenEndpoint: 'https://maskinporten.no/token',
    jwksUri: 'https://maskinporten.no/jwk',
    altinn: { platformUrl: 'https://platform.altinn.no' },
    destinations: ['https://platform.altinn.no', 'https://*.apps.altinn.no'],
  },
};

export function isEnvironmentName(value: unknown): value is EnvironmentName {
  return value === 'test' || value === 'prod';
}

/**
 * The environment a host belongs to, when it is one of Digdir's or Altinn's; undefined for everybody else's.
 * Maskinporten, Altinn and self-service keep clients, keys, grants and delegations apart per environment.
 */
export function environmentOfHost(host: string): EnvironmentName | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (['maskinporten.no', 'sky.maskinporten.no'].includes(name)) return 'prod';
  if (['test.maskinporten.no', 'test.sky.maskinporten.no'].includes(name)) return 'test';
  if (/^(?:[^.]+\.){0,8}(?:tt02|at\d\d|yt01)\.altinn\.(?:no|cloud)$/.test(name)) return 'test';
  if (name === 'altinn.no' || name.endsWith('.altinn.no')) return 'prod';
  if (name === 'api.samarbeid.digdir.no') return 'prod';
  return name === 'api.test.samarbeid.digdir.no' ? 'test' : undefined;
}
